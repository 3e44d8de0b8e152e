"""One worker: claim a run, carry it on until it is done, parked or out of time, and leave it for the next."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Any

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.errors import GitLabError, MissingPermissions, RateLimited, Unauthorized, UnexpectedResponse
from gitlab_hub.storage.blocking import run_uncancelled
from gitlab_hub.storage.ports import ConditionFailed, Queue, StorageRefused, StorageUnavailable
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.errors import CredentialRefused, LeaseLost, Parked, RunFailed, SliceEnded, SliceOutOfTime
from gitlab_hub.sync.message import MOST_HOPS, hops_of, work_message
from gitlab_hub.sync.ports import Feature, SyncTarget, Targets
from gitlab_hub.sync.rate_limit import SharedLimiter
from gitlab_hub.sync.run import Run
from gitlab_hub.sync.session import FLUSH_SECONDS, RunSession
from gitlab_hub.sync.stages import ErrorNote, StageRunner
from gitlab_hub.sync.store import RunStore
from gitlab_hub.sync.target_group import resolve_group

# The first pauses after setbacks; each further one without a step forward is twice as long.
STORAGE_PAUSE_SECONDS = 5
CONTRADICTION_PAUSE_SECONDS = 1
GITLAB_PAUSE_SECONDS = 30

STORE_CALLS_AT_ONCE = 16
LONGEST_DELAY_SECONDS = 900
"""What SQS can hold a message back."""

CONTRADICTION = "GitLab takes the token, and refuses it for one of its lists; look for a proxy in between."
TABLES_AWAY = "A table could not be reached for minutes (throttled, or AWS in trouble); the next sync begins anew."
REFUSED = {"code": "invalid_credentials", "hint": "GitLab refuses the token; store a new one."}

_LOG = logging.getLogger(__name__)

_Outcome = ErrorNote | SliceEnded | None
"""How a slice went: an error of the run that came to its end, why it ended early, or None where all went well."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A client for one target and the shared limiter inside it."""

    gitlab: GitLab
    limiter: SharedLimiter


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What the engine takes from the world, so that tests can hold it still."""

    worker: Callable[[], str]
    ended: Callable[[Run], None] = lambda _: None
    """Hears of every run that came to its end."""
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    flush_seconds: float = FLUSH_SECONDS


class Engine:
    """Carries on the runs of one kind. Safe to be called with the same message any number of times."""

    def __init__(
        self,
        feature: Feature,
        runs_: RunStore,
        targets: Targets,
        connect: Callable[[SyncTarget], Connection],
        queue: Queue,
        runtime: Runtime,
    ) -> None:
        self._feature, self._runs, self._targets = feature, runs_, targets
        self._connect, self._queue, self._runtime = connect, queue, runtime

    def handle(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Work on the run a queue message names, for at most `remaining()` seconds."""
        run = self._runs.load(message["integration_id"], self._feature.kind)
        now = self._now()
        hops = hops_of(message)
        if not run.status.at_rest and run.sync_id == message["sync_id"] and run.parked_until > now:
            if not run.left_to_tick and hops < MOST_HOPS:
                self._send(run, hops=hops + 1, delay=run.parked_until - now)
            return
        claimed = runs.claim(run, sync_id=message["sync_id"], worker=self._runtime.worker(), now=now)
        if claimed is None:
            return
        try:
            mine = self._runs.save(claimed)
        except ConditionFailed:
            return  # A faster worker or a deletion: there is nothing to do here.
        asyncio.run(self._work(mine, hops, remaining))

    async def _work(self, run: Run, hops: int, remaining: Callable[[], float]) -> None:
        # Python's own pool has a thread or two more than processors; these threads only wait for AWS.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(STORE_CALLS_AT_ONCE))
        target = await run_uncancelled(self._targets.target, run.integration_id)
        dead_end = runs.PAUSED if target is None else runs.dead_end(run, now=self._now())
        if target is None or dead_end is not None:
            await self._end(runs.finish(run, now=self._now(), error=dead_end, at_its_end=False))
            return
        try:
            connection = self._connect(target)
        except GitLabError as error:  # The deployer allows other addresses by now.
            note = _note_of(RunFailed(error))
            await self._end(runs.finish(run, now=self._now(), error=note, at_its_end=False))
            return
        async with connection.gitlab:
            session = RunSession(
                run,
                target,
                connection.gitlab,
                self._runs,
                connection.limiter,
                self._feature.table,
                remaining=remaining,
                clock=self._runtime.clock,
                flush_seconds=self._runtime.flush_seconds,
            )
            try:
                await self._handle_outcome(session, hops, await self._slice(session))
            except LeaseLost:
                _LOG.warning("lease lost", extra={"integration_id": run.integration_id, "kind": str(run.kind)})
                await run_uncancelled(self._runs.clear_away, run)

    async def _slice(self, session: RunSession) -> _Outcome:
        """Run stages until the end (an error note or None) or until the slice ends early (the reason)."""
        try:
            await run_uncancelled(session.begin)
            return await self._with_lease(session)
        except SliceEnded as reason:
            return reason
        except StorageRefused as error:
            return RunFailed(error)
        except StorageUnavailable as error:
            # The SDK has tried again already; if handing over fails as well, the queue delivers the message again.
            return _put_off(session.snapshot(), error)

    async def _with_lease(self, session: RunSession) -> ErrorNote | None:
        keeper = asyncio.create_task(session.keep_lease())
        try:
            await resolve_group(session, self._targets, self._runtime.sleep)
            return await self._stages(session)
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    async def _stages(self, session: RunSession) -> ErrorNote | None:
        stages = list(self._feature.stages(session))
        names = [stage.name for stage in stages]
        at = session.checkpointed.stage
        notes = self._runs.notes(session.run)
        for stage in stages[names.index(at) if at in names else 0 :]:
            error = await StageRunner(stage, session, notes, sleep=self._runtime.sleep).run()
            # Trouble goes before a refusal, which may have the same cause as what is suspect.
            if error is not None and (session.error is None or runs.REFUSED in session.error):
                session.error = error
        return session.error

    async def _handle_outcome(self, session: RunSession, hops: int, outcome: _Outcome) -> None:
        if isinstance(outcome, LeaseLost):
            raise outcome
        if isinstance(outcome, CredentialRefused):
            outcome = await self._confirm_unauthorized(session)
        run, outcome = await self._last_snapshot(session, outcome)
        if not isinstance(outcome, SliceOutOfTime | Parked):
            outcome = await self._shut_out(session, outcome)
        now = self._now()
        if isinstance(outcome, SliceOutOfTime):
            await self._requeue(runs.release(run, now=now), hops)
        elif isinstance(outcome, Parked):
            until = now + max(1, ceil(outcome.seconds))
            parked = runs.defer(run, until=until, now=now, setback=outcome.setback)
            await self._requeue(parked, hops, delay=until - now)
        else:
            await self._finish(session, run, outcome)

    async def _last_snapshot(self, session: RunSession, outcome: _Outcome) -> tuple[Run, _Outcome]:
        try:
            await session.flush()
        except StorageRefused as error:
            # The checkpoint is what was refused: the run ends without it.
            has_failed = isinstance(outcome, RunFailed | CredentialRefused)
            return session.snapshot(), outcome if has_failed else RunFailed(error)
        return session.run, outcome

    async def _shut_out(self, session: RunSession, outcome: _Outcome) -> _Outcome:
        """Raise the fence before the end. A table that does not take that fails the run; what failed before has failed.

        The next run raises the fence as it begins.
        """
        try:
            await run_uncancelled(session.end)
        except StorageRefused as error:
            return outcome if isinstance(outcome, SliceEnded) else RunFailed(error)
        except StorageUnavailable as error:
            put_off = _put_off(session.run, error)
            return outcome if isinstance(outcome, SliceEnded) and isinstance(put_off, RunFailed) else put_off
        return outcome

    async def _finish(self, session: RunSession, run: Run, outcome: _Outcome) -> None:
        cut_short = isinstance(outcome, SliceEnded)
        error = _note_of(outcome) if isinstance(outcome, SliceEnded) else outcome
        if not cut_short:
            # All stages had their turn, so whatever is still not complete was noted by this run.
            await run_uncancelled(partial(self._runs.notes(run).clear, kept=session.kept_notes))
        if error is None:
            await run_uncancelled(self._targets.mark_valid, session.target)
        ended = runs.finish(run, now=self._now(), error=error, at_its_end=not cut_short)
        await self._end(ended)

    async def _confirm_unauthorized(self, session: RunSession) -> SliceEnded:
        """A single 401 may come from a proxy or a failing node: only a second one, asked plainly, is definite."""
        run = session.snapshot()
        try:
            await session.gitlab.get("/user")
        except Unauthorized as error:
            await run_uncancelled(self._targets.mark_rejected, session.target)
            return CredentialRefused(str(error))
        except MissingPermissions:
            pass  # A fine-grained token that may not read its user; to say so, GitLab has to know it.
        except RateLimited as error:
            return Parked(error.retry_after or 60)
        except StorageUnavailable as error:
            return _put_off(run, error)
        except StorageRefused as error:
            return RunFailed(error)
        except GitLabError as error:
            return _set_back(run, error, GITLAB_PAUSE_SECONDS)
        return _set_back(run, UnexpectedResponse(CONTRADICTION), CONTRADICTION_PAUSE_SECONDS)

    async def _end(self, ended: Run) -> None:
        """Make the end of a run durable, then tell of it; a run that others have taken or removed has no end here."""
        try:
            await run_uncancelled(self._runs.end, ended)
        except ConditionFailed:
            await run_uncancelled(self._runs.clear_away, ended)
            return
        await run_uncancelled(self._runtime.ended, ended)
        await run_uncancelled(self._runs.journal_drop, ended)

    async def _requeue(self, run: Run, hops: int, *, delay: int = 0) -> None:
        """Have the next worker go on: at once by a message, or by the tick where messages have led far enough."""
        direct = hops < MOST_HOPS and delay <= LONGEST_DELAY_SECONDS
        try:
            if direct:
                await run_uncancelled(self._runs.save, replace(run, left_to_tick=False))
            else:
                await run_uncancelled(self._runs.save_all, [replace(run, left_to_tick=True)])
        except ConditionFailed:
            return  # Others have taken or removed the run.
        if direct:
            self._send(run, hops=hops + 1, delay=delay)

    def _send(self, run: Run, *, hops: int, delay: int) -> None:
        self._queue.send(work_message(run, hops=hops), delay_seconds=min(LONGEST_DELAY_SECONDS, delay))

    def _now(self) -> int:
        return int(self._runtime.clock())


def _put_off(run: Run, error: StorageUnavailable) -> SliceEnded:
    """Wait for a table that is away."""
    _LOG.warning("table away", extra={"integration_id": run.integration_id, "kind": str(run.kind)}, exc_info=error)
    return _set_back(run, StorageUnavailable(TABLES_AWAY), STORAGE_PAUSE_SECONDS)


def _set_back(run: Run, error: HubError, seconds: int) -> SliceEnded:
    """Wait for trouble to pass, ever longer while nothing comes forward; in the end the run fails, visibly."""
    if run.setbacks >= runs.MOST_SETBACKS:
        return RunFailed(error)
    return Parked(seconds * 2**run.setbacks, setback=True)


def _note_of(reason: SliceEnded) -> ErrorNote:
    if isinstance(reason, RunFailed):
        return {"code": reason.cause.code, "hint": str(reason.cause)}
    return REFUSED
