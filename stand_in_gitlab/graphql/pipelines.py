"""Pipelines of a project: GitLab's app/graphql/resolvers/concerns/resolves_pipelines.rb and types/ci/pipeline_type.rb.

They come in the finder's order, the newest first (app/finders/ci/pipelines_finder.rb); children only where their source
is asked for; and to whom they are not shown the list is empty, without an error.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import GraphQLError

from stand_in_gitlab.ci.model import Pipeline, State
from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.clock import parse
from stand_in_gitlab.company.model import Project
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.graphql.connections import page_of
from stand_in_gitlab.rest.ci_shapes import CiShapes
from stand_in_gitlab.rest.readable import shows_builds

if TYPE_CHECKING:
    from stand_in_gitlab.graphql.resolvers import Caller

CHILD = "parent_pipeline"
_RENAMED = {"beforeSha": "before_sha", "queuedDuration": "queued_duration", "yamlErrorMessages": "yaml_errors"}
_TIMES = {
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "startedAt": "started_at",
    "finishedAt": "finished_at",
    "committedAt": "committed_at",
}


class PipelineRow(NamedTuple):
    """A pipeline of a moment."""

    pipeline: Pipeline
    state: State


class PipelineFields:
    """Reads pipelines and the ids of their jobs for one caller after the other."""

    def __init__(self, company: Company, shapes: CiShapes, view: CiView) -> None:
        self._company, self._shapes, self._view = company, shapes, view

    def are_shown(self, project: Project, caller: "Caller") -> bool:
        """Whether the caller may read builds of the project (`jobsEnabled`)."""
        return shows_builds(project, caller.visibility)

    def of(self, project: Project, caller: "Caller", args: Mapping[str, Any], *, granted: bool) -> Any:
        """A page of the pipelines of a project."""
        if not (granted and self.are_shown(project, caller)):
            return page_of([], id, args)
        rows = [PipelineRow(*row) for row in self._view.pipelines(project.id, caller.now) if _fits(*row, args)]
        return page_of(sorted(rows, key=lambda row: -row.pipeline.id), lambda row: row.pipeline.id, args)

    def jobs(self, row: PipelineRow, caller: "Caller", args: Mapping[str, Any]) -> Any:
        """A page of a pipeline's jobs, trigger jobs and commit statuses, retried ones too (jobs_resolver.rb)."""
        found = [each for each in self._view.attempts(row.pipeline) if each.created <= caller.now]
        nodes = [{"number": each.id, "id": f"gid://gitlab/{_kind(each)}/{each.id}"} for each in found]
        return page_of(sorted(nodes, key=lambda one: -one["number"]), lambda one: one["number"], args)

    def field(self, row: PipelineRow, name: str) -> Any:
        """A plain field of a pipeline, taken from what REST tells of it."""
        told = self._shapes.pipeline(row.pipeline, row.state)
        if name in _TIMES:
            value = told[_TIMES[name]]
            return None if value is None else f"{value[:19]}Z"
        if name == "user":
            return self._company.users.get(row.pipeline.user_id)
        ref = f"refs/{'tags' if row.pipeline.tag else 'heads'}/{row.pipeline.ref}"
        own: dict[str, Any] = {"id": f"gid://gitlab/Ci::Pipeline/{told['id']}", "iid": str(told["iid"]), "refPath": ref}
        own |= {"status": told["status"].upper(), "coverage": told["coverage"] and float(told["coverage"])}
        return own[name] if name in own else told[_RENAMED.get(name, name)]


def _kind(attempt: Any) -> str:
    if attempt.external:
        return "GenericCommitStatus"
    return "Ci::Bridge" if attempt.downstream is not None else "Ci::Build"


def _fits(pipeline: Pipeline, state: State, args: Mapping[str, Any]) -> bool:
    source = args.get("source")
    if source is None and pipeline.parent_id is not None:
        return False
    if source is not None and pipeline.source != source:
        return False
    try:
        after, before = (parse(args[name]) if args.get(name) else None for name in ("updatedAfter", "updatedBefore"))
    except ValueError:
        raise GraphQLError("Time is invalid") from None
    if pipeline.undated and (after is not None or before is not None):
        return False
    return (after is None or state.updated >= after) and (before is None or state.updated <= before)
