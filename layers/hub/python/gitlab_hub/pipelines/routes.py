"""The HTTP routes over stored pipelines and jobs."""

import json
from collections.abc import Sequence
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.pipelines.attempts import FailureClass
from gitlab_hub.pipelines.job_search import JobFilter, JobSearch
from gitlab_hub.pipelines.model import SourceName, StatusName
from gitlab_hub.pipelines.reader import PipelineFilter, PipelineReader, TreeBuilder
from gitlab_hub.pipelines.selection import ProjectSelection
from gitlab_hub.pipelines.views import (
    FoundJob,
    FoundJobList,
    JobList,
    JobView,
    PipelineAnswer,
    PipelineList,
    PipelineView,
    TreeAnswer,
    TreePipeline,
)
from gitlab_hub.web.auth import Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor
from gitlab_hub.web.route import Route

IntegrationId = Annotated[str, Path()]
PathId = Annotated[int, Path(ge=1, le=MAX_ID)]
QueryId = Annotated[int | None, Query(ge=1, le=MAX_ID)]
Text = Annotated[str | None, Query(min_length=1, max_length=1024)]
Seconds = Annotated[int | None, Query(ge=0, le=9_999_999_999)]
Retried = Annotated[bool, Query(description="Also show attempts that were retried.")]

StatusFilter = Annotated[StatusName | None, Query()]
SourceFilter = Annotated[SourceName | None, Query()]

FailureFilter = Annotated[FailureClass | None, Query()]
Runner = Annotated[
    str | None, Query(min_length=1, max_length=1024, description="Its id, or its description.", examples=["12"])
]

JOBS = "/v1/integrations/<integration_id>/jobs"
LIST = "/v1/integrations/<integration_id>/pipelines"
OF_PROJECT = "/v1/integrations/<integration_id>/projects/<project_id>/pipelines"
ONE = f"{OF_PROJECT}/<pipeline_id>"


class PipelineRoutes:
    """Reads pipelines, jobs and trees of pipelines."""

    def __init__(self, reader: PipelineReader, jobs: JobSearch, selection: ProjectSelection, cursors: Cursors) -> None:
        self._reader, self._jobs, self._selection, self._cursors = reader, jobs, selection, cursors

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        viewer = Role.VIEWER
        return (
            Route(method="GET", path=LIST, handler=self.list_pipelines, role=viewer, summary="List pipelines"),
            Route(method="GET", path=OF_PROJECT, handler=self.list_project_pipelines, role=viewer,
                  operation="list_project_pipelines", summary="List the pipelines of a project"),
            Route(method="GET", path=ONE, handler=self.get_pipeline, role=viewer, summary="Show a pipeline"),
            Route(method="GET", path=f"{ONE}/jobs", handler=self.list_jobs, role=viewer, summary="List its jobs"),
            Route(method="GET", path=JOBS, handler=self.list_found_jobs, role=viewer, operation="list_all_jobs",
                  summary="List jobs of all pipelines"),
            Route(method="GET", path=f"{ONE}/tree", handler=self.get_tree, role=viewer, summary="Show what it started"),
        )  # fmt: skip

    def list_pipelines(
        self,
        integration_id: IntegrationId,
        project_id: QueryId = None,
        group_id: QueryId = None,
        ref: Text = None,
        status: StatusFilter = None,
        source: SourceFilter = None,
        created_after: Seconds = None,
        created_before: Seconds = None,
        updated_after: Seconds = None,
        updated_before: Seconds = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> PipelineList:
        """List pipelines; with `updated_after`, in the order in which the hub saw them change."""
        filters = PipelineFilter(
            project_id=project_id, group_id=group_id, ref=ref, status=status, source=source,
            created_after=created_after, created_before=created_before,
            updated_after=updated_after, updated_before=updated_before,
        )  # fmt: skip
        listing = _listing("pipelines", integration_id, *filters.named())
        after = self._cursors.open(listing, cursor)
        within = self._selection.within(integration_id, group_id)
        found = self._reader.pipelines(integration_id, filters, limit=limit, after=after, within=within)
        following = self._cursors.following(listing, found.last)
        return PipelineList(pipelines=[PipelineView(**row) for row in found.rows], next_cursor=following)

    def list_project_pipelines(
        self,
        integration_id: IntegrationId,
        project_id: PathId,
        ref: Text = None,
        status: StatusFilter = None,
        source: SourceFilter = None,
        created_after: Seconds = None,
        created_before: Seconds = None,
        updated_after: Seconds = None,
        updated_before: Seconds = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> PipelineList:
        """List the pipelines of a project, with the filters of the list over all projects."""
        return self.list_pipelines(
            integration_id, project_id, None, ref, status, source,
            created_after, created_before, updated_after, updated_before, limit, cursor,
        )  # fmt: skip

    def get_pipeline(self, integration_id: IntegrationId, project_id: PathId, pipeline_id: PathId) -> PipelineAnswer:
        """Show one pipeline."""
        return PipelineAnswer(pipeline=PipelineView(**self._reader.pipeline(integration_id, project_id, pipeline_id)))

    def list_jobs(
        self,
        integration_id: IntegrationId,
        project_id: PathId,
        pipeline_id: PathId,
        *,
        include_retried: Retried = False,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> JobList:
        """List a pipeline's jobs, newest first."""
        listing = _listing("jobs", integration_id, project_id, pipeline_id, include_retried)
        place = self._cursors.open(listing, cursor)
        jobs, last = self._reader.jobs(
            integration_id,
            project_id,
            pipeline_id,
            retried=include_retried,
            limit=limit,
            after=None if place is None else (place[0], place[1]),
        )
        following = self._cursors.following(listing, last)
        return JobList(jobs=[JobView(**job) for job in jobs], next_cursor=following)

    def list_found_jobs(
        self,
        integration_id: IntegrationId,
        project_id: QueryId = None,
        group_id: QueryId = None,
        name: Text = None,
        status: StatusFilter = None,
        failure_class: FailureFilter = None,
        runner: Runner = None,
        created_after: Seconds = None,
        created_before: Seconds = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> FoundJobList:
        """List jobs across pipelines, every attempt.

        Those of a project by pipeline, the newest first; those of all projects by the last change of their pipeline.
        """
        filters = JobFilter(
            project_id=project_id, group_id=group_id, name=name, status=status, failure_class=failure_class,
            runner=runner, created_after=created_after, created_before=created_before,
        )  # fmt: skip
        listing = _listing("all jobs", integration_id, *filters.named())
        after, within = self._cursors.open(listing, cursor), self._selection.within(integration_id, group_id)
        jobs, last = self._jobs.page(integration_id, filters, within=within, limit=limit, after=after)
        following = self._cursors.following(listing, last)
        return FoundJobList(jobs=[FoundJob(**job) for job in jobs], next_cursor=following)

    def get_tree(self, integration_id: IntegrationId, project_id: PathId, pipeline_id: PathId) -> TreeAnswer:
        """Show a pipeline with its trigger jobs and the pipelines that they started."""
        tree = TreeBuilder(self._reader, integration_id).build(project_id, pipeline_id)
        return TreeAnswer(pipeline=TreePipeline.model_validate(tree))


def _listing(name: str, *parts: str | int | bool | None) -> str:
    """Name a list with everything that selects its rows: a cursor of another one is refused."""
    return json.dumps([name, *parts])
