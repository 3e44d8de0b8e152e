"""Handing a build to its target, once as far as the target can tell; looking after it there, and taking it back."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from gitlab_hub.builds.runs.actions import POLL, START, pending_actions
from gitlab_hub.builds.runs.model import Build, BuildStatus, failed, overtakes, superseded, with_status
from gitlab_hub.builds.runs.service import BuildService
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
from gitlab_hub.builds.triggers.model import BRANCH, TAG
from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.gitlab.fields import first_text, mapping
from gitlab_hub.gitlab.messages import segment

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

ANSWER_SECONDS = 5.0
_REFS = {BRANCH: "refs/heads/", TAG: "refs/tags/"}


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
            self._service.change(other.id, lambda one: superseded(one, by=build, now=self._clock()), read=other)
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
        return [one for one in found if one and overtakes(build, one)]

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


# Telling a late event from a new one, where a trigger wants only the newest build of a branch.
#
# GitLab delivers each event in a job of its own, and a lost delivery is sent again an hour later: a push may arrive
# behind the one that followed it. Its build must not cancel that of the newer commit. But a branch can also be set
# back, and then it is the newest: what the events say only raises the question, and GitLab answers it.


def may_follow(other: Build, build: Build) -> bool:
    """Whether another build's event may have come after that of this one: it moved the ref on from this commit."""
    return build.before is not None and other.before == build.sha and build.before != other.sha


class RefHeads:
    """Asks GitLab where branches and tags are."""

    def __init__(self, gitlabs: GitLabs) -> None:
        self._gitlabs = gitlabs

    def has_left(self, build: Build) -> bool:
        """Whether a build's ref is at another commit by now; False where GitLab does not say, or not in time."""
        connection = self._gitlabs.connection(build.integration_id)
        if build.kind not in _REFS or connection is None or connection.paused:
            return False

        async def asked() -> str | None:
            async with asyncio.timeout(ANSWER_SECONDS), self._gitlabs.open(connection) as gitlab:
                return await _head(gitlab, build)

        try:
            return asyncio.run(asked()) not in {None, build.sha}
        except (HubError, TimeoutError):
            return False


async def _head(gitlab: "GitLab", build: Build) -> str | None:
    ref = segment(f"{_REFS[build.kind]}{build.ref}")
    return first_text(mapping((await gitlab.get(f"/projects/{build.project_id}/repository/commits/{ref}")).body), "id")
