"""The worker behind the builds queue, the schedule that queues lost work again, and what takes state changes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gitlab_hub.builds.runs.actions import POLL, REPORT, START, STOP, count_retry, pending_actions
from gitlab_hub.builds.runs.commit_status import StatusReporter
from gitlab_hub.builds.runs.late_events import RefHeads, may_follow
from gitlab_hub.builds.runs.model import Build, BuildStatus, concurrency_key, failed, superseded, with_status
from gitlab_hub.builds.runs.service import SCHEMA, BuildService
from gitlab_hub.builds.runs.state_changes import StateChanges
from gitlab_hub.builds.runs.store import BuildStore
from gitlab_hub.builds.targets.base import (
    CANCELED,
    REQUESTED,
    BuildTarget,
    Started,
    TargetRefused,
    TargetUnavailable,
    message_of,
)
from gitlab_hub.errors import Conflict
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.storage.ports import OutOfTime, UnknownMessage, UnknownSchema

# Handing a build to its target, once as far as the target can tell; and taking it back.


class Starter:
    """Starts and stops builds at their targets. What a target refuses ends the build; other failures are raised."""

    def __init__(
        self,
        *,
        service: BuildService,
        store: BuildStore,
        targets: Mapping[str, BuildTarget],
        gitlabs: GitLabs,
        now: Callable[[], float],
    ) -> None:
        self._service, self._store, self._targets, self._gitlabs, self._now = service, store, targets, gitlabs, now
        self._heads = RefHeads(gitlabs)

    def start(self, build_id: str) -> None:
        """Start a build that still waits for it; raises TargetUnavailable to be called again."""
        build = self._store.get(build_id)
        if build is None or START not in pending_actions(build):
            return
        others = self._overtaken_by(build)
        if any(may_follow(other, build) for other in others) and self._heads.has_left(build):
            self._service.change(build_id, lambda one: superseded(one, now=self._clock()), read=build)
            return
        for other in others:
            self._service.change(other.id, lambda one: superseded(one, now=self._clock()), read=other)
        marked = self._service.change(build_id, self._mark_starting, read=build)
        if marked is None or START not in pending_actions(marked):
            return  # Canceled or removed meanwhile.
        try:
            # The mark of this very try is left off: a target looks for traces of earlier ones.
            started = self._target(build).start(build, self._message(build, REQUESTED))
        except TargetRefused as refused:
            code, hint = refused.code, str(refused)
            self._service.change(build_id, lambda now_is: failed(now_is, now=self._clock(), code=code, hint=hint))
            return
        self._service.change(build_id, lambda now_is: with_started(now_is, started, now=self._clock()), read=marked)

    def poll(self, build_id: str) -> None:
        """Ask the target of a running build how far it is; that its end was told some other way is no matter.

        A refusal shows on the build: as long as it lasts, only an event can tell the end.
        """
        build = self._store.get(build_id)
        if build is None or POLL not in pending_actions(build):
            return
        try:
            found = self._target(build).poll(build)
        except TargetUnavailable:
            return  # Whoever asks again later may know.
        except TargetRefused as refused:
            code, hint = refused.code, str(refused)
            self._service.change(build_id, lambda now_is: with_poll_error(now_is, code, hint))
            return
        if found is not None:
            self._service.change(build_id, lambda now_is: with_status(now_is, found, now=self._clock()))

    def stop(self, build_id: str) -> None:
        """Take a canceled build back from its target; raises TargetUnavailable to be called again."""
        build = self._store.get(build_id)
        if build is None or not build.stop_pending:
            return
        try:
            self._target(build).stop(build, self._message(build, CANCELED))
        except TargetRefused as refused:
            code, hint = refused.code, str(refused)
            self._service.change(
                build_id, lambda now_is: replace(now_is, stop_pending=False, error=code, error_hint=hint)
            )
            return
        self._service.change(build_id, lambda now_is: replace(now_is, stop_pending=False))

    def _overtaken_by(self, build: Build) -> list[Build]:
        """The earlier builds of the same trigger and ref, where the trigger wants only the newest."""
        found = map(self._store.get, self._store.concurrent_with(build)) if build.cancel_previous else ()
        key = concurrency_key(build)
        return [one for one in found if one and concurrency_key(one) == key and one.number < build.number]

    def _mark_starting(self, build: Build) -> Build:
        if START not in pending_actions(build) or build.starting_at is not None:
            return build
        return replace(build, starting_at=self._clock())

    def _message(self, build: Build, kind: str) -> Mapping[str, object]:
        connection = self._gitlabs.connection(build.integration_id)
        return message_of(build, kind, gitlab_url=None if connection is None else connection.base_url)

    def _target(self, build: Build) -> BuildTarget:
        target = self._targets.get(str(build.target.get("type")))
        if target is None:
            raise TargetRefused("The hub has no target of this type.")
        return target

    def _clock(self) -> int:
        return int(self._now())


def with_poll_error(build: Build, code: str, hint: str) -> Build:
    """Say why a running build cannot be looked up; pure."""
    return replace(build, error=code, error_hint=hint) if POLL in pending_actions(build) else build


def with_started(build: Build, started: Started, *, now: int) -> Build:
    """Write down that the target has a build; one that was canceled meanwhile is to be stopped there; pure."""
    there = replace(
        build,
        external_id=build.external_id or started.external_id,
        external_url=build.external_url or started.url,
    )
    if build.status is BuildStatus.CANCELED:
        return replace(there, stop_pending=True)
    return with_status(there, BuildStatus.RUNNING, now=now) if build.status is BuildStatus.PENDING else there


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
