"""The stages of direct memberships: one small scope per stored group, then one per stored project."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from gitlab_hub.access.accounts import AccountCollector
from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.keys import grants_scope, members_stage
from gitlab_hub.access.transform import grant_of
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.errors import NothingVisible, UnexpectedResponse
from gitlab_hub.gitlab.fields import mapping, padded
from gitlab_hub.gitlab.messages import Scalar
from gitlab_hub.inventory.contradictions import LOOK
from gitlab_hub.inventory.listing import Rows
from gitlab_hub.inventory.model import ALL, ResourceType, with_own_page
from gitlab_hub.storage.ports import Key
from gitlab_hub.sync.ports import Scope, SingleScopeStage, SyncTarget
from gitlab_hub.sync.unreadable_rows import read_skipping_unreadable

MAX_COLLECTED = 100_000
"""Members of one group or project; GitLab has no such group, and a worker's memory an end."""


async def collect(gitlab: GitLab, path: str, params: Mapping[str, Scalar] | None = None) -> Rows:
    """Read a list that is small enough to be held."""
    rows: Rows = []
    async for page in gitlab.pages(path, params):
        rows += page.rows
        if len(rows) > MAX_COLLECTED:
            raise UnexpectedResponse("GitLab lists more members of one group or project than the hub can take.")
    return rows


async def resource_scopes(
    context: AccessContext, kind: ResourceType, after: str | None, look_ahead: Callable[[Sequence[str]], None]
) -> AsyncIterator[Scope]:
    """Give one scope per stored group or project; its key is the resource's; `look_ahead` hears of many."""
    while found := await context.session.io(context.inventory.store.paths_after, kind, after):
        scopes = [grants_scope(kind, key) for key, _ in found]
        await context.session.io(look_ahead, scopes)
        for key, path in found:
            yield Scope(key, {"type": str(kind), "id": int(key), "path": path})
        after = found[-1][0]
    # What is not read by now reads its own: the sweep must not see rows of long ago.
    look_ahead(())


class MembersStage:
    """The direct members of every stored group, or of every stored project."""

    def __init__(self, context: AccessContext, kind: ResourceType, collector: AccountCollector) -> None:
        self.name = members_stage(kind)
        self._context, self._kind, self._collector = context, kind, collector

    async def size(self) -> int:
        """Count the resources."""
        return await self._context.session.io(self._context.inventory.store.count, self._kind)

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """Give one scope per resource."""
        async for scope in resource_scopes(self._context, self._kind, after, self._context.store.grants.look_ahead):
            yield scope

    async def read(self, scope: Scope) -> None:
        """Read the members of one resource."""
        resource_id = int(scope.key)
        if self._kind is ResourceType.GROUP:
            await self._read_own_page(resource_id, await self._context.first_reading(self._list_of(resource_id)))
        await self.read_members(resource_id, scope)

    async def read_members(self, resource_id: int, scope: Scope) -> Sequence[int]:
        """Read the direct members of one resource, all of them; the answer is who they are."""
        rows = await collect(self._context.session.gitlab, f"/{self._kind.collection}/{resource_id}/members")
        # Members are listed by numbered pages: one that joins or leaves meanwhile can repeat another.
        members_list = self._list_of(resource_id)
        mark = await self._context.first_reading(members_list)
        read = partial(grant_of, resource_type=self._kind, resource_id=resource_id)
        found = await read_skipping_unreadable(self._context.session, scope, rows, read)
        members = {grant.account_id: (row, grant) for row, grant in found}
        await self._collector.add([row for row, _ in members.values()], mark)
        stored = [replace(self._context.store.grant_row(grant), baseline_mark=mark) for _, grant in members.values()]
        await self._context.grants.replace_all(members_list, stored)
        await self._context.was_read(members_list, mark)
        return list(members)

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
