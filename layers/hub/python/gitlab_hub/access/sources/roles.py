"""The stage that reads the names of custom roles, where a group was invited with one: GitLab shows its id alone there.

Members' rows name their own roles. GitLab lists roles to Owners of a top-level group on gitlab.com, to administrators
everywhere else, and on Ultimate only (ee/lib/api/member_roles.rb: the other list is 400).
"""

from functools import partial

from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.due import is_due, note_reading, now_of
from gitlab_hub.access.keys import MEMBER_ROLES
from gitlab_hub.access.sources.layers import list_at
from gitlab_hub.access.sources.store import READ
from gitlab_hub.gitlab.account_lists import GROUP_ROLES, INSTANCE_ROLES, AccountList
from gitlab_hub.gitlab.errors import Forbidden, GitLabError, MissingPermissions, ResourceNotFound, UnexpectedResponse
from gitlab_hub.gitlab.fields import number, text
from gitlab_hub.sync.asides import ENDS_SLICE, as_refusal, status_of
from gitlab_hub.sync.ports import Scope, SingleScopeStage

MOST_ROLES = 1_000


class MemberRolesStage(SingleScopeStage):
    """Reads them once a day."""

    name = MEMBER_ROLES

    def __init__(self, context: AccessContext) -> None:
        self._context = context

    async def read(self, scope: Scope) -> None:  # noqa: ARG002 - there is only one
        """Note the names of all roles that the token may list; those that are noted stay where it may list none."""
        session, store = self._context.session, self._context.store
        if not await is_due(self._context, self.name):
            session.keep_notes()
            return
        if await session.io(self._context.inventory.store.is_empty):
            return
        if await session.io(store.sources.has_roles):
            names: dict[int, str] = {}
            refused: tuple[AccountList, GitLabError] | None = None
            for one, path in await self._lists():
                try:
                    names |= await as_refusal(session, partial(self._names, path))
                except ENDS_SLICE:
                    raise
                except GitLabError as error:
                    refused = refused or (one, error)
            if names:
                await session.write(store.sources.keep_roles, names, now_of(self._context))
            elif refused is not None:
                await self._note(*refused)
        await note_reading(self._context, self.name)

    async def _lists(self) -> list[tuple[AccountList, str]]:
        """Where roles may be listed: in the groups whose Owner the token's user is known to be, or of the instance."""
        states = await self._context.session.io(self._context.store.sources.states)
        owned = [list_at(place)[1] for place, state in states.items() if state.status == READ]
        groups = sorted({group_id for group_id in owned if group_id is not None})
        lists = [(GROUP_ROLES, f"/groups/{group_id}/{GROUP_ROLES.path}") for group_id in groups]
        return lists or [(INSTANCE_ROLES, f"/{INSTANCE_ROLES.path}")]

    async def _names(self, path: str) -> dict[int, str]:
        names: dict[int, str] = {}
        async for page in self._context.session.gitlab.pages(path):
            for row in page.rows[:MOST_ROLES]:
                if (role := number(row.get("id"))) is not None and (name := text(row.get("name"))):
                    names[role] = name
        return names

    async def _note(self, one: AccountList, error: GitLabError) -> None:
        status, why = status_of(error), str(error)
        is_refusal = isinstance(error, Forbidden) and not isinstance(error, MissingPermissions)
        if is_refusal or (isinstance(error, UnexpectedResponse) and error.http_status == 400):  # noqa: PLR2004
            status, why = "forbidden", one.to_change
        elif isinstance(error, ResourceNotFound):
            status, why = "disabled", "This GitLab has no custom roles."
        await self._context.session.aside(Scope(one.name), status, error.code, f"{one.does}: {why}")
