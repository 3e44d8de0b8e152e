"""The route that says which part of a GitLab the syncs do not see."""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal, Protocol

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import BaseModel, Field

from gitlab_hub.integrations.requests import SyncKind
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor

SCOPES = "/v1/integrations/<integration_id>/scopes"

IntegrationId = Annotated[str, Path()]


class ScopeStatus(StrEnum):
    """Why a scope is not complete."""

    FORBIDDEN = "forbidden"
    FAILED = "failed"
    PARTIAL = "partial"
    GONE = "gone"
    DISABLED = "disabled"


class ScopeNote(Protocol):
    """What is known of a scope that is not complete."""

    kind: str
    stage: str
    status: str
    code: str
    reason: str
    at: int | None
    resource: dict[str, Any] | None


class Scopes(Protocol):
    """Where the scopes are looked up."""

    def scopes(
        self, integration_id: str, *, kind: str | None, status: str | None, after: str | None, limit: int
    ) -> tuple[Sequence[Any], str | None]:
        """Notes of scopes behind a position, and the position to go on behind; None at the end."""


class ScopeResource(BaseModel):
    """The group or project that a scope is about."""

    type: Literal["group", "project"]
    id: int = Field(description="GitLab's id.", examples=[7])
    full_path: str | None = Field(
        description="Where it was when the sync read it; null where that is not known.", examples=["acme/harbor"]
    )


class ScopeView(BaseModel):
    """A part of GitLab that the last sync did not see, or not completely."""

    kind: str = Field(description="The sync: access, pipelines or credentials.", examples=["access"])
    name: str = Field(
        description="What was to be read: accounts, groups, projects, group_members, project_members, account_lists, "
        "member_roles, group_invitations, project_invitations, pipelines, deployments, or a kind of credentials.",
        examples=["group_members"],
    )
    resource: ScopeResource | None = Field(description="What it is about; null where the whole list is meant.")
    status: str = Field(
        description="forbidden (403), gone (404), failed (could not be read), partial (read in part), disabled (off).",
        examples=["forbidden"],
    )
    code: str = Field(description="The error code, as in `docs/operations.md`.", examples=["invalid_permissions"])
    reason: str = Field(
        description="Why, and what to do.", examples=["GitLab does not allow this to the token's user."]
    )
    at: int | None = Field(description="When it was found out, in unix seconds.", examples=[1_790_000_000])


class ScopeList(BaseModel):
    """A page of scopes that are not complete."""

    scopes: list[ScopeView]
    next_cursor: str | None


KindFilter = Annotated[SyncKind | None, Query(description="Scopes of one sync only.")]
StatusFilter = Annotated[ScopeStatus | None, Query(description="Scopes of one status only.")]


class ScopeRoutes:
    """Which part of a GitLab is not seen, by name and reason."""

    def __init__(self, scopes: Scopes, cursors: Cursors) -> None:
        self._scopes, self._cursors = scopes, cursors

    def routes(self) -> list[Route]:
        """Give all routes."""
        summary = "List what the syncs could not read"
        return [Route(method="GET", path=SCOPES, handler=self.list_scopes, role=Role.VIEWER, summary=summary)]

    def list_scopes(
        self,
        integration_id: IntegrationId,
        status: StatusFilter = None,
        kind: KindFilter = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> ScopeList:
        """List the parts of GitLab that the last syncs did not see, or not completely, with the reason."""
        listing = json.dumps(["scopes", integration_id, status, kind])
        after = self._cursors.open(listing, cursor)
        notes, last = self._scopes.scopes(integration_id, kind=kind, status=status, after=after, limit=limit)
        following = self._cursors.following(listing, last)
        return ScopeList(scopes=[_shown(note) for note in notes], next_cursor=following)


def _shown(note: ScopeNote) -> ScopeView:
    resource = None if note.resource is None else ScopeResource.model_validate(note.resource)
    return ScopeView(
        kind=note.kind,
        name=note.stage,
        resource=resource,
        status=note.status,
        code=note.code,
        reason=note.reason,
        at=note.at,
    )
