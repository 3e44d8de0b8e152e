"""The first stages: every account, group and project that the token can list."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from gitlab_hub.access.context import BY_ID, USERS, AccessContext
from gitlab_hub.access.contradictions import contradicts_no_groups, contradicts_no_projects, in_listed_groups
from gitlab_hub.access.keys import ALL
from gitlab_hub.access.model import Resource, ResourceType
from gitlab_hub.access.store import account_row, resource_row
from gitlab_hub.access.transform import account_of_admins_row, group_of, is_admin_row, project_of
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.errors import Forbidden, NothingVisible, ResourceNotFound, UnexpectedResponse
from gitlab_hub.gitlab.fields import GitLabRow, is_within, mapping, number, part, strict_number
from gitlab_hub.gitlab.keyset import keyset_pages
from gitlab_hub.sync.coverage import covers_group
from gitlab_hub.sync.ports import Scope, Session, SingleScopeStage
from gitlab_hub.sync.unreadable_rows import read_skipping_unreadable

# Reading lists of GitLab that may be long: page by page, resumable after each.

Rows = list[dict[str, Any]]
Params = Mapping[str, str | int | bool]
Take = Callable[[Rows], Awaitable[None]]

MAX_COLLECTED = 100_000
"""Members of one group or project; GitLab has no such group, and a worker's memory an end."""


async def read_list(session: Session, scope: Scope, path: str, params: Params, take: Take) -> None:
    """Hand every page to `take`, which makes it durable, and note how far that is."""
    async for page in keyset_pages(session.gitlab, path, params, cursor=session.cursor(scope)):
        await take(page.rows)
        if page.next is not None:
            await session.checkpoint(scope, page.next)


async def collect(gitlab: GitLab, path: str) -> Rows:
    """Read a list that is small enough to be held."""
    rows: Rows = []
    async for page in gitlab.pages(path):
        rows += page.rows
        if len(rows) > MAX_COLLECTED:
            raise UnexpectedResponse("GitLab lists more members of one group or project than the hub can take.")
    return rows


AS_GUEST: Params = {"min_access_level": 10}
AS_MEMBER: Params = {"membership": "true"}
OF_GROUP: Params = {"include_subgroups": "true", "with_shared": "false"}


MOST_ASKED = 20
"""Groups that are asked for where a list is empty: whether they are covered, or which projects they have."""


def projects_list(context: AccessContext) -> tuple[str, Params]:
    """Where the projects of a run are listed: its path and parameters."""
    if context.group_path is not None:
        return f"{context.group_path}/projects", {**BY_ID, **OF_GROUP}
    return "/projects", BY_ID if context.session.target.is_admin else {**BY_ID, **AS_MEMBER}


SCOPE = Scope(ALL)
"""Each of these lists is one scope."""

NAMES_ONLY = (
    "The token's user is an administrator, and GitLab shows it names only: give a token with the scope admin_mode. "
    "Accounts are taken from the members of groups and projects."
)


class AccountsStage(SingleScopeStage):
    """Every account of the GitLab, where the token is an administrator's; else members make the list."""

    name = "accounts"

    def __init__(self, context: AccessContext) -> None:
        self._context = context

    async def read(self, scope: Scope) -> None:
        """Read the list of users."""
        if await self._context.visibility.can_list_accounts():
            await read_list(self._context.session, scope, USERS, BY_ID, self._take)
            await self._context.accounts.complete(ALL)
        elif self._context.visibility.expects_account_list:
            await self._context.session.partial(scope, Forbidden.code, NAMES_ONLY)

    async def _take(self, rows: Rows) -> None:
        if rows and not any(is_admin_row(row) for row in rows):
            raise Forbidden("The token stopped being an administrator's while the users were read.")
        accounts = await read_skipping_unreadable(self._context.session, SCOPE, rows, account_of_admins_row)
        await self._context.accounts.upsert(ALL, [account_row(account) for _, account in accounts])


