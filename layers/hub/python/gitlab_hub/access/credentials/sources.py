"""The stages that read credentials group by group, or project by project: only where the token's user may see them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from gitlab_hub.access.credentials.access_tokens import OTHERS, UNREADABLE
from gitlab_hub.access.credentials.context import CredentialContext
from gitlab_hub.access.credentials.model import NOWHERE, Credential, scope_of, source_of
from gitlab_hub.access.credentials.transform import deploy_key_of, deploy_token_of, token_of
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.errors import Forbidden, UnexpectedResponse
from gitlab_hub.gitlab.fields import GitLabRow, padded, strict_number
from gitlab_hub.inventory.listing import Rows, collect
from gitlab_hub.inventory.model import Resource, ResourceType
from gitlab_hub.sync.asides import Attempts, readable
from gitlab_hub.sync.ports import Scope

OWNER, MAINTAINER = 50, 40
ROLE = {OWNER: "Owners", MAINTAINER: "Maintainers"}

ONLY_OF_TOPS = (
    "Tokens of service accounts are read for top-level groups that the integration covers: those of accounts that "
    "belong to a subgroup or a project are found with the token of a self-managed GitLab's administrator only."
)

Collect = Callable[[CredentialContext, str], Awaitable[Rows]]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What is read of each group or project, and who is shown it."""

    name: str
    kind: CredentialKind
    resource_type: ResourceType
    path: str
    least: int
    permission: str
    """What a fine-grained token needs, as GitLab names it."""
    read: Callable[[GitLabRow, int], Credential]
    collect: Collect
    is_source: Callable[[Resource], bool] = field(default=lambda _: True)
    besides: str = ""
    """What there is of the kind that is read nowhere."""

    @property
    def words(self) -> str:
        """The kind in words, as in "deploy tokens of groups"."""
        return f"{str(self.kind).replace('_', ' ')}s of {self.resource_type.collection}"


class SourcesStage:
    """The credentials of one kind in every stored group, or in every stored project."""

    def __init__(self, context: CredentialContext, sources: Sources) -> None:
        self.name = sources.name
        self._context, self._sources, self._attempts = context, sources, Attempts()

    async def size(self) -> int:
        """Count the groups or projects."""
        return await self._context.session.io(self._context.store.count, self._sources.resource_type.collection) + 1

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """Give one scope per group or project, and one for all that are not shown."""
        kind = self._sources.resource_type
        position = None if after == OTHERS.key else after
        while position is not None or after is None:
            found = await self._context.session.io(self._context.store.resources_after, kind, position)
            for one in found:
                if self._sources.is_source(one):
                    yield Scope(padded(one.id), {"type": str(kind), "id": one.id, "path": one.full_path})
            if not found:
                break
            position = padded(found[-1].id)
        if after != OTHERS.key:
            yield OTHERS

    async def read(self, scope: Scope) -> None:
        """Read one group or project; where the user has too little, nothing is asked."""
        if not await self._is_wanted():
            return
        if scope == OTHERS:
            await self._note_unseen()
        elif await self._is_shown(int(scope.key)):
            await self._attempts.read(self._context.session, scope, self._read, given_up=self._given_up())

    async def _is_wanted(self) -> bool:
        """Whether no list of the whole GitLab has it all."""
        return not await self._context.reach.sees_instance()

    async def _is_shown(self, resource_id: int) -> bool:
        return await self._context.reach.shows(self._sources.resource_type, resource_id, self._sources.least)

    async def _read(self, scope: Scope) -> None:
        context, sources, resource_id = self._context, self._sources, int(scope.key)
        path = f"/{sources.resource_type.collection}/{resource_id}/{sources.path}"
        rows = await context.reach.as_refusal(partial(sources.collect, context, path))
        found, is_whole = readable(rows, partial(_read_row, sources, resource_id))
        stored = [context.store.row(one) for _, one in found]
        own = scope_of(sources.kind, source_of(sources.resource_type, resource_id))
        if is_whole:
            await context.mirror.replace_all(own, stored)
        else:
            await context.session.aside(scope, "partial", UnexpectedResponse.code, UNREADABLE)
            await context.mirror.upsert(own, stored)
        await self._found([one for _, one in found])

    async def _found(self, credentials: list[Credential]) -> None:
        """Hear of what was found in one group or project."""
        await self._context.one_row.settle(credentials)

    async def _note_unseen(self) -> None:
        """Say in how many groups or projects the user has too little."""
        hidden = total = 0
        position: str | None = None
        while found := await self._context.session.io(
            self._context.store.resources_after, self._sources.resource_type, position
        ):
            for one in filter(self._sources.is_source, found):
                total += 1
                hidden += not await self._is_shown(one.id)
            position = padded(found[-1].id)
        reasons = [self._sources.besides] if self._sources.besides else []
        if hidden:
            refusal = await self._context.reach.refusal(self._sources.resource_type, self._sources.least)
            reasons.insert(0, str(refusal) if refusal else self._reason(hidden, total))
        if reasons:
            await self._context.session.aside(OTHERS, "forbidden", Forbidden.code, " ".join(reasons))

    def _reason(self, hidden: int, total: int) -> str:
        sources = self._sources
        return (
            f"GitLab shows {sources.words} to their {ROLE[sources.least]}, and the token's user is none in {hidden} of "
            f"{total} {sources.resource_type.collection}. Give the user that role in a group above them, or connect "
            "a self-managed GitLab with an administrator's token."
        )

    def _given_up(self) -> str:
        sources = self._sources
        return (
            f"GitLab did not show {sources.words}, though the token's user is among the {ROLE[sources.least]}; "
            f"after the first refusals the others were not asked for. A fine-grained token needs {sources.permission}."
        )


