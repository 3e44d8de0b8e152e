"""The HTTP routes over stored deployments and environments."""

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.pipelines.deployments.model import DeploymentStatus, Tier
from gitlab_hub.pipelines.deployments.reader import DeploymentFilter, DeploymentReader
from gitlab_hub.pipelines.deployments.views import DeploymentList, DeploymentView, EnvironmentList, EnvironmentView
from gitlab_hub.pipelines.selection import ProjectSelection
from gitlab_hub.web.auth import Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor
from gitlab_hub.web.route import Route

IntegrationId = Annotated[str, Path()]
QueryId = Annotated[int | None, Query(ge=1, le=MAX_ID)]
Seconds = Annotated[int | None, Query(ge=0, le=9_999_999_999)]
Name = Annotated[
    str | None, Query(min_length=1, max_length=255, description="Its name, whole.", examples=["production"])
]
TierFilter = Annotated[Tier | None, Query(description="The tier that the environment has today.")]
StatusFilter = Annotated[DeploymentStatus | None, Query()]
StateFilter = Annotated[Literal["available", "stopping", "stopped"] | None, Query(description="Only such ones.")]

DEPLOYMENTS = "/v1/integrations/<integration_id>/deployments"
ENVIRONMENTS = "/v1/integrations/<integration_id>/environments"


class DeploymentRoutes:
    """Lists deployments and environments."""

    def __init__(self, reader: DeploymentReader, selection: ProjectSelection, cursors: Cursors) -> None:
        self._reader, self._selection, self._cursors = reader, selection, cursors

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        viewer = Role.VIEWER
        return (
            Route(method="GET", path=DEPLOYMENTS, handler=self.list_deployments, role=viewer,
                  summary="List deployments"),
            Route(method="GET", path=ENVIRONMENTS, handler=self.list_environments, role=viewer,
                  summary="List environments"),
        )  # fmt: skip

    def list_deployments(
        self,
        integration_id: IntegrationId,
        project_id: QueryId = None,
        group_id: QueryId = None,
        environment: Name = None,
        tier: TierFilter = None,
        status: StatusFilter = None,
        created_after: Seconds = None,
        created_before: Seconds = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> DeploymentList:
        """List deployments, the newest first: those of a project by id, those of all by their last change."""
        filters = DeploymentFilter(
            project_id=project_id, group_id=group_id, environment=environment, tier=tier, status=status,
            created_after=created_after, created_before=created_before,
        )  # fmt: skip
        listing = json.dumps(["deployments", integration_id, *filters.named()])
        after, within = self._cursors.open(listing, cursor), self._selection.within(integration_id, group_id)
        found = self._reader.deployments(integration_id, filters, limit=limit, after=after, within=within)
        following = self._cursors.following(listing, found.last)
        return DeploymentList(deployments=[DeploymentView(**row) for row in found.rows], next_cursor=following)

    def list_environments(
        self,
        integration_id: IntegrationId,
        project_id: QueryId = None,
        group_id: QueryId = None,
        tier: TierFilter = None,
        state: StateFilter = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> EnvironmentList:
        """List the environments that something was deployed to, by project."""
        listing = json.dumps(["environments", integration_id, project_id, group_id, tier, state])
        after, within = self._cursors.open(listing, cursor), self._selection.within(integration_id, group_id)
        found = self._reader.environments(
            integration_id, project_id=project_id, tier=tier, state=state, limit=limit, after=after, within=within
        )
        following = self._cursors.following(listing, found.last)
        return EnvironmentList(environments=[EnvironmentView(**row) for row in found.rows], next_cursor=following)
