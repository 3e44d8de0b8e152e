"""What is asked for as operations that can be planned.

`offboard` and the deletion of an Owner become several operations, and usernames become ids.
Each of them is an operation like any other, with its own sentence, calls, refusals, outcome and way back. What is there
is read when the plan is made; what comes after that is not part of it, which is why an account is blocked first.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gitlab_hub.errors import InvalidInput, NotInGitLab
from gitlab_hub.gitlab.fields import first_id, text
from gitlab_hub.gitlab.roles import OWNER
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.account_reading import account_named, credentials_of, memberships_of, owned_groups
from gitlab_hub.provisioning.errors import TooManyOperations
from gitlab_hub.provisioning.model import MOST_STEPS
from gitlab_hub.provisioning.operation import ON_ACCOUNTS, Kind, Operation
from gitlab_hub.provisioning.operations.invitations import Invitations

if TYPE_CHECKING:
    from gitlab_hub.provisioning.facts import Person
    from gitlab_hub.provisioning.reading import LiveReader

_SHUT = frozenset({"banned", "ldap_blocked", "blocked_pending_approval"})
"""States in which nobody signs in, and which `block` cannot change (and need not)."""


def is_open(operation: Operation) -> bool:
    """Whether GitLab has to be asked what an operation comes to."""
    if operation.kind in {Kind.OFFBOARD, Kind.DELETE_ACCOUNT}:
        return operation.resource_type is None
    return operation.kind in ON_ACCOUNTS and operation.kind is not Kind.CREATE_ACCOUNT and not operation.account_id


async def expanded(reader: "LiveReader", operations: Sequence[Operation]) -> list[Operation]:
    """The operations, each as what it comes to. Raises TooManyOperations, InvalidInput or GitLabError."""
    found: list[Operation] = []
    for one in operations:
        if not is_open(one):
            found.append(one)
        elif one.kind is Kind.OFFBOARD:
            found += await _offboarding(reader, one)
        elif one.kind is Kind.DELETE_ACCOUNT:
            found += await _deletion(reader, one)
        else:
            found.append(await _named(reader, one))
    return _once_each(found)


async def _named(reader: "LiveReader", operation: Operation) -> Operation:
    """The operation with the id of its account; without one where no account has both the name and the address."""
    row, _ = await account_named(reader, operation.username or "", operation.email or "")
    is_it = row is not None and (text(row.get("email")) or "").lower() == operation.email
    return replace(operation, account_id=(first_id(row or {}, "id") or 0) if is_it else 0, username=None, email=None)


async def _deletion(reader: "LiveReader", operation: Operation) -> list[Operation]:
    """The deletion of an account; of one that looks after a top-level group, with a block before it.

    GitLab deletes in the background. Until it has begun the account would count as an active Owner, and another plan
    could take away the only other one.
    """
    account = operation.account_id
    person = await reader.person(account) if reader.hand.is_admin else None
    if person is None or person.state != "active" or not await owned_groups(reader, account):
        return [operation]
    return [Operation(kind=Kind.BLOCK, account_id=account), operation]


async def _offboarding(reader: "LiveReader", operation: Operation) -> list[Operation]:
    """What ends everything that somebody has, as far as this token may."""
    person = await reader.person(operation.account_id)
    if reader.hand.is_admin and not reader.hand.on_gitlab_com:
        return await _by_administrator(reader, operation, person)
    return await _by_owner(reader, operation, person)


async def _by_administrator(reader: "LiveReader", operation: Operation, person: "Person | None") -> list[Operation]:
    account = operation.account_id
    block, delete = (Operation(kind=kind, account_id=account) for kind in (Kind.BLOCK, Kind.DELETE_ACCOUNT))
    if person is None:
        return [block]
    places = await memberships_of(reader, account, MOST_STEPS)
    credentials = await credentials_of(reader, account, MOST_STEPS)
    if places is None or credentials is None or len(places) + len(credentials) > MOST_STEPS - 2:
        raise TooManyOperations(
            f"{person.label} has more memberships, tokens and keys than a plan can hold. Block the account, which ends "
            "all of its access at once, and take them away in plans of their own (revoke, revoke_credential).",
            details={"most": MOST_STEPS, "account_id": account},
        )
    first = [] if person.state in _SHUT else [block]
    last = [delete] if operation.deletes else []
    ends = [
        Operation(kind=Kind.REVOKE_CREDENTIAL, account_id=account, credential_kind=str(kind), credential_id=number)
        for kind, number in credentials
    ]
    found = [*first, *[one async for one in _revocations(reader, account, places)], *ends, *last]
    return found or [block]


async def _revocations(
    reader: "LiveReader", account: int, places: Iterable[tuple[ResourceType, int]]
) -> AsyncIterator[Operation]:
    """The ends of direct memberships. Requests for access are none, and nobody takes a project of their own away."""
    for kind, number in places:
        member, place = await asyncio.gather(reader.member(kind, number, account), reader.place(kind, number))
        if member is not None and (place is None or place.owner_id != account):
            level = member.membership.access_level
            yield Operation(
                kind=Kind.REVOKE, account_id=account, resource_type=kind, resource_id=number, expected_level=level
            )


async def _by_owner(reader: "LiveReader", operation: Operation, person: "Person | None") -> list[Operation]:
    """The removal from the whole top-level group, and the person's invitations there as far as they are shown."""
    top = (reader.hand.group or "").partition("/")[0]
    try:
        group_id = await reader.id_of(ResourceType.GROUP, top) if top else 0
    except NotInGitLab:
        group_id = 0
    if not group_id:
        return [operation]
    place = await reader.place(ResourceType.GROUP, group_id)
    found = [replace(operation, resource_type=ResourceType.GROUP, resource_id=group_id)]
    if person is None or place is None or await reader.own_level(place) < OWNER:
        return found  # To others GitLab shows no invitations.
    for address in person.addresses:
        cancel = Operation(
            kind=Kind.CANCEL_INVITATION, email=address, resource_type=ResourceType.GROUP, resource_id=group_id
        )
        found += [cancel] if await Invitations().state(reader, cancel) is not None else []
    return found


def _once_each(operations: Sequence[Operation]) -> list[Operation]:
    """Each operation once. Raises InvalidInput where two want something else of the same, or TooManyOperations."""
    found: dict[tuple[object, ...], Operation] = {}
    for one in operations:
        first = found.setdefault(one.subject, one)
        if first.kind is not one.kind:
            raise InvalidInput(
                f"This asks for {first.kind} and for {one.kind} of the same, as offboard comes to several operations. "
                "Name what is to be done once in a plan.",
                details={"account_id": one.account_id},
            )
    if len(found) > MOST_STEPS:
        raise TooManyOperations(
            f"This takes {len(found)} operations, and a plan holds {MOST_STEPS}. Ask for less at once.",
            details={"most": MOST_STEPS, "wanted": len(found)},
        )
    return list(found.values())
