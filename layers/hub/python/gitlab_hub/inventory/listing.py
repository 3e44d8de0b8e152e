"""The lists of groups and projects, and the stages that keep what is stored equal to them.

They may be long: each is read page by page, resumable after every one.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from gitlab_hub.gitlab.errors import Forbidden, NothingVisible, ResourceNotFound, UnexpectedResponse
from gitlab_hub.gitlab.fields import GitLabRow, is_within, mapping, number, part, strict_number
from gitlab_hub.gitlab.keyset import keyset_pages
from gitlab_hub.gitlab.messages import group_path
from gitlab_hub.inventory.contradictions import contradicts_no_groups, contradicts_no_projects, in_listed_groups
from gitlab_hub.inventory.coverage import covers_group
from gitlab_hub.inventory.model import ALL, Resource, ResourceType, group_of, project_of
from gitlab_hub.inventory.store import InventoryStore, Known
from gitlab_hub.storage.ports import Key
from gitlab_hub.sync.ports import Mirror, Scope, Session, SingleScopeStage, SyncTarget
from gitlab_hub.sync.unreadable_rows import read_skipping_unreadable

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

Rows = list[dict[str, Any]]
Params = Mapping[str, str | int | bool]
Take = Callable[[Rows], Awaitable[None]]


async def read_list(session: Session, scope: Scope, path: str, params: Params, take: Take) -> None:
    """Hand every page to `take`, which makes it durable, and note how far that is."""
    async for page in keyset_pages(session.gitlab, path, params, cursor=session.cursor(scope)):
        await take(page.rows)
        if page.next is not None:
            await session.checkpoint(scope, page.next)


MAX_COLLECTED = 100_000
"""Members of one group or project; GitLab has no such group, and a worker's memory an end."""


async def collect(gitlab: "GitLab", path: str, params: Params | None = None) -> Rows:
    """Read a list that is small enough to be held."""
    rows: Rows = []
    async for page in gitlab.pages(path, params):
        rows += page.rows
        if len(rows) > MAX_COLLECTED:
            raise UnexpectedResponse("GitLab lists more members of one group or project than the hub can take.")
    return rows


BY_ID: Params = {"order_by": "id", "sort": "asc"}
AS_GUEST: Params = {"min_access_level": 10}
AS_MEMBER: Params = {"membership": "true"}
OF_GROUP: Params = {"include_subgroups": "true", "with_shared": "false"}

MOST_ASKED = 20
"""Groups that are asked for where a list is empty: whether they are covered, or which projects they have."""


def projects_list(target: SyncTarget) -> tuple[str, Params]:
    """Where the projects that an integration covers are listed, archived ones too: path and parameters."""
    if (group := only_group(target)) is not None:
        return f"{group}/projects", {**BY_ID, **OF_GROUP}
    return "/projects", BY_ID if target.is_admin else {**BY_ID, **AS_MEMBER}


