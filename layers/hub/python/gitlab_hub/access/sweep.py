"""The last stages: remove what GitLab, listed completely and then asked by id, no longer has."""

from collections.abc import Callable

from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.keys import ACCOUNTS, grants_scope
from gitlab_hub.access.summary_row import SummaryRow
from gitlab_hub.inventory.coverage import fetch, group_is_gone, project_is_gone
from gitlab_hub.inventory.model import ALL, ResourceType
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.ports import Scope, SingleScopeStage


class SweepStage(SingleScopeStage):
    """Projects and groups go first and take their grants along; accounts go last, when their grants are known."""

    name = "sweep"

    def __init__(self, context: AccessContext, note_end: Callable[[str, str], None], table: Table) -> None:
        """Sweep, and note which run of which integration is about to end."""
        self._context, self._existence, self._note_end = context, ExistenceCheck(context), note_end
        self._table = table

    async def read(self, scope: Scope) -> None:  # noqa: ARG002 - there is only one
        """Sweep every dataset."""
        context, existence = self._context, self._existence
        await context.session.write(context.store.move_former_rows)
        await context.inventory.mirrors[ResourceType.PROJECT].delete_missing(existence.project_is_gone)
        await context.inventory.mirrors[ResourceType.GROUP].delete_missing(existence.group_is_gone)
        await context.grants.delete_missing(existence.grant_is_gone)
        await context.accounts.delete_missing(existence.account_is_gone)
        await self._begin_feed()
        session = context.session
        await session.write(context.store.graph.make)
        summary = SummaryRow(session.fenced(self._table), session.target.integration_id)
        await session.write(summary.count, session.sync_id, session.now().timestamp())
        await session.write(self._note_end, session.target.integration_id, session.sync_id)

    async def _begin_feed(self) -> None:
        """Have changes told from the first run on that has read groups, projects and members, and may believe them.

        Single lists of which nothing could be read so far are noted: what their first reading shows is no change.
        """
        context = self._context
        mirrors = (*context.inventory.mirrors.values(), context.grants)
        if not all(mirror.is_believed(ALL) for mirror in mirrors):
            return
        if await context.session.io(lambda: context.feed.has_begun):
            return
        unread = await context.session.io(self._unread_members)
        if await context.visibility.collects_accounts() or not context.accounts.is_complete(ALL):
            unread.append(ACCOUNTS)
        await context.session.write(context.feed.begin, unread)

    def _unread_members(self) -> list[str]:
        context = self._context
        scopes = (
            grants_scope(kind, key)
            for kind in ResourceType
            for key, _ in context.store.inventory.resources[kind].stored(ALL)
        )
        return [scope for scope in scopes if not context.grants.is_complete(scope)]


class ExistenceCheck:
    """Asks GitLab about single rows: one that slipped between two pages of a shifting list is still there."""

    def __init__(self, context: AccessContext) -> None:
        self._context, self._target, self._gitlab = context, context.session.target, context.session.gitlab

    async def project_is_gone(self, _: str, key: str) -> bool:
        """Whether the project is deleted, or no longer one that the integration covers."""
        return await project_is_gone(self._gitlab, self._target, int(key))

    async def group_is_gone(self, _: str, key: str) -> bool:
        """Whether the group is deleted, or no longer one that the integration covers."""
        return await group_is_gone(self._gitlab, self._target, int(key))

    async def grant_is_gone(self, scope: str, key: str) -> bool:
        """Whether the account is no direct member any more."""
        kind, _, resource = scope.partition("#")
        collection = ResourceType(kind).collection
        return await fetch(self._gitlab, f"/{collection}/{int(resource)}/members/{int(key)}") is None

    async def account_is_gone(self, _: str, key: str) -> bool:
        """Whether the account is deleted, or, where members make the list, has nothing left."""
        if not self._context.visibility.expects_account_list:
            return not await self._context.session.io(self._context.store.has_grants, int(key))
        return await fetch(self._gitlab, f"/users/{int(key)}") is None
