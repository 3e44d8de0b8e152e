"""The stage that reads GitLab's lists of accounts beside `/users` and the members, once a day.

Whoever administers a whole self-managed GitLab is shown all in `/users`; only which accounts are service accounts is
asked for besides. Everybody else is shown these lists as an Owner of a top-level group, if at all. So GitLab is asked
once which top-level groups its user owns, and only those are asked for. What is refused is noted with the step that
would change it, costs the run nothing else, and erases nothing: it is kept, and not called current.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.due import is_due, note_reading, now_of
from gitlab_hub.access.model import Account
from gitlab_hub.access.sources.doubt import BELIEVED_AFTER_SECONDS, is_doubtful, told
from gitlab_hub.access.sources.layers import list_at, place_of
from gitlab_hub.access.sources.plan import BAD_REQUEST, Outcome, Plan, refusal
from gitlab_hub.access.sources.readers import pending_account, pending_username, reader_of
from gitlab_hub.access.sources.store import NOT_ASKED, READ, ListState
from gitlab_hub.gitlab.account_lists import (
    GROUP_LISTS,
    INSTANCE_SERVICE_ACCOUNTS,
    OWNER_LEVEL,
    PENDING_MEMBERS,
    READING,
    SAML_IDENTITIES,
    SAML_USERS,
    AccountList,
)
from gitlab_hub.gitlab.errors import Forbidden, GitLabError, UnexpectedResponse
from gitlab_hub.gitlab.fields import is_within, number, text
from gitlab_hub.inventory.listing import Params
from gitlab_hub.inventory.model import ALL, ResourceType
from gitlab_hub.sync.asides import ENDS_SLICE, as_refusal, status_of
from gitlab_hub.sync.ports import Scope, SingleScopeStage

MOST_LISTED = 100_000
"""Accounts in one list; a worker's memory has an end."""

MOST_GROUPS = 20
"""Top-level groups whose lists are asked for; nobody owns more of a company."""

OWNED: Params = {"min_access_level": OWNER_LEVEL, "top_level_only": "true", "order_by": "id", "sort": "asc"}

NO_OWNER = "The token's user is an Owner of no top-level group that the integration covers."
UNREADABLE = "Some rows could not be parsed; what is stored of them stays."
UNKNOWN_NAMES = "Some who wait are not among the accounts that the token is shown: "


