"""The last stages: remove what GitLab, listed completely and then asked by id, no longer has."""

from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.keys import ALL
from gitlab_hub.access.model import ResourceType
from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound
from gitlab_hub.gitlab.fields import GitLabRow, first_text, is_within, mapping, part
from gitlab_hub.sync.ports import Scope, SingleScopeStage


class MemberAccountsStage(SingleScopeStage):
    """Where accounts come from member lists: decide whether these lists make a full one.

    A stage of its own, because what was met is counted once, however often the sweep after it has to be tried.
    """

    name = "member_accounts"

    def __init__(self, context: AccessContext) -> None:
        self._context = context

    async def read(self, scope: Scope) -> None:  # noqa: ARG002 - there is only one
        """Close the list only where every group and project showed its members.

        A token that ought to list users, and for once cannot, says nothing about who is gone.
        """
        if not self._context.visibility.expects_account_list and self._context.session.failures == 0:
            await self._context.accounts.complete(ALL)


class SweepStage(SingleScopeStage):
    """Projects and groups go first and take their grants along; accounts go last, when their grants are known."""

    name = "sweep"

    def __init__(self, context: AccessContext) -> None:
        self._context, self._existence = context, ExistenceCheck(context)

    async def read(self, scope: Scope) -> None:  # noqa: ARG002 - there is only one
        """Sweep every dataset."""
        context, existence = self._context, self._existence
        await context.resources[ResourceType.PROJECT].delete_missing(existence.project_is_gone)
        await context.resources[ResourceType.GROUP].delete_missing(existence.group_is_gone)
        await context.grants.delete_missing(existence.grant_is_gone)
        await context.accounts.delete_missing(existence.account_is_gone)


class ExistenceCheck:
    """Asks GitLab about single rows: one that slipped between two pages of a shifting list is still there."""

    def __init__(self, context: AccessContext) -> None:
        self._context, self._target = context, context.session.target

    async def project_is_gone(self, _: str, key: str) -> bool:
        """Whether the project is deleted, or no longer one that the integration covers."""
        project = await self._ask(f"/projects/{int(key)}")
        return project is None or await self.does_not_cover_project(project)

    async def does_not_cover_project(self, project: GitLabRow) -> bool:
        """Whether a project that can be seen is none of the integration's."""
        if self._target.group is not None:
            return await self._left_the_group(project, "path_with_namespace")
        permissions = part(project, "permissions")
        return not self._target.is_admin and bool(permissions) and not any(permissions.values())

    async def group_is_gone(self, _: str, key: str) -> bool:
        """Whether the group is deleted, or no longer one that the integration covers."""
        group = await self._ask(f"/groups/{int(key)}", with_projects="false")
        return group is None or await self.does_not_cover_group(group, int(key))

    async def does_not_cover_group(self, group: GitLabRow, group_id: int) -> bool:
        """Whether a group that can be seen is none of the integration's."""
        if self._target.group is not None:
            return await self._left_the_group(group, "full_path")
        return not self._target.is_admin and await self._is_no_member(group_id)

    async def grant_is_gone(self, scope: str, key: str) -> bool:
        """Whether the account is no direct member any more."""
        kind, _, resource = scope.partition("#")
        collection = ResourceType(kind).collection
        return await self._ask(f"/{collection}/{int(resource)}/members/{int(key)}") is None

    async def account_is_gone(self, _: str, key: str) -> bool:
        """Whether the account is deleted, or, where members make the list, has nothing left."""
        if not self._context.visibility.expects_account_list:
            return not await self._context.session.io(self._context.store.has_grants, int(key))
        return await self._ask(f"/users/{int(key)}") is None

    async def _is_no_member(self, group_id: int) -> bool:
        return await self._ask(f"/groups/{group_id}/members/all/{self._target.user_id}") is None

    async def _left_the_group(self, row: GitLabRow, name: str) -> bool:
        """Whether it lies outside of the integration's group, whose name may have changed since the run began."""
        path, group_path = row.get(name), self._context.group_path
        if not isinstance(path, str) or group_path is None or is_within(path, self._target.group or ""):
            return False
        now = first_text(await self._ask(group_path, with_projects="false") or {}, "full_path")
        return now is not None and not is_within(path, now)

    async def _ask(self, path: str, **params: str) -> GitLabRow | None:
        """Read one thing by its id; None = GitLab says there is none. A refusal is no such answer."""
        try:
            reply = await self._context.session.gitlab.get(path, params or None)
        except ResourceNotFound:
            return None
        except Forbidden:
            return {}
        return mapping(reply.body)
