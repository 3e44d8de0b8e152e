"""Showing a build in GitLab, as a commit status.

https://docs.gitlab.com/api/commits/#set-commit-pipeline-status
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gitlab_hub.builds.runs.actions import REPORT, pending_actions, report_fingerprint
from gitlab_hub.builds.runs.model import Build
from gitlab_hub.builds.runs.service import BuildService
from gitlab_hub.builds.runs.status_target import (
    StatusTarget,
    default_target,
    last_or_default_target,
    left_targets,
    resolve_status_target,
)
from gitlab_hub.builds.runs.store import BuildStore
from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    HostNotAllowed,
    InsufficientScope,
    InvalidUrl,
    MissingPermissions,
    NotGitLab,
    ReadOnly,
    ResourceNotFound,
    StatusUnchanged,
)
from gitlab_hub.gitlab.fields import first_id, mapping

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

MAX_DESCRIPTION = 255
MAX_NAME = 255
TRIES = 4
LONGEST_PAUSE = 2.0
JITTER = 15
SHORTEST_WAIT = 30
"""Seconds that a GitLab which did not take a report is left alone, whatever else happens to the build."""
MAX_LEFT = 20
"""Pipelines, the newest, that are told the end of a build which was shown in them."""
LOOKUP_SECONDS = 5.0
"""How long GitLab may take to say where a status belongs; then it is shown where it was."""
OFF, PAUSED, GONE = "report_statuses_off", "paused", "integration_gone"
_HTTP_CLIENT_ERRORS = range(400, 500)


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """What became of a report. `again`: it is to be tried later, after at least `wait` seconds."""

    error: str | None = None
    hint: str | None = None
    again: bool = False
    wait: int = 0
    pipeline_id: int | None = None
    sha: str | None = None
    """The commit of that pipeline."""
    shown: bool = False
    """Whether that pipeline shows the build's end, and one that the build has left has not taken it yet."""
    told: frozenset[int | None] = frozenset()
    """The pipelines that have taken the build's end, where one that it has left has not."""


