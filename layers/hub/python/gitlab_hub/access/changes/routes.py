"""`/v1/integrations/{integration_id}/changes`: what changed in who has what."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.access.changes.model import ChangeKind
from gitlab_hub.access.changes.reader import ChangeFilter, ChangeReader
from gitlab_hub.access.changes.views import ChangeAnswer, ChangeList
from gitlab_hub.access.filters import resource_of
from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Role
from gitlab_hub.web.errors import unfit
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor, listing_name

IntegrationId = Annotated[str, Path()]
Since = Annotated[
    int | None, Query(ge=0, le=9_999_999_999, description="Only what was noticed then or later, in unix seconds.")
]
Until = Annotated[int | None, Query(ge=0, le=9_999_999_999)]
OfAccount = Annotated[int | None, Query(ge=0, le=MAX_ID, description="Only changes of this user and its grants.")]
OfGroup = Annotated[
    int | None, Query(ge=0, le=MAX_ID, description="Only changes of this group itself, its shares and its grants.")
]
OfProject = Annotated[
    int | None, Query(ge=0, le=MAX_ID, description="Only changes of this project, its shares and its grants.")
]
OfKind = Annotated[ChangeKind | None, Query(description="Only changes of this kind.")]


class ChangeRoutes:
    """Shows the feed, oldest changes first."""

    def __init__(self, reader: ChangeReader, cursors: Cursors) -> None:
        self._reader, self._cursors = reader, cursors

    def routes(self) -> list[Route]:
        """All routes of this part."""
        path = "/v1/integrations/<integration_id>/changes"
        return [
            Route(
                method="GET",
                path=path,
                handler=self.list_changes,
                role=Role.VIEWER,
                summary="List what changed in who has what",
            )
        ]

    def list_changes(
        self,
        integration_id: IntegrationId,
        since: Since = None,
        until: Until = None,
        account_id: OfAccount = None,
        group_id: OfGroup = None,
        project_id: OfProject = None,
        kind: OfKind = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> ChangeList:
        """List what changed since the first sync, oldest first; each change is told once. Kept for 400 days."""
        if since is not None and until is not None and since > until:
            raise unfit("query.until", "since lies behind until; give a since that is not later than until.")
        wanted = ChangeFilter(
            since=since, until=until, account_id=account_id, resource=resource_of(group_id, project_id), kind=kind
        )
        filters = {"since": since, "until": until, "account": account_id, "group": group_id, "project": project_id}
        listing = listing_name("changes", integration_id, {**filters, "kind": kind})
        after = self._cursors.open(listing, cursor)
        page = self._reader.page(integration_id, wanted, after=after, limit=limit)
        following = self._cursors.seal(listing, page.position)
        return ChangeList(
            changes=[ChangeAnswer.of(entry) for entry in page.entries],
            next_cursor=following if page.has_more else None,
            follow_cursor=following,
        )
