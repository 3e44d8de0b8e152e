"""The worker behind the builds queue, the schedule that queues lost work again, and what takes state changes."""

from collections.abc import Callable, Mapping
from typing import Any

from gitlab_hub.builds.runs.actions import POLL, REPORT, START, STOP, count_retry, pending_actions
from gitlab_hub.builds.runs.commit_status import StatusReporter
from gitlab_hub.builds.runs.model import Build
from gitlab_hub.builds.runs.service import SCHEMA, BuildService
from gitlab_hub.builds.runs.starter import Starter
from gitlab_hub.builds.runs.state_changes import StateChanges
from gitlab_hub.builds.runs.store import BuildStore
from gitlab_hub.errors import Conflict
from gitlab_hub.storage.ports import OutOfTime, UnknownMessage, UnknownSchema

MAX_REQUEUED = 200
"""Builds that one tick queues again; the others wait for the next."""

NEEDED_SECONDS = 30
"""What one message may take: a call to a target or to GitLab has twenty seconds, and GitLab five more to say where a
status belongs. Whoever is stopped in the middle of it does not know what came of it."""


class Builder:
    """Does what is left to do about builds."""

    def __init__(
        self,
        *,
        service: BuildService,
        store: BuildStore,
        starter: Starter,
        reporter: StatusReporter,
        changes: StateChanges,
        now: Callable[[], float],
    ) -> None:
        self._service, self._store, self._changes, self._now = service, store, changes, now
        self._doing: dict[str, Callable[[str], None]] = {
            START: starter.start,
            STOP: starter.stop,
            REPORT: reporter.report,
            POLL: starter.poll,
        }

    def __call__(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Do what a message of the queue asks for; a repeated one has no effect. Raises UnknownMessage or OutOfTime."""
        named = [action for action in self._doing if action in message]
        if message.get("schema") != SCHEMA or len(named) != 1:
            raise UnknownMessage(f"This version understands schema {SCHEMA} only.")
        if remaining() < NEEDED_SECONDS:
            raise OutOfTime
        self._doing[named[0]](str(message[named[0]]))

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Take a state change that EventBridge tells of."""
        self._changes.on_event(event)

    def tick(self) -> dict[str, int]:
        """Send again for builds whose messages left something to do; what was sent for too often is given up."""
        due = self._store.due(now=int(self._now()), limit=MAX_REQUEUED)
        return {"pushed": sum(self._requeue(build_id) for build_id in due)}

    def _requeue(self, build_id: str) -> bool:
        now = int(self._now())
        try:
            before = self._store.get(build_id)
        except UnknownSchema:
            return False  # The others do not wait for the release that knows it.
        if before is None or not _is_due(before, now):
            return False  # The index is a moment behind the table.
        try:
            build = self._service.change(
                build_id, lambda one: count_retry(one, now=now) if _is_due(one, now) else one, read=before
            )
        except Conflict:
            return False  # Somebody is at it.
        if build is None:
            return False
        self._service.send(build, pending_actions(build))
        return True


def _is_due(build: Build, now: int) -> bool:
    return build.due_at is not None and build.due_at <= now