class LocatedDeployTokensStage(SourcesStage):
    """The deploy tokens of every group, or of every project.

    An administrator's list of all does not say whose they are: such a run asks for them only as long as there are some
    that it has found nowhere yet.
    """

    _unlocated: dict[int, str] | None = None

    async def _is_wanted(self) -> bool:
        return await super()._is_wanted() or bool(await self._missing())

    async def _missing(self) -> dict[int, str]:
        """The keys of stored deploy tokens without a group or project, by their ids."""
        if self._unlocated is None:
            everywhere = await self._context.session.io(lambda: list(self._context.store.of(self._sources.kind)))
            self._unlocated = {one.id: one.key for one in everywhere if one.source == NOWHERE}
        return self._unlocated

    async def _found(self, credentials: list[Credential]) -> None:
        if not (missing := await self._missing()):
            return
        session, rows, scope = self._context.session, self._context.store.rows, scope_of(self._sources.kind)
        keys = [key for one in credentials if (key := missing.pop(one.id, None)) is not None]
        if taken := await session.io(rows.stored_of, scope, keys):
            await session.write(rows.remove, scope, taken, at=session.now())


def _read_row(sources: Sources, resource_id: int, row: GitLabRow) -> Credential:
    return sources.read(row, resource_id)


async def _list(context: CredentialContext, path: str) -> Rows:
    return await collect(context.session.gitlab, path)


async def _tokens_of_service_accounts(context: CredentialContext, path: str) -> Rows:
    """The tokens of all service accounts of a group (docs.gitlab.com/api/service_accounts)."""
    rows: Rows = []
    for account in await collect(context.session.gitlab, path):
        account_id = strict_number(account, "id")
        tokens = await collect(context.session.gitlab, f"{path}/{account_id}/personal_access_tokens")
        rows += [{**row, "user_id": account_id} for row in tokens]
    return rows


def group_tokens_stage(context: CredentialContext) -> SourcesStage:
    """Access tokens of groups: for Owners (`read_resource_access_tokens` in app/policies/group_policy.rb)."""
    return SourcesStage(context, Sources(
        name=str(CredentialKind.GROUP_TOKEN), kind=CredentialKind.GROUP_TOKEN, resource_type=ResourceType.GROUP,
        path="access_tokens", least=OWNER, permission="Resource Access Token: Read", collect=_list,
        read=lambda row, number: token_of(row, CredentialKind.GROUP_TOKEN, (ResourceType.GROUP, number)),
    ))  # fmt: skip


def project_tokens_stage(context: CredentialContext) -> SourcesStage:
    """Access tokens of projects: for Maintainers (`read_resource_access_tokens` in app/policies/project_policy.rb)."""
    return SourcesStage(context, Sources(
        name=str(CredentialKind.PROJECT_TOKEN), kind=CredentialKind.PROJECT_TOKEN, resource_type=ResourceType.PROJECT,
        path="access_tokens", least=MAINTAINER, permission="Resource Access Token: Read", collect=_list,
        read=lambda row, number: token_of(row, CredentialKind.PROJECT_TOKEN, (ResourceType.PROJECT, number)),
    ))  # fmt: skip


def service_account_tokens_stage(context: CredentialContext) -> SourcesStage:
    """Tokens of the service accounts of top-level groups: for their Owners (docs.gitlab.com/api/service_accounts)."""
    return SourcesStage(context, Sources(
        name=str(CredentialKind.SERVICE_ACCOUNT_TOKEN), kind=CredentialKind.SERVICE_ACCOUNT_TOKEN,
        resource_type=ResourceType.GROUP, path="service_accounts", least=OWNER, permission="Service Account: Read",
        read=lambda row, number: token_of(row, CredentialKind.SERVICE_ACCOUNT_TOKEN, (ResourceType.GROUP, number)),
        collect=_tokens_of_service_accounts, is_source=lambda group: group.parent_id is None, besides=ONLY_OF_TOPS,
    ))  # fmt: skip


def deploy_tokens_stage(context: CredentialContext, kind: ResourceType) -> SourcesStage:
    """Deploy tokens: for Maintainers (`read_deploy_token` in app/policies/group_policy.rb and project_policy.rb)."""
    return LocatedDeployTokensStage(context, Sources(
        name=f"{kind}_deploy_token", kind=CredentialKind.DEPLOY_TOKEN, resource_type=kind, path="deploy_tokens",
        least=MAINTAINER, permission="Deploy Token: Read", collect=_list,
        read=lambda row, number: deploy_token_of(row, (kind, number)),
    ))  # fmt: skip


def project_deploy_keys_stage(context: CredentialContext) -> SourcesStage:
    """Deploy keys of projects: for Maintainers (`authorize_admin_project` in lib/api/deploy_keys.rb)."""
    return SourcesStage(context, Sources(
        name="project_deploy_key", kind=CredentialKind.DEPLOY_KEY, resource_type=ResourceType.PROJECT,
        path="deploy_keys", least=MAINTAINER, permission="Deploy Key: Read", collect=_list, read=deploy_key_of,
    ))  # fmt: skip
