"""The stages of direct memberships: one small scope per stored group, then one per stored project."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial

from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.contradictions import contradicts_no_members
from gitlab_hub.access.keys import ALL, grants_scope
from gitlab_hub.access.lists import Rows, collect
from gitlab_hub.access.model import ResourceType, item_of
from gitlab_hub.access.store import account_row, resource_row
from gitlab_hub.access.transform import account_of_member, grant_of, shares_of
from gitlab_hub.gitlab.errors import NothingVisible
from gitlab_hub.gitlab.fields import mapping
from gitlab_hub.ids import padded
from gitlab_hub.storage.rows import content_hash
from gitlab_hub.sync.ports import Scope, SingleScopeStage
from gitlab_hub.sync.unreadable_rows import read_skipping_unreadable


class AccountCollector:
    """The accounts of a token that cannot list them: everybody it meets as a member."""

    def __init__(self, context: AccessContext) -> None:
        self._context = context
        self._merging = asyncio.Lock()
        self._met: set[tuple[int, str]] = set()

    async def add(self, rows: Rows) -> None:
        """Store what is new in this slice; fields that member rows lack stay as they were."""
        if not rows or not await self._context.visibility.collects_accounts():
            return
        told = {(row["id"], content_hash(item_of(account_of_member(row)))): row for row in rows}
        # One at a time: rows of two lists may tell different things of one account, and neither is to be lost.
        async with self._merging:
            fresh = {key: row for key, row in told.items() if key not in self._met}
            if fresh:
                await self._merge(list(fresh.values()))
                self._met.update(fresh)

    async def _merge(self, rows: Rows) -> None:
        context = self._context
        known = await context.session.io(context.store.known_accounts, [row["id"] for row in rows])
        accounts = [account_of_member(row, known.get(row["id"])) for row in rows]
        await context.accounts.upsert(ALL, [account_row(account) for account in accounts])


class MembersStage:
    """The direct members of every stored group, or of every stored project."""

    def __init__(self, context: AccessContext, kind: ResourceType, collector: AccountCollector) -> None:
        self.name = f"{kind}_members"
        self._context, self._kind, self._collector = context, kind, collector

    async def size(self) -> int:
        """Count the resources."""
        return await self._context.session.io(self._context.store.count, self._kind)

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """Give one scope per resource; its key is the resource's."""
        while found := await self._context.session.io(self._context.store.paths_after, self._kind, after):
            scopes = [grants_scope(self._kind, key) for key, _ in found]
            await self._context.session.io(self._context.store.grants.look_ahead, scopes)
            for key, path in found:
                yield Scope(key, {"type": str(self._kind), "id": int(key), "path": path})
            after = found[-1][0]
        # What is not read by now reads its own: the sweep must not see rows of long ago.
        self._context.store.grants.look_ahead(())

    async def read(self, scope: Scope) -> None:
        """Read the members of one resource."""
        resource_id = int(scope.key)
        if self._kind is ResourceType.GROUP:
            await self._read_shares(resource_id)
        await self.read_members(resource_id, scope)

    async def read_members(self, resource_id: int, scope: Scope) -> Sequence[int]:
        """Read the direct members of one resource, all of them; the answer is who they are."""
        rows = await collect(self._context.session.gitlab, f"/{self._kind.collection}/{resource_id}/members")
        # Members are listed by numbered pages: one that joins or leaves meanwhile can repeat another.
        read = partial(grant_of, resource_type=self._kind, resource_id=resource_id)
        found = await read_skipping_unreadable(self._context.session, scope, rows, read)
        members = {grant.account_id: (row, grant) for row, grant in found}
        await self._collector.add([row for row, _ in members.values()])
        stored = [self._context.store.grant_row(grant) for _, grant in members.values()]
        await self._context.grants.replace_all(grants_scope(self._kind, padded(resource_id)), stored)
        return list(members)

    async def _read_shares(self, group_id: int) -> None:
        """Take the groups invited into this one: only its own page tells, and that page is not taken whole."""
        context = self._context
        reply = await context.session.gitlab.get(f"/groups/{group_id}", {"with_projects": "false"})
        known = await context.session.io(context.store.known_resources, self._kind, [group_id])
        detail = mapping(reply.body)
        if group_id in known and "shared_with_groups" in detail:
            group, shares = known[group_id], shares_of(detail)
            if shares != group.shared_with:
                await context.resources[self._kind].upsert(ALL, [resource_row(replace(group, shared_with=shares))])


class MemberListsStage(SingleScopeStage):
    """Judges the lists of members together: each may be empty, and all of them cannot."""

    name = "members"

    def __init__(self, context: AccessContext) -> None:
        self._context = context

    async def read(self, scope: Scope) -> None:  # noqa: ARG002 - there is only one
        """Raise NothingVisible where everything was read, and somebody must be missing."""
        context = self._context
        if context.session.failures or await context.session.io(context.store.is_empty):
            return
        listed = {kind: context.grants.lists_any(grants_scope(kind, "")) for kind in ResourceType}
        if all(listed.values()):
            return
        # Only where a kind lists nobody: what is stored of it is passed over to the first without a parent.
        has_root = {
            kind: not listed[kind] and await context.session.io(context.store.has_root, kind) for kind in ResourceType
        }
        if (why := contradicts_no_members(listed, has_root, context.session.target)) is not None:
            raise NothingVisible(why)
