"""The stage of SSH keys: a request per account. GitLab shows them to whoever sees the account (lib/api/users.rb)."""

from collections.abc import AsyncIterator

from gitlab_hub.access.credentials.access_tokens import UNREADABLE
from gitlab_hub.access.credentials.context import CredentialContext
from gitlab_hub.access.credentials.model import account_source, scope_of
from gitlab_hub.access.credentials.transform import ssh_key_of
from gitlab_hub.access.keys import ACCOUNTS
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.listing import collect
from gitlab_hub.sync.asides import Attempts, readable
from gitlab_hub.sync.ports import Scope

KEYLESS = frozenset({AccountKind.GROUP_BOT, AccountKind.PROJECT_BOT, AccountKind.INTERNAL})
"""Nobody can give a key to a bot of a token, or to one of GitLab's own."""

GIVEN_UP = (
    "GitLab did not show the SSH keys of the first accounts; the others were not asked for them. A fine-grained token "
    "needs SSH Key: Read."
)


class SshKeysStage:
    """The SSH keys of every stored account that can have some."""

    name = str(CredentialKind.SSH_KEY)

    def __init__(self, context: CredentialContext) -> None:
        # To whoever is no administrator blocked accounts are not there, and the oldest ones are often blocked.
        self._context, self._attempts = context, Attempts(counts_gone=False)

    async def size(self) -> int:
        """Count the accounts."""
        return await self._context.session.io(self._context.store.count, ACCOUNTS)

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """Give one scope per account."""
        while found := await self._context.session.io(self._context.store.accounts_after, after):
            for account in found:
                if account.kind not in KEYLESS:
                    yield Scope(padded(account.id), {"path": account.username})
            after = padded(found[-1].id)

    async def read(self, scope: Scope) -> None:
        """Read the keys of one account; a refusal is noted, and nothing of it is removed."""
        await self._attempts.read(self._context.session, scope, self._read, given_up=GIVEN_UP)

    async def _read(self, scope: Scope) -> None:
        context, account_id = self._context, int(scope.key)
        rows = await collect(context.session.gitlab, f"/users/{account_id}/keys")
        found, is_whole = readable(rows, lambda row: ssh_key_of(row, account_id))
        stored = [context.store.row(one) for _, one in found]
        own = scope_of(CredentialKind.SSH_KEY, account_source(account_id))
        if is_whole:
            await context.mirror.replace_all(own, stored)
        else:
            await context.session.aside(scope, "partial", UnexpectedResponse.code, UNREADABLE)
            await context.mirror.upsert(own, stored)
