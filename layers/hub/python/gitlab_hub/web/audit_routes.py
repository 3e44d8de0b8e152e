"""`/v1/audit-log`: who did what."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, Field

from gitlab_hub.audit.log import AuditReader
from gitlab_hub.audit.model import AuditAction, AuditFilter
from gitlab_hub.errors import NotFound
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor

Since = Annotated[
    int | None, Query(ge=0, le=9_999_999_999, description="Only what was done since then, in unix seconds.")
]
Actor = Annotated[str | None, Query(min_length=1, max_length=100, description="Id of the hub token that did it.")]
ActionFilter = Annotated[AuditAction | None, Query(description="What was done.")]
OfIntegration = Annotated[str | None, Query(min_length=1, max_length=100, description="To which integration.")]


class EntryView(BaseModel):
    """One line of the log."""

    id: Annotated[str, Field(examples=["aud_1790000000123_0a1b2c3d"])]
    at: Annotated[int, Field(description="When, in unix seconds.", examples=[1790000000])]
    actor: Annotated[str, Field(description="Id of the hub token that did it.", examples=["0a1b2c3d4e5f6071"])]
    action: Annotated[str, Field(description="What was done; the filter `action` lists all.", examples=["hook.create"])]
    target: Annotated[str | None, Field(description="Id of what it was done to.", examples=["hook_0a1b_77"])]
    integration_id: Annotated[str | None, Field(description="Null: it concerns the whole hub.", examples=["int_0a1b"])]
    before: Annotated[dict[str, Any] | None, Field(description="What it was, where that is known.")]
    after: Annotated[dict[str, Any] | None, Field(description="What it became, where that is known.")]
    request_id: Annotated[str | None, Field(description="The request that did it; null in lines of older releases.")]


class EntryList(BaseModel):
    """A page of the log. It may be short, even empty, and still have a next one."""

    entries: list[EntryView]
    next_cursor: str | None


class AuditRoutes:
    """Shows the log, newest lines first. A limited token sees what was done to its own integrations."""

    def __init__(self, reader: AuditReader, cursors: Cursors) -> None:
        self._reader, self._cursors = reader, cursors

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        return (
            Route(method="GET", path="/v1/audit-log", handler=self.list_entries, role=Role.VIEWER,
                  operation="list_audit_log", summary="List who did what"),
        )  # fmt: skip

    def list_entries(
        self,
        caller: Caller,
        since: Since = None,
        actor: Actor = None,
        action: ActionFilter = None,
        integration_id: OfIntegration = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> EntryList:
        """List who did what, newest first. Lines are kept for 400 days, also those of integrations that are gone."""
        if integration_id is not None and not caller.can_see(integration_id):
            raise NotFound("There is no such integration.")
        listing = json.dumps(["audit log", since, actor, action, integration_id])
        position = self._cursors.open(listing, cursor)
        entries, last = self._reader.page(
            AuditFilter(
                since=since, actor=actor, action=action, integration_id=integration_id, visible=caller.integration_ids
            ),
            limit=limit,
            after=position,
        )
        return EntryList(
            entries=[EntryView.model_validate(entry, from_attributes=True) for entry in entries],
            next_cursor=self._cursors.following(listing, last),
        )
