"""The HTTP routes that read access back."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.access.model import AccountStatus
from gitlab_hub.access.reader import AccessReader, AccountFilter, GrantFilter
from gitlab_hub.access.views import (
    AccountAnswer,
    AccountEnvelope,
    AccountList,
    GrantAnswer,
    GrantList,
    GroupAnswer,
    GroupEnvelope,
    GroupList,
    ProjectAnswer,
    ProjectEnvelope,
    ProjectList,
)
from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.inventory.model import Resource, ResourceType
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Role
from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor

BASE = "/v1/integrations/<integration_id>"

IntegrationId = Annotated[str, Path()]
AccountId = Annotated[int, Path(ge=0, le=MAX_ID)]
ResourceId = Annotated[int, Path(ge=0, le=MAX_ID)]
IdFilter = Annotated[int | None, Query(ge=0, le=MAX_ID)]
Text = Annotated[str | None, Query(min_length=1, max_length=200)]
KindFilter = Annotated[AccountKind | None, Query()]
StatusFilter = Annotated[AccountStatus | None, Query()]
FlagFilter = Annotated[bool | None, Query()]
InactiveDays = Annotated[int | None, Query(ge=1, le=36_500)]


class View(StrEnum):
    """How grants are to be seen: as they were given, or as they take effect."""

    DIRECT = "direct"
    EFFECTIVE = "effective"


ViewFilter = Annotated[View, Query()]


class AccessRoutes:
    """Accounts, groups, projects and grants of an integration."""

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
            "grants": (self.list_grants, "List who was given what"),
        }
        return [
            Route(method="GET", path=f"{BASE}/{path}", handler=handler, role=Role.VIEWER, summary=summary)
            for path, (handler, summary) in handlers.items()
        ]

    def list_accounts(
        self,
        integration_id: IntegrationId,
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
        """List accounts whose names or addresses contain `q`, and of a kind, a status, or unused for some days."""
        wanted = AccountFilter(
            q=q, kind=kind, status=status, inactive_days=inactive_days, is_admin=is_admin, external=external,
            two_factor_enabled=two_factor_enabled, without_grants=without_grants,
        )  # fmt: skip
        listing = _listing("accounts", integration_id, asdict(wanted))
        after = self._cursors.open(listing, cursor)
        found = self._reader.accounts(integration_id, wanted, after=after, limit=limit)
        shown = [AccountAnswer.of(account) for account in found.values]
        return AccountList(accounts=shown, next_cursor=self._cursors.following(listing, found.next))

    def get_account(self, integration_id: IntegrationId, account_id: AccountId) -> AccountEnvelope:
        """Read one account."""
        account = self._reader.account(integration_id, account_id)
        if account is None:
            raise NotFound("There is no such account.")
        return AccountEnvelope(account=AccountAnswer.of(account))

    def list_groups(
        self, integration_id: IntegrationId, q: Text = None, limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None
    ) -> GroupList:
        """List groups whose path or name contains `q`."""
        groups, following = self._resources(ResourceType.GROUP, integration_id, q, limit, cursor)
        return GroupList(groups=[GroupAnswer.of(group) for group in groups], next_cursor=following)

    def get_group(self, integration_id: IntegrationId, group_id: ResourceId) -> GroupEnvelope:
        """Read one group."""
        return GroupEnvelope(group=GroupAnswer.of(self._resource(ResourceType.GROUP, integration_id, group_id)))

    def get_project(self, integration_id: IntegrationId, project_id: ResourceId) -> ProjectEnvelope:
        """Read one project."""
        project = self._resource(ResourceType.PROJECT, integration_id, project_id)
        return ProjectEnvelope(project=ProjectAnswer.of(project))

    def list_projects(
        self, integration_id: IntegrationId, q: Text = None, limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None
    ) -> ProjectList:
        """List projects whose path or name contains `q`."""
        projects, following = self._resources(ResourceType.PROJECT, integration_id, q, limit, cursor)
        return ProjectList(projects=[ProjectAnswer.of(project) for project in projects], next_cursor=following)

    def list_grants(
        self,
        integration_id: IntegrationId,
        account_id: IdFilter = None,
        group_id: IdFilter = None,
        project_id: IdFilter = None,
        view: ViewFilter = View.DIRECT,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> GrantList:
        """List grants of an account, in a group or in a project, or all of them."""
        wanted = GrantFilter(account_id, _resource_filter(group_id, project_id, view))
        filters = {"account_id": account_id, "group_id": group_id, "project_id": project_id}
        listing = _listing("grants", integration_id, filters)
        after = self._cursors.open(listing, cursor)
        found = self._reader.grants(integration_id, wanted, after=after, limit=limit)
        paths, now = self._reader.full_paths(integration_id, found.values), self._reader.now()
        shown = [
            GrantAnswer.of(grant, paths.get((grant.resource_type, grant.resource_id)), now=now)
            for grant in found.values
        ]
        return GrantList(grants=shown, next_cursor=self._cursors.following(listing, found.next))

    def _resource(self, kind: ResourceType, integration_id: str, number: int) -> Resource:
        resource = self._reader.resource(integration_id, kind, number)
        if resource is None:
            raise NotFound(f"There is no such {kind}.")
        return resource

    def _resources(
        self, kind: ResourceType, integration_id: str, q: str | None, limit: int, cursor: str | None
    ) -> tuple[list[Resource], str | None]:
        listing = _listing(kind.collection, integration_id, {"q": q})
        after = self._cursors.open(listing, cursor)
        found = self._reader.resources(integration_id, kind, q=q, after=after, limit=limit)
        return found.values, self._cursors.following(listing, found.next)


def _listing(name: str, integration_id: str, filters: Mapping[str, Any]) -> str:
    return json.dumps([name, integration_id, dict(filters)], sort_keys=True)


def _resource_filter(group_id: int | None, project_id: int | None, view: View) -> tuple[ResourceType, int] | None:
    if view is not View.DIRECT:
        raise _unfit("view", "view=effective is not available yet; use view=direct.")
    if group_id is not None and project_id is not None:
        raise _unfit("project_id", "Ask for a group_id or a project_id, not for both.")
    if group_id is not None:
        return ResourceType.GROUP, group_id
    return None if project_id is None else (ResourceType.PROJECT, project_id)


def _unfit(name: str, message: str) -> Unprocessable:
    return Unprocessable(
        message, details={"fields": [{"field": f"query.{name}", "problem": "unfit", "message": message}]}
    )
