"""Jobs and bridges: by pipeline, by project, and one of them."""

from dataclasses import dataclass

from stand_in_gitlab.ci.model import Attempt, Pipeline, State
from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.ci_shapes import CiShapes
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.paging import keyset_by_cursor, numbered
from stand_in_gitlab.rest.readable import builds_project
from stand_in_gitlab.rest.refusals import not_allowed, not_found
from stand_in_gitlab.rest.shapes import Json


@dataclass(frozen=True, slots=True)
class _JobRow:
    attempt: Attempt
    pipeline: Pipeline

    @property
    def id(self) -> int:
        return self.attempt.id


class JobsApi:
    """Lists jobs; retried attempts are there only when asked for, or in the project's own list."""

    def __init__(self, company: Company, shapes: CiShapes, view: CiView) -> None:
        self._company, self._shapes, self._view = company, shapes, view
        self._find = Finder(company)

    def of_pipeline(self, ask: Ask) -> Answer:
        """GET /projects/:id/pipelines/:pipeline_id/jobs."""
        pipeline, state = self._pipeline(ask)
        rows = self._view.jobs(pipeline, ask.now, retried=ask.flag("include_retried"))
        rows = [row for row in rows if _in_scope(ask, row)]
        return numbered(ask, rows, lambda row: self._shapes.job(row, pipeline, state, ask.now))

    def bridges(self, ask: Ask) -> Answer:
        """GET /projects/:id/pipelines/:pipeline_id/bridges."""
        pipeline, state = self._pipeline(ask)
        rows = [row for row in self._view.bridges(pipeline, ask.now) if _in_scope(ask, row)]
        return numbered(
            ask, rows, lambda row: self._shapes.bridge(row, pipeline, state, ask.now, self._downstream(pipeline, ask))
        )

    def _pipeline(self, ask: Ask) -> tuple[Pipeline, State]:
        project = builds_project(self._find, ask)
        return self._view.pipeline(project.id, ask.integer(ask.names[1], "pipeline_id"), ask.now)

    def _downstream(self, pipeline: Pipeline, ask: Ask) -> Json | None:
        child = pipeline.child
        alive = child and child.created <= ask.now and child.id in self._company.pipelines[child.project_id]
        return self._shapes.pipeline_row(child, self._view.state(child, ask.now)) if child and alive else None

    def of_project(self, ask: Ask) -> Answer:
        """GET /projects/:id/jobs: every attempt, no bridges."""
        project = builds_project(self._find, ask)
        rows = [_JobRow(*pair) for pair in self._view.project_jobs(project.id, ask.now) if _in_scope(ask, pair[0])]
        if ask.params.get("pagination") != "keyset":
            return numbered(ask, rows[::-1], lambda row: self._job(row, ask), keyset_type="Ci::Build")
        if (ask.params.get("order_by", "id"), ask.params.get("sort", "desc")) != ("id", "desc"):
            message = "Keyset pagination is not yet available for this type of request"
            raise not_allowed(message)
        return keyset_by_cursor(ask, rows, lambda row: self._job(row, ask), descending=True)

    def one(self, ask: Ask) -> Answer:
        """GET /projects/:id/jobs/:job_id."""
        project, wanted = builds_project(self._find, ask), ask.integer(ask.names[1], "job_id")
        for attempt, pipeline in self._view.project_jobs(project.id, ask.now):
            if attempt.id == wanted:
                return reply(self._job(_JobRow(attempt, pipeline), ask))
        raise not_found()

    def _job(self, row: _JobRow, ask: Ask) -> Json:
        return self._shapes.job(row.attempt, row.pipeline, self._view.state(row.pipeline, ask.now), ask.now)


def _in_scope(ask: Ask, attempt: Attempt) -> bool:
    wanted = ask.params.get("scope") or ask.params.get("scope[]")
    return not wanted or attempt.status(ask.now) in wanted.split(",")