class StatusReporter:
    """Posts the newest state of builds; what GitLab does not take now is left to the schedule."""

    def __init__(
        self,
        *,
        service: BuildService,
        store: BuildStore,
        gitlabs: GitLabs,
        now: Callable[[], float],
        draw: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._service, self._store, self._gitlabs = service, store, gitlabs
        self._now, self._draw, self._sleep = now, draw, sleep

    def report(self, build_id: str) -> None:
        """Have GitLab show a build as it is, where it does not yet."""
        build = self._store.get(build_id)
        if build is None or REPORT not in pending_actions(build) or self._now() < build.report_after:
            return
        outcome = self._post(build)
        now = int(self._now())
        self._service.change(build_id, lambda now_is: with_report_outcome(now_is, build, outcome, now=now), read=build)

    def _post(self, build: Build) -> ReportOutcome:
        connection = self._gitlabs.connection(build.integration_id)
        reason = skip_reason(connection)
        if connection is None or reason is not None:
            return ReportOutcome(reason)
        return asyncio.run(self._exchange(connection, build))

    async def _exchange(self, connection: GitLabConnection, build: Build) -> ReportOutcome:
        async with self._gitlabs.open(connection) as gitlab:
            try:
                async with asyncio.timeout(LOOKUP_SECONDS):
                    status_target = await resolve_status_target(gitlab, build)
            except TimeoutError:
                status_target = last_or_default_target(build)
            except GitLabError as error:
                return classify(error, draw=self._draw())
            # The pipeline that people look at first: the others may be many, and one of them in trouble.
            if shows_the_end(build, status_target):
                outcome = ReportOutcome(pipeline_id=status_target.pipeline_id, sha=status_target.sha)
            else:
                outcome = await self._posted(gitlab, build, status_target, instead=default_target(build))
            if not build.finished or outcome.again:
                return outcome
            told = {outcome.pipeline_id}
            if build.shown == report_fingerprint(build):
                told.add(build.status_pipeline_id)
            for one in sorted(left_targets(build, status_target), key=lambda one: one.pipeline_id or 0, reverse=True):
                # What was shown in a pipeline that another one came after must not seem to run for ever.
                if one.pipeline_id in told:
                    continue
                other = await self._posted(gitlab, build, one)
                if other.again:
                    return replace(outcome, error=other.error, again=True, wait=other.wait,
                                   shown=outcome.error is None, told=frozenset(told))  # fmt: skip
                told.add(one.pipeline_id)
            return outcome

    async def _posted(
        self, gitlab: "GitLab", build: Build, status_target: StatusTarget, *, instead: StatusTarget | None = None
    ) -> ReportOutcome:
        """Post a status; `instead`: where to, if GitLab has removed the pipeline that had it."""
        for tries in range(1, TRIES + 1):
            try:
                reply = await gitlab.send(
                    "POST",
                    f"/projects/{build.project_id}/statuses/{status_target.sha}",
                    status_of(build, status_target),
                )
            except StatusUnchanged:  # It is there already: an answer was lost, or a later state came first.
                return ReportOutcome(pipeline_id=status_target.pipeline_id, sha=status_target.sha)
            except GitLabError as error:
                if isinstance(error, ResourceNotFound) and instead and status_target.pipeline_id is not None:
                    status_target = instead
                    continue
                if error.http_status != HTTPStatus.CONFLICT or tries == TRIES:
                    return classify(error, draw=self._draw())
                # Others write to the same pipeline at this moment.
                await self._sleep(self._draw() * min(LONGEST_PAUSE, 0.25 * 2**tries))
            else:
                return ReportOutcome(pipeline_id=first_id(mapping(reply.body), "pipeline_id"), sha=status_target.sha)
        return ReportOutcome("conflict", again=True, wait=SHORTEST_WAIT)


def skip_reason(connection: GitLabConnection | None) -> str | None:
    """Say why nothing is shown in this GitLab; None = it is."""
    if connection is None:
        return GONE
    if connection.paused:
        return PAUSED
    return None if connection.report_statuses else OFF


def status_of(build: Build, status_target: StatusTarget) -> dict[str, Any]:
    """A build as GitLab takes it there."""
    description = build.description or ("Waits for approval" if build.awaits_approval else None)
    told = {
        "state": str(build.status),
        "name": (build.report_name or "")[:MAX_NAME],
        "ref": status_target.ref,
        "target_url": build.target_url or build.external_url,
        "description": None if description is None else description[:MAX_DESCRIPTION],
        "pipeline_id": status_target.pipeline_id,
    }
    return {name: value for name, value in told.items() if value is not None}


def classify(error: GitLabError, *, draw: float) -> ReportOutcome:
    """Decide on a refusal: never, or later (with up to a quarter of a minute of jitter)."""
    status = error.http_status
    definite = isinstance(error, ResourceNotFound | Forbidden | HostNotAllowed | InvalidUrl)
    if definite or (status in _HTTP_CLIENT_ERRORS and not _may_pass(error)):
        told = isinstance(error, InsufficientScope | MissingPermissions)
        return ReportOutcome(error.code, hint=str(error) if told else None)
    return ReportOutcome(error.code, again=True, wait=max(SHORTEST_WAIT, error.retry_after or 0) + int(JITTER * draw))


def with_report_outcome(build: Build, posted: Build, outcome: ReportOutcome, *, now: int) -> Build:
    """Write an outcome down; a build that has moved on meanwhile stays to be reported; pure."""
    if outcome.again and not outcome.shown:
        pending = {name: sha for name, sha in build.left_pipelines.items() if int(name) not in outcome.told}
        return replace(build, left_pipelines=pending, reported_error=outcome.error, report_after=now + outcome.wait)
    shown_in = StatusTarget(outcome.sha or build.sha, pipeline_id=outcome.pipeline_id)
    if outcome.pipeline_id is None:
        shown_in = last_or_default_target(build)
    left = sorted((each.pipeline_id or 0, each.sha) for each in left_targets(build, shown_in))
    left = [each for each in left if each[0] not in outcome.told]
    after = replace(
        build,
        status_pipeline_id=shown_in.pipeline_id,
        status_sha=shown_in.sha,
        left_pipelines={str(pipeline_id): sha for pipeline_id, sha in left[-MAX_LEFT:]},
        reported_status=build.reported_status if outcome.error and not outcome.shown else str(posted.status),
        reported_error=outcome.error,
        reported_hint=outcome.hint,
    )
    if outcome.shown:
        return replace(after, shown=report_fingerprint(posted), report_after=now + outcome.wait)
    return replace(after, reported=report_fingerprint(posted), shown=None)


def shows_the_end(build: Build, status_target: StatusTarget) -> bool:
    """Whether the pipeline shows a build's end already: told once more, GitLab would add a second status.

    It looks for one that is pending or running, and makes another where there is none
    (app/services/ci/create_commit_status_service.rb, `external_commit_status_scope`); pure.
    """
    is_there = status_target.pipeline_id in {None, build.status_pipeline_id}
    return build.finished and build.shown == report_fingerprint(build) and is_there


def _may_pass(error: GitLabError) -> bool:
    # A token that GitLab does not take any more is replaced sooner or later; a maintenance ends. What is not GitLab,
    # and answers 403 or 404 in its place, says nothing of the project.
    return isinstance(error, NotGitLab | ReadOnly) or error.http_status in {
        HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS,
    }  # fmt: skip
