"""The stages of direct memberships: one small scope per stored group, then one per stored project."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial

from gitlab_hub.access.accounts import AccountCollector
from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.due import is_due, note_reading
from gitlab_hub.access.graphql.members import MemberBatches
from gitlab_hub.access.graphql.pages import GroupPages
from gitlab_hub.access.keys import TOP_GROUPS, grants_scope, members_stage
from gitlab_hub.access.transform import Nameless, grant_of, in_order
from gitlab_hub.gitlab.errors import NothingVisible
from gitlab_hub.gitlab.fields import mapping, padded
from gitlab_hub.inventory.contradictions import LOOK
from gitlab_hub.inventory.listing import Rows, collect
from gitlab_hub.inventory.model import ALL, ResourceType, with_own_page
from gitlab_hub.storage.ports import Key
from gitlab_hub.sync.ports import Scope, SingleScopeStage, SyncTarget
from gitlab_hub.sync.unreadable_rows import read_skipping_unreadable


async def resource_scopes(
    context: AccessContext,
    kind: ResourceType,
    after: str | None,
    look_ahead: Callable[[Sequence[str]], None],
    plan: Callable[[ResourceType, Sequence[tuple[str, str]]], None] = lambda _kind, _resources: None,
    only: AbstractSet[str] | None = None,
) -> AsyncIterator[Scope]:
    """Give one scope per stored group or project, or per one of those whose keys are in `only`; its key is that.

    `look_ahead` hears of many scopes that are read next, `plan` of what they are about: keys and full paths.
    """
    while only != frozenset() and (found := await context.session.io(context.inventory.store.paths_after, kind, after)):
        wanted = [one for one in found if only is None or one[0] in only]
        await context.session.io(look_ahead, [grants_scope(kind, key) for key, _ in wanted])
        plan(kind, wanted)
        for key, path in wanted:
            yield Scope(key, {"type": str(kind), "id": int(key), "path": path})
        after = found[-1][0]
    # What is not read by now reads its own: the sweep must not see rows of long ago.
    look_ahead(())


class NamelessMembers:
    """What GraphQL has told in this slice of members without an account, group by group and project by project."""

    def __init__(self) -> None:
        self._told: dict[tuple[ResourceType, int], tuple[Nameless, ...]] = {}

    def tell(self, kind: ResourceType, number: int, members: Iterable[Nameless]) -> None:
        """Hear of those in one list, which GraphQL has told whole."""
        self._told[kind, number] = in_order(members)

    def of(self, kind: ResourceType, number: int) -> tuple[Nameless, ...] | None:
        """Those in one list, in order; None where GraphQL has not told it."""
        return self._told.get((kind, number))


class MembersStage:
    """The direct members of every stored group, or of every stored project."""

    def __init__(
        self,
        context: AccessContext,
        kind: ResourceType,
        collector: AccountCollector,
        batches: MemberBatches,
        nameless: NamelessMembers,
    ) -> None:
        self.name = members_stage(kind)
        self._context, self._kind, self._collector, self._batches = context, kind, collector, batches
        self._nameless, self._pages = nameless, GroupPages(context, batches)

    async def size(self) -> int:
        """Count the resources."""
        return await self._context.session.io(self._context.inventory.store.count, self._kind)

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """Give one scope per resource."""
        look_ahead, has_any = self._context.store.grants.look_ahead, after is not None
        async for scope in resource_scopes(self._context, self._kind, after, look_ahead, self._batches.plan):
            has_any = True
            yield scope
        if has_any and self._kind is ResourceType.GROUP and await is_due(self._context, TOP_GROUPS):
            await note_reading(self._context, TOP_GROUPS)

    async def note_round(self) -> None:
        """Note how far the round of groups' own pages is."""
        await self._pages.note_round()

    async def read(self, scope: Scope) -> None:
        """Read the members of one resource."""
        resource_id = int(scope.key)
        if self._kind is ResourceType.GROUP and await self._pages.is_wanted(resource_id):
            await self._read_own_page(resource_id, await self._context.first_reading(self._list_of(resource_id)))
        await self.read_members(resource_id, scope)

    async def read_members(self, resource_id: int, scope: Scope) -> Sequence[int]:
        """Read the direct members of one resource, all of them; the answer is who they are."""
        rows, stored = await self._listed(resource_id)
        # Members are listed by numbered pages: one that joins or leaves meanwhile can repeat another.
        members_list = self._list_of(resource_id)
        mark = await self._context.first_reading(members_list)
        read = partial(grant_of, resource_type=self._kind, resource_id=resource_id)
        found = await read_skipping_unreadable(self._context.session, scope, rows, read)
        members = {grant.account_id: (row, grant) for row, grant in found}
        await self._collector.add([row for row, _ in members.values()], mark)
        kept = [replace(self._context.store.grant_row(grant), baseline_mark=mark) for _, grant in members.values()]
        await self._context.grants.replace_all(members_list, kept, stored)
        await self._context.was_read(members_list, mark)
        return list(members)

    async def _listed(self, resource_id: int) -> tuple[Rows, dict[str, str] | None]:
        """The members' rows, and with those of GraphQL the hashes of the rows that are stored.

        A list in which somebody is missing who is stored is asked of REST: nobody goes on GraphQL's word.
        """
        session, members_list = self._context.session, self._list_of(resource_id)
        told = await self._batches.told_of(self._kind, resource_id)
        if told is not None and told.by_graphql:
            stored = await session.io(lambda: dict(self._context.store.grants.stored(members_list)))
            if stored.keys() <= {padded(row["id"]) for row in told.rows}:
                session.count(lists_by_graphql=1)
                self._nameless.tell(self._kind, resource_id, told.nameless)
                return told.rows, stored
        session.count(lists_by_rest=1)
        if told is not None and not told.by_graphql:
            return told.rows, None
        return await collect(session.gitlab, f"/{self._kind.collection}/{resource_id}/members"), None

    def _list_of(self, resource_id: int) -> str:
        return grants_scope(self._kind, padded(resource_id))

    async def _read_own_page(self, group_id: int, mark: Key | None) -> None:
        """Take what only the page of a group tells, first of all the groups invited into it."""
        context = self._context
        reply = await context.session.gitlab.get(f"/groups/{group_id}", {"with_projects": "false"})
        known = await context.session.io(context.inventory.store.known, self._kind, [group_id])
        detail = mapping(reply.body)
        if (group := known.values.get(group_id)) is not None and (told := with_own_page(group, detail)) != group:
            await context.inventory.store_resources(self._kind, [told], merged_with=known, baseline_mark=mark)


