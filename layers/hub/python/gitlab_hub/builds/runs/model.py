"""What a build is, and which steps it can take; pure.

A build only moves on: pending, running, and then one of three ends. Reports arrive late, twice and out of order, so a
step that would lead back leads nowhere instead.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from gitlab_hub.builds.triggers.model import BRANCH, FORK, MANUAL, TAG, TAG_PUSH, BuildRequest, Trigger

SUPERSEDED = "A newer build of the same branch took its place."
SUPERSEDED_BY_PERSON = "A build that somebody asked for took its place."


class BuildStatus(StrEnum):
    """How far a build is; the words are GitLab's for commit statuses too."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def finished(self) -> bool:
        """Whether nothing comes after it."""
        return self in {BuildStatus.SUCCESS, BuildStatus.FAILED, BuildStatus.CANCELED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build. Times are unix seconds."""

    id: str
    integration_id: str
    trigger_id: str
    project_id: int
    event: str
    """push, tag_push, merge_request or manual."""
    ref: str
    sha: str
    target: Mapping[str, Any]
    """Where it goes, as its trigger said when the build was made."""
    created_at: int
    updated_at: int
    created_ms: int
    """Milliseconds; what lists are ordered by."""
    number: int = 0
    """Counts the builds of an integration; 0 until it is kept."""
    status: BuildStatus = BuildStatus.PENDING
    project_path: str | None = None
    actor: str | None = None
    delivery_id: str | None = None
    merge_request_iid: int | None = None
    source_project_id: int | None = None
    pipeline_id: int | None = None
    """GitLab's pipeline of the event, where the event named one."""
    rerun_of: str | None = None
    ref_kind: str | None = None
    """branch, tag or fork; None in rows of the release before."""
    before: str | None = None
    """Where the ref stood before, where the event said that it moved."""
    superseded: bool = False
    """It was canceled for a newer build of its ref, one that nobody asked for."""
    new_code: bool = True
    """Whether its event brought its commit; a new label or title of a merge request does not."""
    deletes_ref: bool = False
    """The branch of this commit was deleted: what is built takes down what was there for it."""
    needs_approval: bool = False
    cancel_previous: bool = False
    started_at: int | None = None
    finished_at: int | None = None
    starting_at: int | None = None
    """When its target was called first: from then on it may be there, whatever became of the answer."""
    external_id: str | None = None
    """What the target calls it: an ARN of CodeBuild or Step Functions."""
    external_url: str | None = None
    stop_pending: bool = False
    """It was canceled here, and its target has not been told yet."""
    error: str | None = None
    error_hint: str | None = None
    description: str | None = None
    target_url: str | None = None
    report_name: str | None = None
    """Under which name GitLab shows it; None = it does not."""
    reported: str | None = None
    """The announcement that was dealt with last: shown in GitLab, or given up on (then `reported_error` says why)."""
    reported_status: str | None = None
    reported_error: str | None = None
    reported_hint: str | None = None
    """What of the token is missing, where GitLab said so."""
    shown: str | None = None
    """The announcement of an end that the pipeline which counts shows, where those it has left are still to be told."""
    report_after: int = 0
    """GitLab did not take a report: not before then is it to be asked again."""
    status_pipeline_id: int | None = None
    """The pipeline in which GitLab put the commit status; it stays there, unless a merge request gets its own one."""
    status_sha: str | None = None
    """The commit of that pipeline: the build's, or what comes of merging it; None in rows of the release before."""
    left_pipelines: Mapping[str, str] = field(default_factory=dict)
    """The pipelines in which it was shown before that: ids as text, and their commits. They are told the end too."""
    sends: int = 0
    """How often the schedule had to push since the last change of status."""
    due_at: int | None = None
    """When to push next; None = nothing is left to do."""
    version: int = 1
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What a later release has added to its row; it stays there."""

    @property
    def kind(self) -> str:
        """What its ref is: branch, tag or fork."""
        if self.ref_kind is not None:
            return self.ref_kind
        if self.event == TAG_PUSH:
            return TAG
        return BRANCH if self.source_project_id in {None, self.project_id} else FORK

    @property
    def is_asked_for(self) -> bool:
        """Whether a person asked for it: for a build of some commit, or for another one like an earlier build."""
        return self.event == MANUAL or self.rerun_of is not None

    @property
    def finished(self) -> bool:
        """Whether it will not change any more."""
        return self.status.finished

    @property
    def awaits_approval(self) -> bool:
        """Whether somebody has to let it start."""
        return self.needs_approval and self.status is BuildStatus.PENDING


def new_build(trigger: Trigger, request: BuildRequest, *, build_id: str, now: float) -> Build:
    """Make a build of what was asked for; it has no number yet."""
    return Build(
        id=build_id,
        integration_id=request.integration_id,
        trigger_id=request.trigger_id,
        project_id=request.project_id,
        project_path=request.project_path,
        event=request.event,
        ref=request.ref,
        sha=request.sha,
        actor=request.actor,
        delivery_id=request.delivery_id,
        merge_request_iid=request.merge_request_iid,
        source_project_id=request.source_project_id,
        pipeline_id=request.pipeline_id,
        needs_approval=request.needs_approval,
        cancel_previous=request.cancel_previous,
        new_code=request.new_code,
        deletes_ref=request.deletes_ref,
        ref_kind=request.ref_kind,
        before=request.before,
        target=trigger.target,
        report_name=_report_name(trigger, request),
        created_at=int(now),
        updated_at=int(now),
        created_ms=int(now * 1000),
    )


def with_status(
    build: Build, to: BuildStatus, *, now: int, description: str | None = None, target_url: str | None = None
) -> Build:
    """Take a step, or stay where that would lead back; a finished build stays wholly as it is."""
    if build.finished:
        return build
    told = replace(
        build,
        description=build.description if description is None else description,
        target_url=build.target_url if target_url is None else target_url,
    )
    if to is not BuildStatus.PENDING and to is not build.status:
        # What was said of a build that could not be looked up is over.
        told = replace(told, status=to, error=None, error_hint=None, **_times(build, to, now))
    return build if told == build else replace(told, updated_at=now)


def approved(build: Build, *, now: int) -> Build:
    """Let a build start that waited for it."""
    return replace(build, needs_approval=False, updated_at=now) if build.awaits_approval else build


def canceled(build: Build, *, now: int, why: str | None = None) -> Build:
    """End a build here; its target is told where it may have it."""
    if build.finished:
        return build
    ended = with_status(build, BuildStatus.CANCELED, now=now, description=why)
    return replace(ended, stop_pending=build.starting_at is not None or build.status is BuildStatus.RUNNING)


def superseded(build: Build, *, by: Build | None = None, now: int) -> Build:
    """End a build whose place a newer one of its ref takes; `by` None: its commit was left before it began.

    Where a person asked for the newer one, this one counts as cancelled by a person.
    """
    if build.finished:
        return build
    if by is not None and by.is_asked_for:
        return canceled(build, now=now, why=SUPERSEDED_BY_PERSON)
    return replace(canceled(build, now=now, why=SUPERSEDED), superseded=True)


def failed(build: Build, *, now: int, code: str, hint: str) -> Build:
    """End a build whose target does not take it."""
    if build.finished:
        return build
    return replace(with_status(build, BuildStatus.FAILED, now=now, description=hint), error=code, error_hint=hint)


def _report_name(trigger: Trigger, request: BuildRequest) -> str | None:
    # A status would have GitLab make a pipeline for a branch that is gone.
    return trigger.report_status.name if trigger.report_status.enabled and not request.deletes_ref else None


def _times(build: Build, to: BuildStatus, now: int) -> dict[str, Any]:
    if to.finished:
        return {"finished_at": now}
    return {"started_at": build.started_at or now}


# Which builds overtake each other: those of one trigger, project and ref; pure.
#
# A ref has a kind: tag `v1` is not branch `v1`, and a fork's branch is not the project's own of the same name.


def overtakes(build: Build, other: Build) -> bool:
    """Whether a build takes the place of another one that has not ended.

    What a person has asked for gives way to new code, and not to a new label of code that was there before.
    """
    is_newer = concurrency_key(other) == concurrency_key(build) and other.number < build.number
    return is_newer and (build.new_code or not other.is_asked_for)


def concurrency_key(build: Build) -> str:
    """The sort key that all unfinished builds with one concurrency key begin with."""
    named = f"{build.source_project_id or build.project_id}\n{build.ref}"
    if build.kind == TAG:
        named = f"tag\n{build.project_id}\n{build.ref}"
    elif build.kind == FORK and build.source_project_id is None:
        named = f"fork\n{build.merge_request_iid}\n{build.ref}"
    return _key(build, named)


def concurrency_keys(build: Build) -> tuple[str, ...]:
    """Where a build may lie: the release before knew no kinds, and took a tag for the branch of its name."""
    return tuple(
        dict.fromkeys(
            (concurrency_key(build), _key(build, f"{build.source_project_id or build.project_id}\n{build.ref}"))
        )
    )


def _key(build: Build, named: str) -> str:
    digest = hashlib.sha256(named.encode()).hexdigest()[:32]
    return f"RUNNING#{build.project_id}#{build.trigger_id}#{digest}#"
