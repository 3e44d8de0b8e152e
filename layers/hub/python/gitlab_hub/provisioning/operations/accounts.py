"""Accounts that there are: blocked and let in again, deactivated and activated, deleted."""

from dataclasses import replace

from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.account_reading import check_administrator, owned_groups
from gitlab_hub.provisioning.facts import Person
from gitlab_hub.provisioning.model import Step
from gitlab_hub.provisioning.operation import CLOSING, Kind, Operation
from gitlab_hub.provisioning.operations.account_rules import AccountFacts, decide, state_ahead
from gitlab_hub.provisioning.operations.base import Around, Finding
from gitlab_hub.provisioning.reading import LiveReader
from gitlab_hub.provisioning.sentences import account_change
from gitlab_hub.provisioning.states import AccountState

_BACK = {
    Kind.BLOCK: Kind.UNBLOCK,
    Kind.UNBLOCK: Kind.BLOCK,
    Kind.DEACTIVATE: Kind.ACTIVATE,
    Kind.ACTIVATE: Kind.DEACTIVATE,
}
_FOR_GOOD = "which nothing takes back: their own projects go along, what they wrote elsewhere goes to the ghost user"
"""app/services/users/destroy_service.rb"""


class Accounts:
    """`block`, `unblock`, `deactivate`, `activate` and `delete_account`."""

    waits_for: str | None = None
    makes_members = False

    async def look(self, reader: LiveReader, operation: Operation, around: Around) -> Finding:
        """Decide by what GitLab says about the account, and who else looks after its groups."""
        person = await reader.person(operation.account_id)
        left_alone = await _left_alone(reader, operation, person, around)
        if person is not None:
            person = replace(person, state=state_ahead(operation, around.ahead, person.state))
        facts = AccountFacts(person=person, left_alone=left_alone, is_fresh=around.is_fresh)
        decision = decide(operation, facts, around.hand)
        who = person.label if person else f"account {operation.account_id}"
        before = None if person is None else AccountState(state=person.state)
        after = decision.after if isinstance(decision.after, AccountState) else None
        beside = _FOR_GOOD if after is None else ""
        return Finding(
            decision=decision,
            sentence=account_change(who, before, after, is_change=bool(decision.calls), beside=beside),
            subject=person.label if person else "",
            full_path="",
        )

    async def state(self, reader: LiveReader, operation: Operation) -> AccountState | None:
        """The account as it is; None says that there is none. Raises OutOfSight."""
        person = await reader.person(operation.account_id)
        if person is None:
            await check_administrator(reader)
        return None if person is None else AccountState(state=person.state)

    def back(self, step: Step) -> Operation | None:
        """The opposite; nothing brings back a deleted account.

        Somebody who was deactivated before they were blocked is active afterwards: both may sign in, and a
        deactivated account becomes active by that.
        """
        kind = _BACK.get(step.operation.kind)
        return None if kind is None else replace(step.operation, kind=kind)


async def _left_alone(
    reader: LiveReader, operation: Operation, person: Person | None, around: Around
) -> tuple[str, ...]:
    """The top-level groups that would be without anybody who can look after them.

    Whoever cannot sign in looks after nothing, so to close such an account changes nothing; to delete it takes the
    Owner away that GitLab counts.
    """
    if operation.kind not in CLOSING or person is None or not around.hand.is_admin:
        return ()
    if operation.kind is not Kind.DELETE_ACCOUNT and not person.counts_as_owner:
        return ()
    found: list[str] = []
    for group in await owned_groups(reader, person.id):
        here = (ResourceType.GROUP, group.id)
        others = await reader.other_owners(group, {person.id, *around.gone(here)}) | around.coming(here)
        found += [] if others - {person.id} else [group.full_path]
    return tuple(found)
