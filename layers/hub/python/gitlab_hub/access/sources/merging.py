"""The stage that lays what GitLab's lists tell of accounts over what `/users` and the members tell.

It goes through all that is stored of these lists in every run, also where they are not read: whoever is known by one of
them alone is no account that has gone missing, and a member's new row gets what was told before.
"""

from collections.abc import Mapping

from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.keys import ACCOUNT_FACTS
from gitlab_hub.access.model import Account
from gitlab_hub.access.sources.layers import ground_of, is_named, layered, waits
from gitlab_hub.access.sources.store import Chunk, ListState
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ALL
from gitlab_hub.storage.ports import Key
from gitlab_hub.sync.ports import Row, Scope, SingleScopeStage

AT_ONCE = 500
NAMELESS = (
    "Accounts are known by their identity at a provider alone, and are not shown: neither members nor any other list "
    "names them. "
)


class AccountFactsStage(SingleScopeStage):
    """Goes through the accounts that any list tells of, in order of their ids."""

    name = ACCOUNT_FACTS

    def __init__(self, context: AccessContext) -> None:
        self._context = context

    async def read(self, scope: Scope) -> None:
        """Store every account of which the lists tell something new."""
        session, sources = self._context.session, self._context.store.sources
        states: dict[str, ListState] = await session.io(sources.states)
        after, nameless = session.cursor(scope) or (None, 0)
        while states:
            chunk = await session.io(sources.after, sorted(states), after, AT_ONCE)
            nameless += await self._take(chunk, states)
            if chunk.last is None:
                break
            after = chunk.last
            await session.checkpoint(scope, [after, nameless])
        if nameless:
            await session.aside(scope, "partial", "unexpected_response", f"{NAMELESS}There are {nameless}.")
        await self._taken_over(states)

    async def _take(self, chunk: Chunk, states: Mapping[str, ListState]) -> int:
        """Store some accounts; the answer counts those of whom nobody knows the name."""
        context, session = self._context, self._context.session
        known = await session.io(context.store.known_accounts, list(chunk.told))
        rows: list[Row] = []
        nameless = 0
        for number, told in chunk.told.items():
            stored, is_met = known.values.get(number), self._is_met(number)
            if not told and stored is None:
                continue
            if not is_met and (not told or context.accounts.is_complete(ALL)):
                continue  # Nobody tells of it, or `/users` does not: the sweep asks whether anything is left of it.
            ground = _ground(number, stored, told, is_met=is_met)
            account = layered(ground, told, is_waiting=await self._is_waiting(number, told))
            if is_named(account):
                rows.append(context.store.account_row(account, self._mark(told, states)))
            else:
                nameless += 1
        if rows:
            await context.accounts.upsert(ALL, rows, known.hashes)
        if chunk.gone:
            await session.write(context.store.sources.delete, chunk.gone)
        return nameless

    def _is_met(self, number: int) -> bool:
        """Whether `/users` or a member's row may have told of the account in this run."""
        return self._context.session.failures > 0 or self._context.accounts.has_seen(ALL, padded(number))

    async def _is_waiting(self, number: int, told: Mapping[str, Account]) -> bool:
        """Whether no stored membership counts yet, of somebody who waits in a group."""
        if not waits(told):
            return False
        grants = await self._context.session.io(self._context.store.granted_to, number)
        return not any(grant.membership_state != "awaiting" for grant in grants)

    def _mark(self, told: Mapping[str, Account], states: Mapping[str, ListState]) -> Key | None:
        """The first reading of a list brings many accounts into sight; none of them has come just now."""
        new = next((place for place in sorted(told) if states[place].is_new), None)
        return None if new is None else self._context.store.sources.baseline_mark(new)

    async def _taken_over(self, states: Mapping[str, ListState]) -> None:
        session, sources = self._context.session, self._context.store.sources
        for state in states.values():
            if state.is_new:
                await session.write(sources.settle, state)


def _ground(number: int, stored: Account | None, told: Mapping[str, Account], *, is_met: bool) -> Account:
    """What the lists are laid over: what members' rows told of somebody who is a member no more is out of date."""
    if stored is None:
        return Account(id=number)
    ground = ground_of(stored)
    if is_met:
        return ground
    is_told = any(is_named(account) for account in told.values())
    return Account(id=number) if is_told else Account(id=number, username=ground.username, name=ground.name)