class AccountListsStage(SingleScopeStage):
    """Reads them all, one after the other."""

    name = READING

    def __init__(self, context: AccessContext) -> None:
        self._context = context

    async def read(self, scope: Scope) -> None:
        """Read every list that the token may be shown, unless they were read within a day."""
        session = self._context.session
        if not await is_due(self._context, self.name):
            session.keep_notes()
            return
        if self._context.visibility.expects_account_list and not self._context.accounts.is_complete(ALL):
            session.keep_notes()  # The list of users is in trouble, which its own stage tells of.
            return
        if await session.io(self._context.inventory.store.is_empty):
            return  # The next run that finds something is not to wait for a day.
        plan = await self._begin(scope)
        if plan is None:
            return
        for one, group_id in self._wanted(plan):
            place = place_of(one.name, group_id)
            if place not in plan.done:
                plan.done[place] = await self._read_list(one, group_id, plan)
                await session.checkpoint(scope, plan.cursor)
        await self._settle(plan)
        await note_reading(self._context, self.name)

    async def _begin(self, scope: Scope) -> Plan | None:
        """Go on where a worker has come to, or find out what there is to read; None where that cannot be said."""
        session = self._context.session
        if cursor := session.cursor(scope):
            return Plan.of(cursor)
        try:
            plan = await as_refusal(self._context.session, self._plan)
        except ENDS_SLICE:
            raise
        except GitLabError as error:
            for one in GROUP_LISTS:
                await self._note(one.name, None, status_of(error), error.code, f"{one.does}: {_told(error)}")
            return None
        await session.checkpoint(scope, plan.cursor)
        return plan

    async def _plan(self) -> Plan:
        """Ask which top-level groups the token's user owns; none where it is shown all accounts anyway."""
        context, target = self._context, self._context.session.target
        if not await context.visibility.collects_accounts():
            return Plan()
        if not context.inventory.mirrors[ResourceType.GROUP].is_believed(ALL):
            raise UnexpectedResponse("The list of groups could not be read, or is not believed, in this run.")
        if target.is_admin:
            return Plan(await self._covered())
        owned: dict[int, str] = {}
        async for page in context.session.gitlab.pages("/groups", OWNED):
            for row in page.rows:
                path = text(row.get("full_path"))
                # An older release does not know the filter, and lists groups of every height.
                if (group_id := number(row.get("id"))) is not None and path and row.get("parent_id") is None:
                    owned[group_id] = path
        if target.group is not None:
            owned = {number: path for number, path in owned.items() if is_within(path, target.group)}
        known = await context.session.io(context.inventory.store.known, ResourceType.GROUP, list(owned))
        kept = [number for number in sorted(owned) if number in known.values][:MOST_GROUPS]
        return Plan({number: owned[number] for number in kept})

    async def _covered(self) -> dict[int, str]:
        """The top-level groups that the integration covers: an administrator may do there what an Owner may."""
        groups: dict[int, str] = {}
        after: str | None = None
        store, session = self._context.inventory.store, self._context.session
        while found := await session.io(store.paths_after, ResourceType.GROUP, after):
            groups |= {int(key): path for key, path in found if "/" not in path}
            after = found[-1][0]
        return dict(sorted(groups.items())[:MOST_GROUPS])

    def _wanted(self, plan: Plan) -> list[tuple[AccountList, int | None]]:
        if plan.groups:
            return [(one, group_id) for group_id in plan.groups for one in GROUP_LISTS]
        if self._context.visibility.expects_account_list:
            return [(INSTANCE_SERVICE_ACCOUNTS, None)]
        return [(one, None) for one in GROUP_LISTS]

    async def _read_list(self, one: AccountList, group_id: int | None, plan: Plan) -> Outcome:
        """Read one list and store what it tells; the answer is how that went."""
        if one.of_group and group_id is None:
            return Outcome("forbidden", Forbidden.code, f"{one.does}: {NO_OWNER} {one.to_change}")
        if one is SAML_IDENTITIES and plan.is_read(SAML_USERS, group_id):
            return Outcome(NOT_ASKED)  # What they tell is among what was just read.
        group = None if group_id is None else (group_id, plan.groups[group_id])
        path = f"/{one.path}" if group_id is None else f"/groups/{group_id}/{one.path}"
        try:
            take = partial(self._take, one, place_of(one.name, group_id), path, group)
            await as_refusal(self._context.session, take)
        except ENDS_SLICE:
            raise
        except GitLabError as error:
            return refusal(one, error)
        return Outcome(READ)

    async def _take(self, one: AccountList, place: str, path: str, group: tuple[int, str] | None) -> None:
        session, store = self._context.session, self._context.store.sources
        found, is_whole = await self._collect(one, path, group)
        gone: set[int] = set()
        known: set[int] = await session.io(store.told_of, place)
        if is_whole and (missing := known - found.keys()):
            # A list by numbered pages may skip a row while others come and go: what is missing twice is gone.
            again, is_whole = await self._collect(one, path, group)
            gone = missing - again.keys() if is_whole else set()
        if is_whole and not await self._is_believed(one, place, len(known), len(gone)):
            await self._note(_part(place), group, "partial", UnexpectedResponse.code, told(len(known), len(gone)))
            gone = set()
        if not is_whole:
            await self._note(_part(place), group, "partial", UnexpectedResponse.code, UNREADABLE)
        written = await session.write(store.put, place, found, gone=sorted(gone))
        session.count(**{one.name: len(found)}, rows_read=len(found), rows_written=written)

    async def _is_believed(self, one: AccountList, place: str, stored: int, gone: int) -> bool:
        """Whether so many may go: at once, or because they have been missing for a while."""
        session, store, now = self._context.session, self._context.store.sources, now_of(self._context)
        since: int | None = await session.io(store.doubted_since, place)
        if not is_doubtful(one, stored, gone):
            if since is not None:
                await session.write(store.trust, place)
            return True
        if since is None:
            await session.write(store.doubt, place, now)
        return since is not None and now - since >= BELIEVED_AFTER_SECONDS

    async def _collect(
        self, one: AccountList, path: str, group: tuple[int, str] | None
    ) -> tuple[dict[int, Account], bool]:
        """Everybody whom a list tells of, and whether every row of it can be understood."""
        found: dict[int, Account] = {}
        is_whole = True
        try:
            async for page in self._context.session.gitlab.pages(path):
                accounts, whole = await self._accounts(one, page.rows, group)
                found |= {account.id: _both(found.get(account.id), account) for account in accounts}
                is_whole = is_whole and whole
                _bound(path, len(found))
        except UnexpectedResponse as error:
            if one is not SAML_IDENTITIES or error.http_status != BAD_REQUEST:
                raise
            return {}, True  # The group has no SAML (ee/lib/api/provider_identity.rb): there is nothing to be listed.
        return found, is_whole

    async def _accounts(
        self, one: AccountList, rows: list[dict[str, Any]], group: tuple[int, str] | None
    ) -> tuple[list[Account], bool]:
        if one is PENDING_MEMBERS:
            return await self._pending(rows, group)
        read, accounts, is_whole = reader_of(one.name), list[Account](), True
        for row in rows:
            try:
                account = read(row)
            except UnexpectedResponse:
                is_whole = False
                continue
            accounts += [account] if account is not None else []
        return accounts, is_whole

    async def _pending(self, rows: list[dict[str, Any]], group: tuple[int, str] | None) -> tuple[list[Account], bool]:
        named: dict[str, dict[str, Any]] = {}
        is_whole = True
        for row in rows:
            try:
                username = pending_username(row)
            except UnexpectedResponse:
                is_whole = False
                continue
            if username is not None:
                named[username] = row
        session, store = self._context.session, self._context.store
        ids = await session.io(store.ids_named, named)
        if unknown := sorted(named.keys() - ids.keys()):
            shown = ", ".join(unknown[:5]) + (", …" if unknown[5:] else "")
            key = _part(place_of(PENDING_MEMBERS.name, None if group is None else group[0]))
            await self._note(key, group, "partial", UnexpectedResponse.code, f"{UNKNOWN_NAMES}{shown}.")
        return [pending_account(named[username], account_id) for username, account_id in ids.items()], is_whole

    async def _note(self, key: str, group: tuple[int, str] | None, status: str, code: str, reason: str) -> None:
        payload = {} if group is None else {"type": "group", "id": group[0], "path": group[1]}
        await self._context.session.aside(Scope(key, payload), status, code, reason)

    async def _settle(self, plan: Plan) -> None:
        """Note how each list was read, those that were not asked for too; of a group that is gone nothing stays."""
        session, store, now = self._context.session, self._context.store.sources, now_of(self._context)
        for key, group_id, outcome in plan.refusals():
            group = None if group_id is None else (group_id, plan.groups[group_id])
            await self._note(key, group, *outcome)
        states = await session.io(store.states)
        for place in sorted(states.keys() | plan.done.keys()):
            known, status = states.get(place), plan.done.get(place, Outcome(NOT_ASKED)).status
            if known is None and status != READ:
                continue
            if not await self._is_kept(plan, place) and not await session.write(store.end, place):
                await session.write(store.drop, place)
                continue
            known = known or ListState(place=place, status=status, at=now, is_new=True)
            read_at = now if status == READ else known.read_at
            await session.write(store.keep, replace(known, status=status, at=now, read_at=read_at))

    async def _is_kept(self, plan: Plan, place: str) -> bool:
        """Whether what a list has told stays, also where it was not read: its group is there, and no other tells it."""
        name, group_id = list_at(place)
        if group_id is None:
            return True
        if name == SAML_IDENTITIES.name and plan.is_read(SAML_USERS, group_id):
            return False
        known = await self._context.session.io(self._context.inventory.store.known, ResourceType.GROUP, [group_id])
        return group_id in known.values


def _part(place: str) -> str:
    """The key of what is not known of a list that was read."""
    return f"{place}#part"


def _bound(path: str, count: int) -> None:
    if count > MOST_LISTED:
        raise UnexpectedResponse(f"GitLab lists more accounts in {path} than the hub can take.")


def _both(before: Account | None, account: Account) -> Account:
    """One account of which a list has two rows: a page was repeated, or it has two identities."""
    if before is None or not account.identities or before.identities == account.identities:
        return account
    added = [one for one in account.identities if one not in before.identities]
    return replace(account, identities=[*before.identities, *added])


def _told(error: GitLabError) -> str:
    return f"GitLab did not say which top-level groups the token's user owns. {error}"
