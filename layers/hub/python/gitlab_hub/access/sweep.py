"""The last stages: remove what GitLab, listed completely and then asked by id, no longer has."""

from gitlab_hub.access.context import AccessContext
from gitlab_hub.inventory.coverage import fetch, group_is_gone, project_is_gone
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.sync.ports import Scope, SingleScopeStage


class SweepStage(SingleScopeStage):
    """Projects and groups go first and take their grants along; accounts go last, when their grants are known."""

    name = "sweep"

    def __init__(self, context: AccessContext) -> None:
        self._context, self._existence = context, ExistenceCheck(context)

    async def read(self, scope: Scope) -> None:  # noqa: ARG002 - there is only one
        """Sweep every dataset."""
        context, existence = self._context, self._existence
        await context.inventory.mirrors[ResourceType.PROJECT].delete_missing(existence.project_is_gone)
        await context.inventory.mirrors[ResourceType.GROUP].delete_missing(existence.group_is_gone)
        await context.grants.delete_missing(existence.grant_is_gone)
        await context.accounts.delete_missing(existence.account_is_gone)


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
