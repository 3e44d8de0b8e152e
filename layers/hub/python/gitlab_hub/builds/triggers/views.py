"""What callers see of triggers: allow-lists."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from gitlab_hub.builds.triggers.checks import TriggerWarning
from gitlab_hub.builds.triggers.evaluation import Decision
from gitlab_hub.builds.triggers.model import BuildRequest, Trigger
from gitlab_hub.builds.triggers.requests import fields_of


class GlobsView(BaseModel):
    """Patterns of names."""

    include: list[str]
    exclude: list[str]


class MergeRequestsView(BaseModel):
    """Which merge requests build."""

    drafts: bool
    labels: list[str]
    target_branches: list[str]
    forks: str


class ConcurrencyView(BaseModel):
    """What becomes of builds that still run."""

    cancel_previous: bool


class ReportStatusView(BaseModel):
    """Whether builds are shown in GitLab, and under what name."""

    enabled: bool
    name: str


class TriggerView(BaseModel):
    """One trigger."""

    id: str
    integration_id: str
    project_id: int | None
    group: str | None
    group_id: int | None
    events: list[str]
    branches: GlobsView
    tags: GlobsView
    paths: GlobsView
    merge_requests: MergeRequestsView
    on_branch_create: bool
    on_branch_delete: bool
    skip_ci: bool
    concurrency: ConcurrencyView
    target: dict[str, Any]
    report_status: ReportStatusView
    enabled: bool
    created_by: str
    created_at: int
    updated_at: int
    version: int

    @classmethod
    def of(cls, trigger: Trigger) -> "TriggerView":
        """Show a trigger."""
        decided = fields_of(trigger)
        return cls.model_validate(
            {name: getattr(trigger, name) for name in cls.model_fields.keys() - decided} | decided
        )


class WarningView(BaseModel):
    """Something to mend: `code` stays the same over releases, `message` says what to do."""

    code: str
    message: str

    @classmethod
    def of(cls, cautions: Iterable[TriggerWarning]) -> "list[WarningView]":
        """Show what was found."""
        return [cls(code=one.code, message=one.message) for one in cautions]


class TriggerEnvelope(BaseModel):
    """One trigger; with `warnings` where it does not do what it is for. All is looked at when it is made or changed."""

    trigger: TriggerView
    warnings: list[WarningView] = []


class TriggerList(BaseModel):
    """A page of triggers."""

    triggers: list[TriggerView]
    next_cursor: str | None


class RemovedTrigger(BaseModel):
    """The trigger is gone; its builds stay."""

    ok: bool = True


class ReasonView(BaseModel):
    """One check: `code` stays the same over releases, `text` is for people."""

    code: str
    ok: bool
    text: str


class WantedBuildView(BaseModel):
    """The build that an event would make."""

    trigger_id: str
    project_id: int
    project_path: str | None
    event: str
    ref: str
    sha: str
    actor: str | None
    merge_request_iid: int | None
    source_project_id: int | None
    needs_approval: bool
    cancel_previous: bool
    deletes_ref: bool
    target: dict[str, Any]

    @classmethod
    def of(cls, request: BuildRequest, trigger: Trigger) -> "WantedBuildView":
        """Show what would be built, and where."""
        names = set(cls.model_fields) - {"target"}
        return cls(**{name: getattr(request, name) for name in names}, target=dict(trigger.target))


class DryRunAnswer(BaseModel):
    """What a trigger would make of an event. Nothing was kept or sent."""

    would_build: bool
    event: str
    """As the hub read it."""
    reasons: list[ReasonView]
    build: WantedBuildView | None
    warnings: list[WarningView] = []
    """Why the build would fail at its target."""

    @classmethod
    def of(
        cls, decision: Decision, trigger: Trigger, *, event: str, warnings: Iterable[TriggerWarning]
    ) -> "DryRunAnswer":
        """Show a decision."""
        return cls(
            would_build=decision.would_build,
            event=event,
            reasons=[ReasonView(code=one.code, ok=one.ok, text=one.text) for one in decision.reasons],
            build=None if decision.request is None else WantedBuildView.of(decision.request, trigger),
            warnings=WarningView.of(warnings),
        )
