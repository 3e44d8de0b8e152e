"""The stages of accounts: GitLab's list of users where the token is shown one, else everybody met as a member."""

import asyncio
from functools import partial

from gitlab_hub.access.context import USERS, AccessContext
from gitlab_hub.access.keys import ACCOUNTS
from gitlab_hub.access.transform import account_of_admins_row, account_of_member, is_admin_row
from gitlab_hub.gitlab.errors import Forbidden
from gitlab_hub.inventory.listing import BY_ID, SCOPE, Rows, read_list
from gitlab_hub.inventory.model import ALL
from gitlab_hub.storage.ports import Key
from gitlab_hub.storage.rows import content_hash, item_of
from gitlab_hub.sync.ports import Scope, SingleScopeStage
from gitlab_hub.sync.unreadable_rows import read_skipping_unreadable

NAMES_ONLY = (
    "The token's user is an administrator, and GitLab shows it names only: give a token with the scope admin_mode. "
    "Accounts are taken from the members of groups and projects."
)


class _NamesOnly(Forbidden):
    """The list of users begins as it does for everybody but administrators."""


class AccountsStage(SingleScopeStage):
    """Every account of the GitLab, where the token is an administrator's; else members make the list."""

    name = "accounts"

    def __init__(self, context: AccessContext) -> None:
        self._context, self._has_begun = context, False

    async def read(self, scope: Scope) -> None:
        """Read the list of users; its first page says whether it is one as administrators get it."""
        context = self._context
        if not context.visibility.expects_account_list:
            await context.session.write(context.store.drop_administrators)
            return
        mark = await context.first_reading(ACCOUNTS)
        try:
            await read_list(context.session, scope, USERS, BY_ID, partial(self._take, mark))
        except _NamesOnly:
            context.visibility.note(lists_accounts=False)
            await context.session.partial(scope, Forbidden.code, NAMES_ONLY)
            return
        await context.accounts.complete(ALL)
        await context.was_read(ACCOUNTS, mark)
        await context.session.write(context.store.note_administrators)

    async def _take(self, mark: Key | None, rows: Rows) -> None:
        is_first = not self._has_begun and self._context.session.cursor(SCOPE) is None
        if is_first and not (rows and is_admin_row(rows[0])):
            raise _NamesOnly(NAMES_ONLY)
        self._has_begun = True
        self._context.visibility.note(lists_accounts=True)
        if rows and not any(is_admin_row(row) for row in rows):
            raise Forbidden("The token stopped being an administrator's while the users were read.")
        context = self._context
        good = [row for row, _ in await read_skipping_unreadable(context.session, SCOPE, rows, account_of_admins_row)]
        known = await context.session.io(context.store.known_accounts, [row["id"] for row in good])
        accounts = [account_of_admins_row(row, known.values.get(row["id"])) for row in good]
        stored = [context.store.account_row(account, mark) for account in accounts]
        await context.accounts.upsert(ALL, stored, known.hashes)


class AccountCollector:
    """The accounts of a token that cannot list them: everybody it meets as a member."""

    def __init__(self, context: AccessContext) -> None:
        self._context = context
        self._merging = asyncio.Lock()
        self._met: set[tuple[int, str]] = set()

    async def add(self, rows: Rows, baseline_mark: Key | None = None) -> None:
        """Store what is new in this slice; fields that member rows lack stay as they were."""
        if not rows or not await self._context.visibility.collects_accounts():
            return
        told = {(row["id"], content_hash(item_of(account_of_member(row)))): row for row in rows}
        # One at a time: rows of two lists may tell different things of one account, and neither is to be lost.
        async with self._merging:
            fresh = {key: row for key, row in told.items() if key not in self._met}
            if fresh:
                await self._merge(list(fresh.values()), baseline_mark)
                self._met.update(fresh)

    async def _merge(self, rows: Rows, baseline_mark: Key | None) -> None:
        context = self._context
        known = await context.session.io(context.store.known_accounts, [row["id"] for row in rows])
        accounts = [account_of_member(row, known.values.get(row["id"])) for row in rows]
        stored = [context.store.account_row(account, baseline_mark) for account in accounts]
        await context.accounts.upsert(ALL, stored, known.hashes)


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
