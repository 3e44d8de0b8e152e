"""The HTTP routes about grants: who was given what, what it adds up to, and why."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from gitlab_hub.access.effective.graph import Place
from gitlab_hub.access.effective.paths import GrantKind
from gitlab_hub.access.effective.reader import EffectiveFilter, EffectiveGrant, EffectiveReader
from gitlab_hub.access.filters import IdFilter, resource_of
from gitlab_hub.access.grant_views import Explanation, GrantAnswer, GrantList
from gitlab_hub.access.model import Account
from gitlab_hub.access.pages import Page
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.routes import BASE, IntegrationId
from gitlab_hub.access.wanted import Ending, GrantFilter
from gitlab_hub.errors import NotFound, NotInGitLab
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Role
from gitlab_hub.web.errors import unfit
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor, listing_name

Username = Annotated[str | None, Query(min_length=1, max_length=255)]
FullPath = Annotated[str | None, Query(min_length=1, max_length=5_000)]
LevelFilter = Annotated[int | None, Query(ge=1, le=50)]
WayFilter = Annotated[GrantKind | None, Query()]
Days = Annotated[int | None, Query(ge=1, le=36_500)]
Overdue = Annotated[bool | None, Query()]


class View(StrEnum):
    """How grants are to be seen: as they were given, or as they take effect."""

    DIRECT = "direct"
    EFFECTIVE = "effective"


ViewFilter = Annotated[View, Query()]


class GrantRoutes:
    """The grants of an integration."""

    def __init__(self, reader: AccessReader, effective: EffectiveReader, cursors: Cursors) -> None:
        self._reader, self._effective, self._cursors = reader, effective, cursors

    def routes(self) -> list[Route]:
        """Give all routes; everybody with access to the integration may read."""
        handlers: dict[str, tuple[Callable[..., Any], str]] = {
            "grants": (self.list_grants, "List who has what"),
            "explain": (self.explain, "Explain why somebody has access"),
        }
        return [
            Route(method="GET", path=f"{BASE}/{path}", handler=handler, role=Role.VIEWER, summary=summary)
            for path, (handler, summary) in handlers.items()
        ]

    def list_grants(
        self,
        integration_id: IntegrationId,
        account_id: IdFilter = None,
        username: Username = None,
        group_id: IdFilter = None,
        project_id: IdFilter = None,
        path: FullPath = None,
        view: ViewFilter = View.DIRECT,
        min_access_level: LevelFilter = None,
        kind: WayFilter = None,
        expiring_within_days: Days = None,
        overdue: Overdue = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> GrantList:
        """List grants as they were given (`direct`), or what everybody has in all (`effective`).

        `effective` counts what comes from groups above and from invited groups: one row per account and resource, with
        the way that gives the most. `expiring_within_days` lists what ends by then and what is overdue, which
        `overdue=true` lists alone, and `overdue=false` leaves out.
        """
        account = self._account_asked_for(integration_id, account_id, username)
        place = self._place_asked_for(integration_id, group_id, project_id, path)
        narrowing = {"view": view, "min": min_access_level, "kind": kind, "days": expiring_within_days}
        narrowing |= {"overdue": overdue}
        listing = listing_name("grants", integration_id, {"account": account, "place": place, **narrowing})
        position, now = self._cursors.open(listing, cursor), self._reader.now()
        ending = Ending.of(within_days=expiring_within_days, overdue=overdue, now=now)
        if view is View.DIRECT:
            if kind not in {None, GrantKind.DIRECT}:
                raise unfit(
                    "query.kind", f"kind={kind} needs view=effective: what was given directly is of kind direct."
                )
            wanted = GrantFilter(account, place, min_access_level, ending)
            grants, following = self._direct(integration_id, wanted, position, limit, now)
        else:
            narrow = EffectiveFilter(min_access_level=min_access_level, kind=kind, ending=ending)
            page = self._page(integration_id, account, place, narrow, position, limit)
            grants, following = [GrantAnswer.of_effective(one, now=now) for one in page.values], page.next
        return GrantList(grants=grants, next_cursor=self._cursors.following(listing, following))

    def explain(
        self,
        integration_id: IntegrationId,
        account_id: IdFilter = None,
        username: Username = None,
        group_id: IdFilter = None,
        project_id: IdFilter = None,
        path: FullPath = None,
    ) -> Explanation:
        """Explain an account's access to a group or project: every way, what would end it, and when it changes.

        Name the account by `account_id` or `username`, the resource by `group_id`, `project_id` or `path`. Without
        access the level is 0 and there is no way.
        """
        wanted = self._account_asked_for(integration_id, account_id, username)
        if wanted is None:
            raise unfit("query.account_id", "Say whose access to explain: account_id or username.")
        place = self._place_asked_for(integration_id, group_id, project_id, path)
        if place is None:
            raise unfit("query.path", "Say access to what: group_id, project_id or path.")
        account = self._reader.account(integration_id, wanted)
        if account is None:
            raise NotFound("There is no such account.")
        found = self._effective.explain(integration_id, account, place)
        if found is None:
            raise NotFound(f"There is no such {place.type}.")
        return Explanation.of(account, found, now=self._reader.now())

    def _direct(
        self, integration_id: str, wanted: GrantFilter, position: Any, limit: int, now: float
    ) -> tuple[list[GrantAnswer], str | None]:
        found = self._reader.grants(integration_id, wanted, after=position, limit=limit)
        paths = self._reader.full_paths(integration_id, found.values)
        shown = [
            GrantAnswer.of_direct(grant, paths.get((grant.resource_type, grant.resource_id)), now=now)
            for grant in found.values
        ]
        return shown, found.next

    def _page(
        self,
        integration_id: str,
        account_id: int | None,
        place: Place | None,
        wanted: EffectiveFilter,
        position: str | None,
        limit: int,
    ) -> Page[EffectiveGrant]:
        if account_id is None and place is not None:
            after = None if position is None else int(position)
            return self._effective.of_resource(integration_id, place, wanted, after=after, limit=limit)
        start = None if position is None else _opened(position)
        if account_id is None:
            return self._effective.of_everything(integration_id, wanted, after=start, limit=limit)
        # Somebody may be a member before the list of accounts has come to them.
        account = self._reader.account(integration_id, account_id) or Account(id=account_id)
        if place is not None:
            found = self._effective.explain(integration_id, account, place)
            return Page([found] if found is not None and wanted.keeps(found.access) else [], None)
        behind = None if start is None else start[0]
        return self._effective.of_account(integration_id, account, wanted, after=behind, limit=limit)

    def _account_asked_for(self, integration_id: str, account_id: int | None, username: str | None) -> int | None:
        if username is None:
            return account_id
        if account_id is not None:
            raise unfit("query.username", "Ask for an account_id or a username, not for both.")
        account = self._reader.account_named(integration_id, username.removeprefix("@"))
        if account is None:
            raise NotInGitLab("There is no account of this username.")
        return account.id

    def _place_asked_for(
        self, integration_id: str, group_id: int | None, project_id: int | None, path: str | None
    ) -> Place | None:
        if sum(one is not None for one in (group_id, project_id, path)) > 1:
            raise unfit("query.path", "Ask for a group_id, a project_id or a path, not for several of them.")
        if path is not None:
            place = self._reader.place_at(integration_id, path.strip("/"))
            if place is None:
                raise NotInGitLab("There is no group or project at this path.")
            return place
        return resource_of(group_id, project_id)


def _opened(position: str) -> tuple[Place, int | None]:
    kind, number, account_id = position.split(":")
    return Place(ResourceType(kind), int(number)), int(account_id) if account_id else None
