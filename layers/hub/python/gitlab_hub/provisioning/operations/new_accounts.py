"""Accounts that are made.

GitLab's rules that shape the call (lib/api/users.rb, `POST /users`): it wants an email, a name, a username and a way
in. That is `reset_password`: GitLab makes up a password that nobody learns, and mails a link to choose one. As in its
Admin area (app/controllers/admin/users_controller.rb, `create`) the address needs no further confirmation: only who
reads its mail can use the link. 409 where somebody has the address or the username.

What takes it back blocks the account. It is never deleted by that: meanwhile somebody may have worked with it, and a
deletion is for good.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gitlab_hub.gitlab.fields import text
from gitlab_hub.provisioning.account_reading import account_named
from gitlab_hub.provisioning.facts import Hand
from gitlab_hub.provisioning.model import Call, Step
from gitlab_hub.provisioning.operation import Kind, Operation
from gitlab_hub.provisioning.operations.account_rules import of_hand
from gitlab_hub.provisioning.operations.base import Around, Decision, Finding
from gitlab_hub.provisioning.reading import LiveReader
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.sentences import account_change
from gitlab_hub.provisioning.states import AccountState


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccountFacts:
    """What a new account is decided by: one with this username and address, or that another has either of them."""

    own: AccountState | None = None
    is_taken: bool = False
    is_fresh: bool = True


class NewAccounts:
    """`create_account`."""

    waits_for: str | None = None
    makes_members = False

    async def look(self, reader: LiveReader, operation: Operation, around: Around) -> Finding:
        """Decide by whether there is such an account."""
        facts = await _facts(reader, operation, around)
        decision = decide(operation, facts, around.hand)
        who = f"{operation.name} (@{operation.username}, {operation.email})"
        flags = ["external"] if operation.external else []
        flags += [f"known to {operation.provider} as {operation.extern_uid}"] if operation.provider else []
        beside = ", ".join([*flags, "with a mail to choose a password"])
        return Finding(
            decision=decision,
            sentence=account_change(who, facts.own, _ACTIVE, is_change=bool(decision.calls), beside=beside),
            subject=operation.name or "",
            full_path="",
        )

    async def state(self, reader: LiveReader, operation: Operation) -> AccountState | None:
        """The account of this username, if it has the address."""
        return (await _found(reader, operation))[0]

    def back(self, step: Step) -> Operation | None:
        """Block it; its id is looked up by the username and the address, as somebody else may have the name by then."""
        return Operation(kind=Kind.BLOCK, username=step.operation.username, email=step.operation.email)


_ACTIVE = AccountState(state="active")


def decide(operation: Operation, facts: NewAccountFacts, hand: Hand) -> Decision:
    """Decide about a new account. Pure."""
    calls = () if facts.own is not None else (_call(operation),)
    found = {*of_hand(hand), *_of_facts(facts)}
    return Decision(before=facts.own, after=_ACTIVE, calls=calls, refusals=tuple(sorted(found)))


def _of_facts(facts: NewAccountFacts) -> Iterator[Code]:
    if not facts.is_fresh:
        yield Code.STALE_DATA
    if facts.is_taken or facts.own not in {None, _ACTIVE}:
        yield Code.GRANT_CHANGED


def _call(operation: Operation) -> Call:
    body: dict[str, object] = {"email": operation.email, "username": operation.username, "name": operation.name}
    body |= {"reset_password": True, "skip_confirmation": True}
    body |= {} if operation.external is None else {"external": operation.external}
    if operation.provider:
        body |= {"provider": operation.provider, "extern_uid": operation.extern_uid}
    return Call(method="POST", path="/users", body=body)


async def _facts(reader: LiveReader, operation: Operation, around: Around) -> NewAccountFacts:
    if not around.hand.is_admin:
        return NewAccountFacts(is_fresh=around.is_fresh)
    own, is_taken = await _found(reader, operation)
    return NewAccountFacts(own=own, is_taken=is_taken, is_fresh=around.is_fresh)


async def _found(reader: LiveReader, operation: Operation) -> tuple[AccountState | None, bool]:
    """The account of the username and address, and whether another has one of them."""
    row, is_taken = await account_named(reader, operation.username or "", operation.email or "")
    if row is None:
        return None, is_taken
    if (text(row.get("email")) or "").lower() != operation.email:
        return None, True
    return AccountState(state=text(row.get("state")) or "unknown"), is_taken