def contradicts_no_members(
    listed: Mapping[ResourceType, bool], has_root: Mapping[ResourceType, bool], target: SyncTarget
) -> str | None:
    """Why lists without a single member cannot be whole; None where they may be.

    `listed`: whether any group (project) listed a member of its own. `has_root`: whether one of them is a group at the
    top (a project in a personal namespace). The first always has an owner of its own: GitLab protects the last one
    (app/policies/group_member_policy.rb, `last_owner?`). The second has the holder of its namespace, who cannot leave
    (app/policies/project_member_policy.rb). And a token that is not limited to a group is shown what its user is a
    member of, so there is at least one membership to be listed; what an administrator is shown lies below such roots.
    """
    if not any(listed.values()) and target.group is None:
        return f"GitLab lists no member of any group or project, and somebody must be one. {LOOK}"
    if has_root[ResourceType.GROUP] and not listed[ResourceType.GROUP]:
        return f"GitLab lists no member of any group, and a group at the top always has an owner. {LOOK}"
    if has_root[ResourceType.PROJECT] and not listed[ResourceType.PROJECT]:
        return f"GitLab lists no member of any project, and a personal project always has its owner. {LOOK}"
    return None


class MemberListsStage(SingleScopeStage):
    """Judges the lists of members together: each may be empty, and all of them cannot."""

    name = "members"

    def __init__(self, context: AccessContext) -> None:
        self._context = context

    async def read(self, scope: Scope) -> None:  # noqa: ARG002 - there is only one
        """Raise NothingVisible where everything was read, and somebody must be missing."""
        context = self._context
        listed = {kind: context.grants.lists_any(grants_scope(kind, "")) for kind in ResourceType}
        is_whole = not context.session.failures and not await context.session.io(context.inventory.store.is_empty)
        if is_whole and not all(listed.values()):
            await self._compare(listed)
        if is_whole or any(listed.values()):
            context.grants.believe(ALL)

    async def _compare(self, listed: Mapping[ResourceType, bool]) -> None:
        context = self._context
        # Only where a kind lists nobody: what is stored of it is passed over to the first without a parent.
        has_root = {
            kind: not listed[kind] and await context.session.io(context.inventory.store.has_root, kind)
            for kind in ResourceType
        }
        if (why := contradicts_no_members(listed, has_root, context.session.target)) is not None:
            raise NothingVisible(why)
