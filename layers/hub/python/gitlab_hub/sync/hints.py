"""Heeding hints: what a webhook made us curious about is read from GitLab, outside of runs and beside them.

A hint is worth little: the next run finds the same. So it takes no lease and keeps no state, it is given up where a
run would have to complain, and put off where a run would park. It spends the same allowance as runs do.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from gitlab_hub.blocking import to_the_end
from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.errors import Forbidden, GitLabError, HostNotAllowed, InvalidUrl, Missing, TlsError, Unauthorized
from gitlab_hub.storage.errors import StorageRefused, StorageUnavailable
from gitlab_hub.storage.table import Table
from gitlab_hub.sync.engine import LONGEST_DELAY_SECONDS, Connection
from gitlab_hub.sync.errors import SliceEnded, UnreadableRun
from gitlab_hub.sync.fence import Fence
from gitlab_hub.sync.hint_box import BURST_SECONDS, HintBox
from gitlab_hub.sync.hint_ledger import HintLedger
from gitlab_hub.sync.hint_session import HintSession
from gitlab_hub.sync.located import located
from gitlab_hub.sync.message import Hint
from gitlab_hub.sync.ports import Kind, Session, Target
from gitlab_hub.sync.store import RunStore
from gitlab_hub.sync.targets import Targets

MOST_TRIES = 10
"""About an hour of trouble; by then runs have tried often enough. Every try is a link of one chain, see `MOST_HOPS`."""

_LOG = logging.getLogger(__name__)
_FINAL = (Unauthorized, Forbidden, Missing, HostNotAllowed, InvalidUrl, TlsError)
"""Answers that a second question does not change; what they mean is for the next run to say."""


class Heeding(Protocol):
    """What a feature does about hints."""

    kind: Kind
    table: Table

    async def heed(self, session: Session, hint: Hint) -> None:
        """Read what the hint is about and store it; `GitLabError`s decide whether it is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HintHandler:
    """Heeds the hints of one kind of sync; safe to be called with the same message any number of times."""

    feature: Heeding
    box: HintBox
    runs: RunStore
    targets: Targets
    connect: Callable[[Target], Connection]
    clock: Callable[[], float]

    def handle(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Work on one message for at most `remaining()` seconds. Raises UnknownMessage, StorageUnavailable."""
        hint, tries = message["hint"], int(message.get("tries", 0))
        # Where the mark cannot be taken away the message has to come again: it would swallow later hints.
        self.box.take(hint)
        try:
            asyncio.run(self._heed(hint, remaining))
        except (*_FINAL, StorageRefused) as error:
            _note("hint dropped", hint, error.code)
        except (GitLabError, StorageUnavailable, SliceEnded, UnreadableRun) as error:
            self._put_off(hint, tries + 1, error)

    async def _heed(self, hint: Hint, remaining: Callable[[], float]) -> None:
        target = await to_the_end(self.targets.target, hint["integration_id"])
        if target is None:
            _note("hint dropped", hint, "paused")
            return
        connection = self.connect(target)
        async with connection.gitlab, _sharing(connection):
            await self._heed_at(await located(connection.gitlab, self.targets, target), connection, hint, remaining)

    async def _heed_at(
        self, target: Target, connection: Connection, hint: Hint, remaining: Callable[[], float]
    ) -> None:
        ledger, pk = self._ledger, self.box.key(hint)[0]
        room = await to_the_end(ledger.room, pk, target.integration_id)
        fence = Fence(self.feature.table, target.integration_id, self.feature.kind)
        session = HintSession(
            target,
            connection.gitlab,
            fence,
            await to_the_end(fence.number),
            partial(self.targets.target, target.integration_id),
            room,
            remaining=remaining,
            clock=self.clock,
        )
        try:
            await self.feature.heed(session, hint)
        finally:
            if removed := session.counts["rows_removed"]:
                await to_the_end(ledger.note, pk, room, removed)
        _note("hint heeded", hint, "", **session.told)

    @property
    def _ledger(self) -> HintLedger:
        return HintLedger(self.box.table, self.runs, self.feature.kind)

    def _put_off(self, hint: Hint, tries: int, error: Exception) -> None:
        code = error.code if isinstance(error, HubError) else type(error).__name__
        if tries >= MOST_TRIES:
            _note("hint given up", hint, code)
            return
        wanted = error.retry_after if isinstance(error, HubError) else None
        delay = min(LONGEST_DELAY_SECONDS, max(wanted or 0, BURST_SECONDS << tries))
        self.box.send(hint, delay_seconds=delay, tries=tries)
        _note("hint put off", hint, code, delay=delay)


@asynccontextmanager
async def _sharing(connection: Connection) -> AsyncIterator[None]:
    """Know what other workers have spent before the first request, and tell them after the last one."""
    await to_the_end(connection.limiter.exchange)
    try:
        yield
    finally:
        with suppress(StorageUnavailable):
            await to_the_end(connection.limiter.exchange)


def _note(event: str, hint: Hint, reason: str, **counts: int) -> None:
    _LOG.info(event, extra={"hint": dict(hint), "reason": reason, "counts": counts})
