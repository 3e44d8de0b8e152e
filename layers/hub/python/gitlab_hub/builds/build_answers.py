"""What callers get to see of builds."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from gitlab_hub.builds.build import Build


class BuildError(BaseModel):
    """Why a build's target did not take it."""

    code: str
    hint: str | None


class ReportView(BaseModel):
    """What GitLab was shown last as the commit status, and why it shows no newer one, if so."""

    name: str
    status: str | None
    error: str | None
    hint: str | None = None
    """What the token lacks, where GitLab said so."""


class BuildView(BaseModel):
    """One build; times are unix seconds."""

    id: str
    number: int
    status: str
    integration_id: str
    trigger_id: str
    project_id: int
    project_path: str | None
    event: str
    ref: str
    sha: str
    actor: str | None
    delivery_id: str | None
    gitlab_pipeline_id: int | None
    merge_request_iid: int | None
    source_project_id: int | None
    needs_approval: bool
    rerun_of: str | None
    target: Mapping[str, Any]
    external_id: str | None
    target_url: str | None
    description: str | None
    error: BuildError | None
    report: ReportView | None
    created_at: int
    updated_at: int
    started_at: int | None
    finished_at: int | None

    @classmethod
    def of(cls, build: Build) -> "BuildView":
        """Show a build."""
        names = set(cls.model_fields) - {"status", "gitlab_pipeline_id", "target", "target_url", "error", "report"}
        return cls(
            **{name: getattr(build, name) for name in names},
            status=str(build.status),
            gitlab_pipeline_id=build.status_pipeline_id or build.pipeline_id,
            target=dict(build.target),
            target_url=build.target_url or build.external_url,
            error=None if build.error is None else BuildError(code=build.error, hint=build.error_hint),
            report=_report(build),
        )


class BuildEnvelope(BaseModel):
    """One build."""

    build: BuildView


class BuildList(BaseModel):
    """A page of builds."""

    builds: list[BuildView]
    next_cursor: str | None


class SigningSecret(BaseModel):
    """The secret that a trigger's requests are signed with from now on; it is shown this once."""

    signing_secret: str
    version: int
    previous_until: int


def _report(build: Build) -> ReportView | None:
    if build.report_name is None:
        return None
    return ReportView(
        name=build.report_name, status=build.reported_status, error=build.reported_error, hint=build.reported_hint
    )