def only_group(target: SyncTarget) -> str | None:
    """The group that an integration is limited to, as a path of GitLab's API; None where it is not."""
    return None if target.group is None else group_path(target.group, target.group_id)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What the stages of one slice share: the session, the stored rows, and the mirrors of groups and projects."""

    session: Session
    store: InventoryStore
    mirrors: Mapping[ResourceType, Mirror]

    @classmethod
    def of(cls, session: Session, store: InventoryStore) -> "Inventory":
        """Prepare a slice."""
        return cls(
            session, store, {kind: session.mirror(kind.collection, store.resources[kind]) for kind in ResourceType}
        )

    async def store_resources(
        self,
        kind: ResourceType,
        resources: Sequence[Resource],
        *,
        merged_with: Known[Resource] | None = None,
        baseline_mark: Key | None = None,
    ) -> None:
        """Store groups or projects that are new or changed; `merged_with`: what parts of them were taken from."""
        rows = [replace(self.store.row(kind, resource), baseline_mark=baseline_mark) for resource in resources]
        await self.mirrors[kind].upsert(ALL, rows, None if merged_with is None else merged_with.hashes)


SCOPE = Scope(ALL)
"""Each of these lists is one scope."""


class GroupsStage(SingleScopeStage):
    """Every group the token reaches, or the tree under the one group of the integration."""

    name = "groups"

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    async def read(self, scope: Scope) -> None:
        """Read the lists of groups; the cursor is what is left to read, as (path, page) pairs."""
        session = self._inventory.session
        left: list[tuple[str, Any]] = [tuple(one) for one in session.cursor(scope) or [(await self._start(), None)]]
        while left:
            path, cursor = left.pop()
            try:
                await self._read_one(scope, path, cursor, left)
            except ResourceNotFound:
                if cursor is not None or not path.endswith("/descendant_groups"):
                    raise
                left.append((path.replace("/descendant_groups", "/subgroups"), None))
        groups = self._inventory.mirrors[ResourceType.GROUP]
        await groups.complete(ALL)
        if groups.listed <= (self._inventory.session.target.group is not None):
            await self._doubt_that_there_are_none()
        groups.believe(ALL)

    async def _doubt_that_there_are_none(self) -> None:
        """Raise NothingVisible where a project of the first page shows that there are groups to be listed."""
        inventory = self._inventory
        try:
            page = await anext(keyset_pages(inventory.session.gitlab, *projects_list(inventory.session.target)))
        except (Forbidden, ResourceNotFound):
            return  # No proof, and the projects' own stage says so.
        session = inventory.session
        for group_id, project in islice(in_listed_groups(page.rows, session.target).items(), MOST_ASKED):
            if await covers_group(session.gitlab, session.target, group_id, part(project, "namespace")):
                raise NothingVisible(contradicts_no_groups(project))

    async def _start(self) -> str:
        """Find the first list; a single group is taken itself before its descendants are."""
        session = self._inventory.session
        path = only_group(session.target)
        if path is None:
            return "/groups"
        group = (await session.gitlab.get(path, {"with_projects": "false"})).body
        if not isinstance(group, dict):
            raise UnexpectedResponse("GitLab answered for a group with something else.")
        await self.take([group])
        return f"/groups/{strict_number(group, 'id')}/descendant_groups"

    async def _read_one(self, scope: Scope, path: str, cursor: Any, left: list[tuple[str, Any]]) -> None:
        session = self._inventory.session
        async for page in session.gitlab.pages(path, self._params(), cursor=cursor):
            await self.take(page.rows)
            if path.endswith("/subgroups"):
                left[:0] = [(f"/groups/{number(row.get('id'))}/subgroups", None) for row in page.rows if _is_group(row)]
            rest = [*left, (path, page.next)] if page.next is not None else left
            if rest:
                await session.checkpoint(scope, rest)

    async def take(self, rows: Rows) -> None:
        """Store groups as GitLab lists or shows them."""
        inventory, kind = self._inventory, ResourceType.GROUP
        good = [row for row, _ in await read_skipping_unreadable(inventory.session, SCOPE, rows, group_of)]
        # Rows of lists have no shares: those that the members' stage found stay.
        known = await inventory.session.io(inventory.store.known, kind, [row["id"] for row in good])
        groups = [group_of(row, known.values.get(row["id"])) for row in good]
        await inventory.store_resources(kind, groups, merged_with=known)

    def _params(self) -> Params:
        target = self._inventory.session.target
        return BY_ID if target.group is not None or target.is_admin else {**BY_ID, **AS_GUEST}


class ProjectsStage(SingleScopeStage):
    """Every project the token reaches, archived ones too, or those under the one group of the integration."""

    name = "projects"

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    async def read(self, scope: Scope) -> None:
        """Read the list of projects."""
        inventory = self._inventory
        await read_list(inventory.session, scope, *projects_list(inventory.session.target), self.take)
        if await inventory.session.io(inventory.store.is_empty):
            raise NothingVisible("The token sees no group and no project. Add its user to one, or give another token.")
        projects = inventory.mirrors[ResourceType.PROJECT]
        await projects.complete(ALL)
        if not projects.listed and (why := contradicts_no_projects(await self._some_groups())) is not None:
            raise NothingVisible(why)
        projects.believe(ALL)

    async def _some_groups(self) -> list[GitLabRow]:
        """Ask for the own pages of a bounded number of groups."""
        found = await self._inventory.session.io(self._inventory.store.paths_after, ResourceType.GROUP, None)
        pages = []
        for key, _ in found[:MOST_ASKED]:
            with suppress(Forbidden, ResourceNotFound):
                reply = await self._inventory.session.gitlab.get(f"/groups/{int(key)}", {"with_projects": "true"})
                pages.append(mapping(reply.body))
        return pages

    async def take(self, rows: Rows) -> None:
        """Store those of these projects that the integration covers."""
        inventory, kind = self._inventory, ResourceType.PROJECT
        good = [row for row, _ in await read_skipping_unreadable(inventory.session, SCOPE, rows, project_of)]
        is_terse = any("shared_with_groups" not in row for row in good)
        ids = [row["id"] for row in good]
        known = await inventory.session.io(inventory.store.known, kind, ids) if is_terse else None
        projects = self._wanted([project_of(row, known.values.get(row["id"]) if known else None) for row in good])
        await inventory.store_resources(kind, projects, merged_with=known)

    def _wanted(self, projects: Sequence[Resource]) -> list[Resource]:
        # A server that does not know `with_shared` lists projects of other groups too: they are not the integration's.
        group = self._inventory.session.target.group
        return [project for project in projects if group is None or is_within(project.full_path, group)]


def _is_group(row: GitLabRow) -> bool:
    return number(row.get("id")) is not None
