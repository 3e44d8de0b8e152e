"""The HTTP routes that read access back."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from gitlab_hub.access.model import AccountStatus
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.views import (
    AccountAnswer,
    AccountEnvelope,
    AccountList,
    GroupAnswer,
    GroupEnvelope,
    GroupList,
    ProjectAnswer,
    ProjectEnvelope,
    ProjectList,
)
from gitlab_hub.access.wanted import AccountFilter
from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.inventory.model import Resource, ResourceType
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor, listing_name

BASE = "/v1/integrations/<integration_id>"

IntegrationId = Annotated[str, Path()]
AccountId = Annotated[int, Path(ge=0, le=MAX_ID)]
ResourceId = Annotated[int, Path(ge=0, le=MAX_ID)]
Text = Annotated[str | None, Query(min_length=1, max_length=200)]
KindFilter = Annotated[AccountKind | None, Query()]
StatusFilter = Annotated[AccountStatus | None, Query()]
FlagFilter = Annotated[bool | None, Query()]
MOST_NAMED = 100
NamedIds = Annotated[
    list[Annotated[int, Field(ge=0, le=MAX_ID)]] | None,
    Query(alias="id", max_length=MOST_NAMED, description="Only these accounts, whatever there is of them."),
]
OnlyIds = Annotated[
    list[Annotated[int, Field(ge=0, le=MAX_ID)]] | None,
    Query(alias="id", max_length=MOST_NAMED, description="Only those with these ids, on one page."),
]
AtPath = Annotated[
    str | None, Query(alias="path", min_length=1, max_length=5_000, description="Only the one at this full path.")
]
InactiveDays = Annotated[int | None, Query(ge=1, le=36_500)]


class AccessRoutes:
    """Accounts, groups and projects of an integration."""

    def __init__(self, reader: AccessReader, cursors: Cursors) -> None:
        self._reader, self._cursors = reader, cursors

    def routes(self) -> list[Route]:
        """Give all routes; everybody with access to the integration may read."""
        handlers: dict[str, tuple[Callable[..., Any], str]] = {
            "accounts": (self.list_accounts, "List accounts"),
            "accounts/<account_id>": (self.get_account, "Read one account"),
            "groups": (self.list_groups, "List groups"),
            "groups/<group_id>": (self.get_group, "Read one group"),
            "projects": (self.list_projects, "List projects"),
            "projects/<project_id>": (self.get_project, "Read one project"),
        }
        return [
            Route(method="GET", path=f"{BASE}/{path}", handler=handler, role=Role.VIEWER, summary=summary)
            for path, (handler, summary) in handlers.items()
        ]

    def list_accounts(
        self,
        integration_id: IntegrationId,
        ids: NamedIds = None,
        q: Text = None,
        kind: KindFilter = None,
        status: StatusFilter = None,
        inactive_days: InactiveDays = None,
        is_admin: FlagFilter = None,
        external: FlagFilter = None,
        two_factor_enabled: FlagFilter = None,
        without_grants: FlagFilter = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> AccountList:
        """List accounts whose names or addresses contain `q`, and of a kind, a status, or unused for some days.

        Those of some `id`s, at most 100, come on one page.
        """
        wanted = AccountFilter(
            q=q, kind=kind, status=status, inactive_days=inactive_days, is_admin=is_admin, external=external,
            two_factor_enabled=two_factor_enabled, without_grants=without_grants,
        )  # fmt: skip
        listing = listing_name("accounts", integration_id, {**asdict(wanted), "ids": ids})
        after = self._cursors.open(listing, cursor)
        if ids is None:
            found = self._reader.accounts(integration_id, wanted, after=after, limit=limit)
        else:
            found = self._reader.accounts_of(integration_id, ids, wanted)
        states = self._reader.list_states(integration_id)
        shown = [AccountAnswer.of(account, states) for account in found.values]
        return AccountList(accounts=shown, next_cursor=self._cursors.following(listing, found.next))

    def get_account(self, integration_id: IntegrationId, account_id: AccountId) -> AccountEnvelope:
        """Read one account."""
        account = self._reader.account(integration_id, account_id)
        if account is None:
            raise NotFound("There is no such account.")
        return AccountEnvelope(account=AccountAnswer.of(account, self._reader.list_states(integration_id)))

    def list_groups(
        self, integration_id: IntegrationId, ids: OnlyIds = None, path: AtPath = None, q: Text = None,
        limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None,
    ) -> GroupList:  # fmt: skip
        """List groups whose path or name contains `q`, those of some `id`s, or the one at a `path`."""
        groups, following = self._resources(ResourceType.GROUP, integration_id, ids, path, q, limit, cursor)
        roles = self._reader.role_names(integration_id)
        return GroupList(groups=[GroupAnswer.of(group, roles) for group in groups], next_cursor=following)

    def get_group(self, integration_id: IntegrationId, group_id: ResourceId) -> GroupEnvelope:
        """Read one group."""
        group = self._resource(ResourceType.GROUP, integration_id, group_id)
        return GroupEnvelope(group=GroupAnswer.of(group, self._reader.role_names(integration_id)))

    def get_project(self, integration_id: IntegrationId, project_id: ResourceId) -> ProjectEnvelope:
        """Read one project."""
        project = self._resource(ResourceType.PROJECT, integration_id, project_id)
        return ProjectEnvelope(project=ProjectAnswer.of(project, self._reader.role_names(integration_id)))

    def list_projects(
        self, integration_id: IntegrationId, ids: OnlyIds = None, path: AtPath = None, q: Text = None,
        limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None,
    ) -> ProjectList:  # fmt: skip
        """List projects whose path or name contains `q`, those of some `id`s, or the one at a `path`."""
        projects, following = self._resources(ResourceType.PROJECT, integration_id, ids, path, q, limit, cursor)
        roles = self._reader.role_names(integration_id)
        return ProjectList(projects=[ProjectAnswer.of(project, roles) for project in projects], next_cursor=following)

    def _resource(self, kind: ResourceType, integration_id: str, number: int) -> Resource:
        resource = self._reader.resource(integration_id, kind, number)
        if resource is None:
            raise NotFound(f"There is no such {kind}.")
        return resource

    def _resources(
        self, kind: ResourceType, integration_id: str, ids: list[int] | None, path: str | None, q: str | None,
        limit: int, cursor: str | None,
    ) -> tuple[list[Resource], str | None]:  # fmt: skip
        listing = listing_name(kind.collection, integration_id, {"q": q, "ids": ids, "path": path})
        after = self._cursors.open(listing, cursor)
        if path is not None:
            place = self._reader.place_at(integration_id, path.strip("/"))
            is_asked_for = place is not None and place.type == kind and (ids is None or place.id in ids)
            ids = [place.id] if place is not None and is_asked_for else []
        if ids is not None:
            return self._reader.resources_of(integration_id, kind, ids, q=q), None
        found = self._reader.resources(integration_id, kind, q=q, after=after, limit=limit)
        return found.values, self._cursors.following(listing, found.next)
