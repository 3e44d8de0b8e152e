"""The stages of lists that only administrators are shown: one request per hundred rows, instead of one per source."""

from collections.abc import Sequence

from gitlab_hub.access.credentials.context import CredentialContext
from gitlab_hub.access.credentials.model import Credential, scope_of
from gitlab_hub.access.credentials.transform import deploy_keys_of, deploy_token_of
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound
from gitlab_hub.gitlab.fields import GitLabRow
from gitlab_hub.inventory.listing import Rows
from gitlab_hub.sync.asides import status_of
from gitlab_hub.sync.ports import Scope, SingleScopeStage
from gitlab_hub.sync.unreadable_rows import read_skipping_unreadable


class InstanceListStage(SingleScopeStage):
    """Everything of one kind, where the token is an administrator's."""

    kind: CredentialKind
    path: str

    def __init__(self, context: CredentialContext) -> None:
        self._context = context

    async def read(self, scope: Scope) -> None:
        """Read the list."""
        if not await self._context.reach.sees_instance():
            return
        try:
            await self._read_all(scope)
        except (Forbidden, ResourceNotFound) as error:  # A fine-grained token, or a release without the list.
            await self._context.session.aside(scope, status_of(error), error.code, str(error))

    async def _read_all(self, scope: Scope) -> None:
        context, session = self._context, self._context.session
        await self._prepare()
        async for page in session.gitlab.pages(self.path, cursor=session.cursor(scope)):
            await self._take(scope, page.rows)
            if page.next is not None:
                await session.checkpoint(scope, page.next)
        await context.mirror.complete(scope_of(self.kind))

    async def _prepare(self) -> None:
        """Read what is known before."""

    async def _take(self, scope: Scope, rows: Rows) -> None:
        context = self._context
        found = await read_skipping_unreadable(context.session, scope, rows, self._read_row)
        await context.mirror.upsert(scope_of(self.kind), [context.store.row(one) for _, some in found for one in some])

    def _read_row(self, row: GitLabRow) -> Sequence[Credential]:
        raise NotImplementedError


class DeployTokensStage(InstanceListStage):
    """All deploy tokens. The list does not say whose they are: what an earlier run has found out stays."""

    name, kind, path = str(CredentialKind.DEPLOY_TOKEN), CredentialKind.DEPLOY_TOKEN, "/deploy_tokens"

    async def _prepare(self) -> None:
        known = await self._context.session.io(lambda: list(self._context.store.of(self.kind)))
        self._known = {one.id: one for one in known if one.resource_type is not None}

    def _read_row(self, row: GitLabRow) -> Sequence[Credential]:
        found = deploy_token_of(row, None)
        known = self._known.get(found.id)
        if known is None or known.resource_type is None or known.resource_id is None:
            return [found]
        return [deploy_token_of(row, (known.resource_type, known.resource_id))]


class DeployKeysStage(InstanceListStage):
    """All deploy keys, with the projects of each (docs.gitlab.com/api/deploy_keys)."""

    name, kind, path = str(CredentialKind.DEPLOY_KEY), CredentialKind.DEPLOY_KEY, "/deploy_keys"

    def _read_row(self, row: GitLabRow) -> Sequence[Credential]:
        return deploy_keys_of(row)
