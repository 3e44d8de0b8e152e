"""The stages of access tokens: an administrator's one list of all of them, or those of the token's own user.

That list has the tokens of bots and service accounts too, and impersonation tokens, which it does not tell apart
(`finder_params` in lib/api/helpers/personal_access_tokens_helpers.rb): so for each account with a token of its own
GitLab is asked which of them are such.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from functools import partial

from gitlab_hub.access.credentials.context import CredentialContext
from gitlab_hub.access.credentials.model import Credential, account_source, scope_of
from gitlab_hub.access.credentials.store import OWN_TOKEN
from gitlab_hub.access.credentials.transform import place_of, token_of, token_of_account
from gitlab_hub.access.model import Account
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    HostUnreachable,
    RateLimited,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.fields import mapping, number, padded, strict_number
from gitlab_hub.inventory.listing import Rows, collect
from gitlab_hub.sync.asides import Attempts, readable
from gitlab_hub.sync.ports import Scope, SingleScopeStage
from gitlab_hub.sync.unreadable_rows import read_skipping_unreadable

TOKENS = "/personal_access_tokens"
OLDEST_FIRST = {"sort": "created_asc"}
"""So that tokens made while the list is read come behind what is read."""

IN_LIST = (
    CredentialKind.PERSONAL_TOKEN,
    CredentialKind.GROUP_TOKEN,
    CredentialKind.PROJECT_TOKEN,
    CredentialKind.SERVICE_ACCOUNT_TOKEN,
)
BOTS = {AccountKind.GROUP_BOT, AccountKind.PROJECT_BOT}

OTHERS_OWN = (
    "GitLab shows personal access tokens of other people to administrators only; those of the token's own user were "
    "read. Connect a self-managed GitLab with an administrator's token to see them all."
)
ADMINS_ONLY = (
    "GitLab shows impersonation tokens to administrators only. Connect a self-managed GitLab with an administrator's "
    "token to see them."
)
GIVEN_UP = "GitLab did not show the impersonation tokens of the first accounts; the others were not asked for them."
UNREADABLE = "Some rows could not be parsed; what is stored of them stays."
OTHERS = Scope("others")
"""Stands for everything of a kind that the token is not shown."""


class AccessTokensStage(SingleScopeStage):
    """Everybody's access tokens where the token is an administrator's, else those of its own user."""

    name = str(CredentialKind.PERSONAL_TOKEN)

    def __init__(self, context: CredentialContext) -> None:
        self._context = context

    async def read(self, scope: Scope) -> None:
        """Read the list; a fine-grained token without Personal Access Token: Read is shown none."""
        context = self._context
        await self._note_own_token()
        sees_instance = await context.reach.sees_instance()
        try:
            await (self._read_all(scope) if sees_instance else self._read_own(scope))
        except Forbidden as error:
            await context.session.aside(scope, "forbidden", error.code, str(error))
        if not sees_instance:
            await context.session.aside(OTHERS, "forbidden", Forbidden.code, OTHERS_OWN)

    async def _note_own_token(self) -> None:
        """Note which token the run itself uses; one from OAuth has no place among access tokens."""
        try:
            body = mapping((await self._context.session.gitlab.get(f"{TOKENS}/self")).body)
        except (RateLimited, Unauthorized):
            raise
        except (HostUnreachable, Unavailable):
            return  # What the run before has noted is no less true.
        except GitLabError:
            body = {}
        await self._context.session.write(self._context.store.note, OWN_TOKEN, number(body.get("id")) or 0)

    async def _read_all(self, scope: Scope) -> None:
        session = self._context.session
        async for page in session.gitlab.pages(TOKENS, OLDEST_FIRST, cursor=session.cursor(scope)):
            good = await read_skipping_unreadable(session, scope, page.rows, lambda row: strict_number(row, "id"))
            await self._take([row for row, _ in good])
            if page.next is not None:
                await session.checkpoint(scope, page.next)
        for kind in IN_LIST:
            await self._context.mirror.complete(scope_of(kind))

    async def _take(self, rows: Rows) -> None:
        context = self._context
        by_kind: defaultdict[CredentialKind, list[Credential]] = defaultdict(list)
        for credential in await self._read_rows(rows):
            by_kind[credential.kind].append(credential)
        own = by_kind[CredentialKind.PERSONAL_TOKEN]
        by_kind[CredentialKind.PERSONAL_TOKEN] = await self._without_impersonations(own)
        for kind, found in by_kind.items():
            if found:
                await context.mirror.upsert(scope_of(kind), [context.store.row(one) for one in found])
                await context.one_row.settle(found)

    async def _read_rows(self, rows: Rows) -> list[Credential]:
        """Read tokens by whose they are."""
        session, store = self._context.session, self._context.store
        owners: Mapping[int, Account] = await session.io(
            store.accounts, {found for row in rows if (found := number(row.get("user_id"))) is not None}
        )
        bots = [one.id for one in owners.values() if one.kind in BOTS]
        levels = await session.io(store.levels, bots)
        credentials = []
        for row in rows:
            owner = owners.get(number(row.get("user_id")) or 0)
            place = place_of(owner.username) if owner else None
            level = levels.get((owner.id, *place)) if owner and place else None
            credentials.append(token_of_account(row, owner, level=level))
        return credentials

    async def _without_impersonations(self, tokens: list[Credential]) -> list[Credential]:
        """Leave those to their own stage that are known for what they are."""
        others = {_impersonation_key(one): one for one in tokens if one.account_id is not None}
        scope = scope_of(CredentialKind.IMPERSONATION_TOKEN)
        known = await self._context.session.io(self._context.store.rows.stored_of, scope, list(others))
        return [one for one in tokens if one.account_id is None or _impersonation_key(one) not in known]

    async def _read_own(self, scope: Scope) -> None:
        """Read the tokens of the token's own user, who may be a bot or a service account.

        An administrator, whose integration is limited to a group, is shown more than it asks for by older releases.
        """
        context, user_id = self._context, self._context.session.target.user_id
        ask = partial(collect, context.session.gitlab, TOKENS, {"user_id": user_id})
        listed = await context.reach.as_refusal(ask)
        own = [row for row in listed if row.get("user_id") in {None, user_id}]
        found, is_whole = readable(own, lambda row: strict_number(row, "id"))
        if not is_whole:
            await context.session.aside(scope, "partial", UnexpectedResponse.code, UNREADABLE)
        credentials = await self._read_rows([{**row, "user_id": user_id} for row, _ in found])
        rows = [context.store.row(one) for one in credentials]
        kinds = {one.kind for one in credentials}
        if is_whole and kinds <= {CredentialKind.PERSONAL_TOKEN}:
            await context.mirror.replace_all(scope_of(CredentialKind.PERSONAL_TOKEN, account_source(user_id)), rows)
        else:
            for kind in kinds:
                some = [row for row, one in zip(rows, credentials, strict=True) if one.kind is kind]
                await context.mirror.upsert(scope_of(kind), some)
        await context.one_row.settle(credentials)


class ImpersonationTokensStage:
    """Which tokens of each account an administrator made to act as it."""

    name = str(CredentialKind.IMPERSONATION_TOKEN)

    def __init__(self, context: CredentialContext) -> None:
        self._context, self._attempts = context, Attempts()

    async def size(self) -> int:
        """Count the accounts that have tokens of their own."""
        return len(await self._context.session.io(self._owners)) + 1

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """Give one scope per such account, and one for what the token is not shown."""
        for account_id in sorted(await self._context.session.io(self._owners)):
            if after is None or padded(account_id) > after:
                yield Scope(padded(account_id))
        if after is None or after < OTHERS.key:
            yield OTHERS

    async def read(self, scope: Scope) -> None:
        """Read the impersonation tokens of an account."""
        session = self._context.session
        if await self._context.reach.sees_instance():
            if scope != OTHERS:
                await self._attempts.read(session, scope, self._read, given_up=GIVEN_UP)
        elif scope == OTHERS:
            await session.aside(scope, "forbidden", Forbidden.code, ADMINS_ONLY)

    async def _read(self, scope: Scope) -> None:
        context, account_id = self._context, int(scope.key)
        rows = await collect(context.session.gitlab, f"/users/{account_id}/impersonation_tokens")
        kind = CredentialKind.IMPERSONATION_TOKEN
        found, is_whole = readable(rows, lambda row: token_of({**row, "user_id": account_id}, kind))
        stored = [context.store.row(one) for _, one in found]
        own = scope_of(kind, account_source(account_id))
        if is_whole:
            await context.mirror.replace_all(own, stored)
        else:
            await context.session.aside(scope, "partial", UnexpectedResponse.code, UNREADABLE)
            await context.mirror.upsert(own, stored)
        # The list of all tokens could not tell these apart.
        await context.one_row.settle(one for _, one in found)

    def _owners(self) -> set[int]:
        kinds = (CredentialKind.PERSONAL_TOKEN, CredentialKind.IMPERSONATION_TOKEN)
        owners = {one.account_id for kind in kinds for one in self._context.store.of(kind)}
        return {one for one in owners if one is not None}


def _impersonation_key(token: Credential) -> str:
    source = account_source(token.account_id or 0)
    return f"{scope_of(CredentialKind.IMPERSONATION_TOKEN, source)}#{padded(token.id)}"
