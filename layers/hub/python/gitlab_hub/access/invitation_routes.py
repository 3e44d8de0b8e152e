"""The HTTP route that reads invitations back."""

from collections.abc import Iterable
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.access.filters import IdFilter, resource_of
from gitlab_hub.access.invitation_views import (
    InvitationAnswer,
    InvitationList,
    InvitationReadings,
)
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.readings import InvitationReading
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.sync.scope_list import ScopeList
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor, listing_name

IntegrationId = Annotated[str, Path()]
Text = Annotated[str | None, Query(min_length=1, max_length=200)]


class InvitationRoutes:
    """Invitations to groups and projects of an integration."""

    def __init__(self, reader: AccessReader, scopes: ScopeList, cursors: Cursors) -> None:
        self._reader, self._scopes, self._cursors = reader, scopes, cursors

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

        They are read where the integration's token may invite: Owners of a group and Maintainers of a project may. In a
        large GitLab a day may pass until all were: `reading` says how far that is, and an empty list says nothing while
        `read_at` is null. With `group_id` or `project_id`, `read_at` is about that group or project alone, and
        null where GitLab refused its list the last time.
        """
        resource = resource_of(group_id, project_id)
        listing = listing_name("invitations", integration_id, {"q": q, "group": group_id, "project": project_id})
        after = self._cursors.open(listing, cursor)
        found = self._reader.invitations(integration_id, resource, q=q, after=after, limit=limit)
        paths = self._reader.full_paths(integration_id, found.values)
        shown = [InvitationAnswer.of(one, paths.get((one.resource_type, one.resource_id))) for one in found.values]
        readings = {kind: self._reader.invitation_reading(integration_id, kind) for kind in ResourceType}
        return InvitationList(
            invitations=shown,
            next_cursor=self._cursors.following(listing, found.next),
            read_at=self._read_at(integration_id, resource, readings.values()),
            reading=InvitationReadings.of(readings),
        )

    def _read_at(
        self,
        integration_id: str,
        resource: tuple[ResourceType, int] | None,
        readings: Iterable[InvitationReading],
    ) -> int | None:
        """Since when what is listed is known; of a kind that a GitLab has none of nothing is ever read."""
        if resource is not None:
            return self._reader.invitations_read_at(integration_id, *resource, self._scopes)
        begun = [one for one in readings if one.never_read is not None]
        times = [one.read_at for one in begun if one.read_at is not None]
        return min(times) if times and len(times) == len(begun) else None