class GroupsStage(SingleScopeStage):
    """Every group the token reaches, or the tree under the one group of the integration."""

    name = "groups"

    def __init__(self, context: AccessContext) -> None:
        self._context = context

    async def read(self, scope: Scope) -> None:
        """Read the lists of groups; the cursor is what is left to read, as (path, page) pairs."""
        session = self._context.session
        left: list[tuple[str, Any]] = [tuple(one) for one in session.cursor(scope) or [(await self._start(), None)]]
        while left:
            path, cursor = left.pop()
            try:
                await self._read_one(scope, path, cursor, left)
            except ResourceNotFound:
                if cursor is not None or not path.endswith("/descendant_groups"):
                    raise
                left.append((path.replace("/descendant_groups", "/subgroups"), None))
        groups = self._context.resources[ResourceType.GROUP]
        await groups.complete(ALL)
        if groups.listed <= (self._context.group_path is not None):
            await self._doubt_that_there_are_none()

    async def _doubt_that_there_are_none(self) -> None:
        """Raise NothingVisible where a project of the first page shows that there are groups to be listed."""
        context = self._context
        try:
            page = await anext(keyset_pages(context.session.gitlab, *projects_list(context)))
        except (Forbidden, ResourceNotFound):
            return  # No proof, and the projects' own stage says so.
        session = context.session
        for group_id, project in islice(in_listed_groups(page.rows, session.target).items(), MOST_ASKED):
            if await covers_group(session.gitlab, session.target, group_id, part(project, "namespace")):
                raise NothingVisible(contradicts_no_groups(project))

    async def _start(self) -> str:
        """Find the first list; a single group is taken itself before its descendants are."""
        if self._context.group_path is None:
            return "/groups"
        group = (await self._context.session.gitlab.get(self._context.group_path, {"with_projects": "false"})).body
        if not isinstance(group, dict):
            raise UnexpectedResponse("GitLab answered for a group with something else.")
        await self.take([group])
        return f"/groups/{strict_number(group, 'id')}/descendant_groups"

    async def _read_one(self, scope: Scope, path: str, cursor: Any, left: list[tuple[str, Any]]) -> None:
        session = self._context.session
        async for page in session.gitlab.pages(path, self._params(), cursor=cursor):
            await self.take(page.rows)
            if path.endswith("/subgroups"):
                left[:0] = [(f"/groups/{number(row.get('id'))}/subgroups", None) for row in page.rows if _is_group(row)]
            rest = [*left, (path, page.next)] if page.next is not None else left
            if rest:
                await session.checkpoint(scope, rest)

    async def take(self, rows: Rows) -> None:
        """Store groups as GitLab lists or shows them."""
        context, kind = self._context, ResourceType.GROUP
        good = [row for row, _ in await read_skipping_unreadable(context.session, SCOPE, rows, group_of)]
        # Rows of lists have no shares: those that the members' stage found stay.
        known = await context.session.io(context.store.known_resources, kind, [row["id"] for row in good])
        groups = [group_of(row, known.get(row["id"])) for row in good]
        await context.resources[kind].upsert(ALL, [resource_row(group) for group in groups])

    def _params(self) -> Params:
        target = self._context.session.target
        return BY_ID if target.group is not None or target.is_admin else {**BY_ID, **AS_GUEST}


class ProjectsStage(SingleScopeStage):
    """Every project the token reaches, archived ones too, or those under the one group of the integration."""

    name = "projects"

    def __init__(self, context: AccessContext) -> None:
        self._context = context

    async def read(self, scope: Scope) -> None:
        """Read the list of projects."""
        context = self._context
        await read_list(context.session, scope, *projects_list(context), self.take)
        if await context.session.io(context.store.is_empty):
            raise NothingVisible("The token sees no group and no project. Add its user to one, or give another token.")
        projects = context.resources[ResourceType.PROJECT]
        await projects.complete(ALL)
        if not projects.listed and (why := contradicts_no_projects(await self._some_groups())) is not None:
            raise NothingVisible(why)

    async def _some_groups(self) -> list[GitLabRow]:
        """Ask for the own pages of a bounded number of groups."""
        found = await self._context.session.io(self._context.store.paths_after, ResourceType.GROUP, None)
        pages = []
        for key, _ in found[:MOST_ASKED]:
            with suppress(Forbidden, ResourceNotFound):
                reply = await self._context.session.gitlab.get(f"/groups/{int(key)}", {"with_projects": "true"})
                pages.append(mapping(reply.body))
        return pages

    async def take(self, rows: Rows) -> None:
        """Store those of these projects that the integration covers."""
        context, kind = self._context, ResourceType.PROJECT
        good = [row for row, _ in await read_skipping_unreadable(context.session, SCOPE, rows, project_of)]
        terse = [row["id"] for row in good if "shared_with_groups" not in row]
        known = await context.session.io(context.store.known_resources, kind, terse) if terse else {}
        projects = self._wanted([project_of(row, known.get(row["id"])) for row in good])
        await context.resources[kind].upsert(ALL, [resource_row(project) for project in projects])

    def _wanted(self, projects: Sequence[Resource]) -> list[Resource]:
        # A server that does not know `with_shared` lists projects of other groups too: they are not the integration's.
        group = self._context.session.target.group
        return [project for project in projects if group is None or is_within(project.full_path, group)]


def _is_group(row: GitLabRow) -> bool:
    return number(row.get("id")) is not None
