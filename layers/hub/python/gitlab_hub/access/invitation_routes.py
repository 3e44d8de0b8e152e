"""The HTTP route that reads invitations back."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.access.filters import IdFilter, resource_of
from gitlab_hub.access.invitation_views import InvitationAnswer, InvitationList
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor, listing_name

IntegrationId = Annotated[str, Path()]
Text = Annotated[str | None, Query(min_length=1, max_length=200)]


class InvitationRoutes:
    """Invitations to groups and projects of an integration."""

    def __init__(self, reader: AccessReader, cursors: Cursors) -> None:
        self._reader, self._cursors = reader, cursors

    def routes(self) -> list[Route]:
        """Give the route; everybody with access to the integration may read."""
        path = "/v1/integrations/<integration_id>/invitations"
        return [Route(method="GET", path=path, handler=self.list, role=Role.VIEWER, summary="List invitations")]

    def list(
        self,
        integration_id: IntegrationId,
        q: Text = None,
        group_id: IdFilter = None,
        project_id: IdFilter = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> InvitationList:
        """List who was asked by email to join a group or project and has not answered.

        They are read once a day (`read_at`), and where the integration's token may invite: Owners of a group and
        Maintainers of a project may.
        """
        resource = resource_of(group_id, project_id)
        listing = listing_name("invitations", integration_id, {"q": q, "group": group_id, "project": project_id})
        after = self._cursors.open(listing, cursor)
        found = self._reader.invitations(integration_id, resource, q=q, after=after, limit=limit)
        paths = self._reader.full_paths(integration_id, found.values)
        shown = [InvitationAnswer.of(one, paths.get((one.resource_type, one.resource_id))) for one in found.values]
        return InvitationList(
            invitations=shown,
            next_cursor=self._cursors.following(listing, found.next),
            read_at=self._reader.invitations_read_at(integration_id),
        )
