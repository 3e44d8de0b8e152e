"""Handing a build to its target, once as far as the target can tell; and taking it back."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from gitlab_hub.builds.book import BuildBook
from gitlab_hub.builds.build import Build, Status, failed, moved, superseded
from gitlab_hub.builds.build_store import BuildStore
from gitlab_hub.builds.chores import LOOK, START, chores
from gitlab_hub.builds.lanes import lane_of
from gitlab_hub.builds.targets.message import CANCELED, REQUESTED, message_of
from gitlab_hub.builds.targets.port import Started, Target, TargetRefused, TargetUnavailable
from gitlab_hub.gitlab.clients import GitLabs


class Starter:
    """Starts and stops builds at their targets. What a target refuses ends the build; other failures are raised."""

    def __init__(
        self,
        *,
        book: BuildBook,
        store: BuildStore,
        targets: Mapping[str, Target],
        gitlabs: GitLabs,
        now: Callable[[], float],
    ) -> None:
        self._book, self._store, self._targets, self._gitlabs, self._now = book, store, targets, gitlabs, now

    def start(self, build_id: str) -> None:
        """Start a build that still waits for it; raises TargetUnavailable to be called again."""
        build = self._store.get(build_id)
        if build is None or START not in chores(build):
            return
        self._make_way(build)
        marked = self._book.change(build_id, self._begun, read=build)
        if marked is None or START not in chores(marked):
            return  # Canceled or removed meanwhile.
        try:
            # The mark of this very try is left off: a target looks for traces of earlier ones.
            started = self._target(build).start(build, self._message(build, REQUESTED))
        except TargetRefused as refused:
            code, hint = refused.code, str(refused)
            self._book.change(build_id, lambda now_is: failed(now_is, now=self._clock(), code=code, hint=hint))
            return
        self._book.change(build_id, lambda now_is: handed_over(now_is, started, now=self._clock()), read=marked)

    def look(self, build_id: str) -> None:
        """Ask the target of a running build how far it is; that its end was told some other way is no matter."""
        build = self._store.get(build_id)
        if build is None or LOOK not in chores(build):
            return
        try:
            found = self._target(build).look(build)
        except (TargetRefused, TargetUnavailable):
            return  # Whoever asks again later may know.
        if found is not None:
            self._book.change(build_id, lambda now_is: moved(now_is, found, now=self._clock()))

    def stop(self, build_id: str) -> None:
        """Take a canceled build back from its target; raises TargetUnavailable to be called again."""
        build = self._store.get(build_id)
        if build is None or not build.stop_pending:
            return
        try:
            self._target(build).stop(build, self._message(build, CANCELED))
        except TargetRefused as refused:
            code, hint = refused.code, str(refused)
            self._book.change(build_id, lambda now_is: replace(now_is, stop_pending=False, error=code, error_hint=hint))
            return
        self._book.change(build_id, lambda now_is: replace(now_is, stop_pending=False))

    def _make_way(self, build: Build) -> None:
        """Cancel the earlier builds of the same trigger and ref, where the trigger wants only the newest."""
        lane = lane_of(build)

        def decide(other: Build) -> Build:
            is_older = lane_of(other) == lane and other.number < build.number
            return superseded(other, now=self._clock()) if is_older else other

        for other_id in self._store.beside(build) if build.cancel_previous else ():
            self._book.change(other_id, decide)

    def _begun(self, build: Build) -> Build:
        if START not in chores(build) or build.starting_at is not None:
            return build
        return replace(build, starting_at=self._clock())

    def _message(self, build: Build, kind: str) -> Mapping[str, object]:
        reach = self._gitlabs.reach(build.integration_id)
        return message_of(build, kind, gitlab_url=None if reach is None else reach.base_url)

    def _target(self, build: Build) -> Target:
        target = self._targets.get(str(build.target.get("type")))
        if target is None:
            raise TargetRefused("The hub has no target of this type.")
        return target

    def _clock(self) -> int:
        return int(self._now())


def handed_over(build: Build, started: Started, *, now: int) -> Build:
    """Write down that the target has a build; one that was canceled meanwhile is to be stopped there; pure."""
    there = replace(
        build,
        external_id=build.external_id or started.external_id,
        external_url=build.external_url or started.url,
    )
    if build.status is Status.CANCELED:
        return replace(there, stop_pending=True)
    return moved(there, Status.RUNNING, now=now) if build.status is Status.PENDING else there
