"""Refreshing what a hint names: one group or project is read, with its shares, direct members and invitations.

What is new or changed is stored at once. A member goes only where the list was read to its end, GitLab confirms it by
id, and a run that saw nothing but this list would let it go; whatever else is gone is for the next run to say.
"""

from collections.abc import Sequence

from gitlab_hub.access.accounts import AccountCollector
from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.graphql.members import MemberBatches
from gitlab_hub.access.invitations import InvitationsStage
from gitlab_hub.access.keys import ACCOUNTS
from gitlab_hub.access.members import MembersStage, NamelessMembers
from gitlab_hub.access.sweep import ExistenceCheck
from gitlab_hub.access.transform import account_of_user, is_admin_row
from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound
from gitlab_hub.gitlab.fields import GitLabRow, mapping, padded
from gitlab_hub.inventory.coverage import covers_group, covers_project
from gitlab_hub.inventory.listing import AS_GUEST, GroupsStage, Params, ProjectsStage
from gitlab_hub.inventory.model import ALL, ResourceType
from gitlab_hub.sync.ports import Scope

NEWEST: Params = {"order_by": "id", "sort": "desc"}
OWN_PROJECTS: Params = {"with_shared": "false"}
MOST_NEWCOMERS = 20
"""Accounts looked up for one hint; whoever else joined at the same time is found by the next run."""


class TargetedRefresh:
    """Reads one group or project."""

    def __init__(self, context: AccessContext) -> None:
        self._context, self._existence = context, ExistenceCheck(context)
        self._groups, self._projects = GroupsStage(context.inventory), ProjectsStage(context.inventory)

    async def run(self, kind: ResourceType, number: int) -> None:
        """Read what the hint is about, if it can be seen and the integration covers it."""
        detail = await self._fetch_if_covered(kind, number)
        if detail is None:
            self._context.session.count(out_of_reach=1)
            return
        take = self._groups.take if kind is ResourceType.GROUP else self._projects.take
        await take([dict(detail)])
        if kind is ResourceType.GROUP:
            await self._read_newest_children(number)
        collector, batches, nameless = AccountCollector(self._context), MemberBatches(self._context), NamelessMembers()
        stage = MembersStage(self._context, kind, collector, batches, nameless)
        members = await stage.read_members(number, Scope(padded(number)))
        await self._store_newcomers(members)
        await self._context.grants.delete_missing(self._existence.grant_is_gone)
        invitations = InvitationsStage(self._context, kind, nameless, stage.read_members)
        path = detail.get("full_path" if kind is ResourceType.GROUP else "path_with_namespace")
        await invitations.refresh(number, str(path))

    async def _fetch_if_covered(self, kind: ResourceType, number: int) -> GitLabRow | None:
        params, session = {"with_projects": "false"} if kind is ResourceType.GROUP else None, self._context.session
        try:
            detail = mapping((await session.gitlab.get(f"/{kind.collection}/{number}", params)).body)
        except (ResourceNotFound, Forbidden):
            return None
        if detail.get("id") != number:
            return None
        if kind is ResourceType.PROJECT:
            covered = await covers_project(session.gitlab, session.target, detail)
        else:
            covered = await covers_group(session.gitlab, session.target, number, detail)
        return detail if covered else None

    async def _read_newest_children(self, group_id: int) -> None:
        """Take in what was just made in the group: one page of each list. Older ones are known already."""
        session = self._context.session
        narrow = session.target.group is not None or session.target.is_admin
        params = NEWEST if narrow else {**NEWEST, **AS_GUEST}
        subgroups = await anext(session.gitlab.pages(f"/groups/{group_id}/subgroups", params))
        await self._groups.take(subgroups.rows)
        projects = await anext(session.gitlab.pages(f"/groups/{group_id}/projects", {**params, **OWN_PROJECTS}))
        await self._projects.take(projects.rows)

    async def _store_newcomers(self, members: Sequence[int]) -> None:
        """Store the accounts of new members where these are not taken from the members' rows: a grant needs a face."""
        context, session = self._context, self._context.session
        known = await session.io(context.store.known_accounts, members)
        unknown = [number for number in members if number not in known.values]
        if not unknown or not await context.visibility.can_list_accounts():
            return
        mark = await context.first_reading(ACCOUNTS)
        for number in unknown[:MOST_NEWCOMERS]:
            try:
                row = mapping((await session.gitlab.get(f"/users/{number}")).body)
            except ResourceNotFound:
                continue
            if is_admin_row(row):
                await context.accounts.upsert(ALL, [context.store.account_row(account_of_user(row), mark)])
