"""`/v1/incidents`: what needs a person."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel

from gitlab_hub.errors import NotFound
from gitlab_hub.incidents import Incident, IncidentStore, position_before
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor

_LISTING = "incidents"

OfIntegration = Annotated[
    str | None, Query(min_length=1, max_length=100, description="Only those of this integration.")
]


class IncidentView(BaseModel):
    """One incident."""

    kind: str
    integration_id: str
    subject: str
    at: int | None
    hint: str
    details: dict[str, Any]


class IncidentList(BaseModel):
    """A page of incidents."""

    incidents: list[IncidentView]
    next_cursor: str | None


class IncidentRoutes:
    """Lists open incidents in order of their integrations; reads what it shows, and nothing of healthy integrations."""

    def __init__(self, incidents: IncidentStore, cursors: Cursors) -> None:
        self._incidents, self._cursors = incidents, cursors

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        path = "/v1/incidents"
        return (Route(method="GET", path=path, handler=self.list_all, role=Role.VIEWER, summary="What needs a person"),)

    def list_all(
        self,
        caller: Caller,
        integration_id: OfIntegration = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> IncidentList:
        """List what needs a person, of one integration or of every one that the caller may see."""
        if integration_id is not None and not caller.can_see(integration_id):
            raise NotFound("There is no such integration.")
        ids = caller.integration_ids if integration_id is None else frozenset({integration_id})
        listing = _LISTING if integration_id is None else json.dumps([_LISTING, integration_id])
        position = self._cursors.open(listing, cursor)
        found = list(islice(self._visible(ids, position, limit + 1), limit + 1))
        following = found[limit - 1][0] if len(found) > limit else None
        return IncidentList(
            incidents=[_shown(incident) for _, incident in found[:limit]],
            next_cursor=self._cursors.following(listing, following),
        )

    def _visible(self, ids: frozenset[str] | None, position: str | None, page: int) -> Iterator[tuple[str, Incident]]:
        if ids is None:
            yield from self._incidents.after(position, page=page)
            return
        for integration_id in sorted(ids):
            first = position_before(integration_id)
            if position is None or position < f"{first}#~":
                after = position if position is not None and position > first else None
                yield from self._incidents.after(after, integration_id, page=page)


def _shown(incident: Incident) -> IncidentView:
    return IncidentView(
        kind=incident.kind,
        integration_id=incident.integration_id,
        subject=incident.subject,
        at=incident.at,
        hint=incident.hint,
        details=incident.details,
    )
