"""Whether an account may be closed, opened again or deleted: decided by what was read live. Pure.

GitLab's own rules (lib/api/users.rb; app/services/users; the states in app/models/user.rb):

- All of it is for administrators, who are shown `is_admin` of others; with Admin Mode on, to a token with the scope
  `admin_mode` only.
- `POST …/block` answers 201 to an account that is closed in another way, and leaves it so. `POST …/unblock` would let
  somebody in who waits for approval, or who is banned: both are refused here, as they are decisions of their own.
- `ldap_blocked` is set by LDAP, SAML and SCIM alike (`system_block`), and 403 to whoever wants to change it.
- `POST …/deactivate` answers 403 about whoever was here within `deactivate_dormant_users_period`, which is 90 days at
  the least (docs.gitlab.com/administration/moderate_users), and about internal users. Bots are refused altogether.
- `DELETE` answers 204 and is done later; 409 about the only Owner of a group. It is never asked for `hard_delete`,
  which takes along what the person wrote.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.provisioning.facts import Hand, Person
from gitlab_hub.provisioning.model import Call
from gitlab_hub.provisioning.operation import CLOSING, Kind, Operation
from gitlab_hub.provisioning.operations.base import Decision
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.states import AccountState

DORMANT_DAYS = 90
MACHINES = frozenset(
    {AccountKind.PROJECT_BOT, AccountKind.GROUP_BOT, AccountKind.SERVICE_ACCOUNT, AccountKind.INTERNAL}
)

_BECOMES = {
    Kind.BLOCK: "blocked",
    Kind.UNBLOCK: "active",
    Kind.DEACTIVATE: "deactivated",
    Kind.ACTIVATE: "active",
}
_POSSIBLE_FROM = {
    Kind.BLOCK: frozenset({"active", "deactivated"}),
    Kind.UNBLOCK: frozenset({"blocked"}),
    Kind.DEACTIVATE: frozenset({"active"}),
    Kind.ACTIVATE: frozenset({"deactivated"}),
}
_WHY_NOT_FROM = {"ldap_blocked": Code.LDAP_MANAGED, "blocked_pending_approval": Code.QUEUED_FOR_APPROVAL}


def state_ahead(operation: Operation, ahead: Iterable[Operation], state: str) -> str:
    """The state that an account will be in by what the same plan does before."""
    for one in ahead:
        state = _BECOMES.get(one.kind, state) if one.account_id == operation.account_id else state
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """What a change of an account is decided by.

    `left_alone`: the top-level groups (full paths) that nobody else can look after.
    """

    person: Person | None
    left_alone: tuple[str, ...] = ()
    is_fresh: bool = True


def decide(operation: Operation, facts: AccountFacts, hand: Hand) -> Decision:
    """Decide about an account that there is."""
    person = facts.person
    before = None if person is None else AccountState(state=person.state)
    becomes = _BECOMES.get(operation.kind)
    after = None if becomes is None else AccountState(state=becomes)
    calls = () if person is None or before == after else (_call(operation),)
    found = {*of_hand(hand, person), *_always(operation, facts, hand)}
    if calls and person is not None:
        found |= {*_of_change(operation, facts, person, hand)}
    return Decision(before=before, after=after, calls=calls, refusals=tuple(sorted(found)))


def of_hand(hand: Hand, person: Person | None = None) -> Iterator[Code]:
    """Whether this token may change accounts at all. Nobody can on gitlab.com but GitLab."""
    if hand.on_gitlab_com:
        yield Code.NOT_SUPPORTED_HERE
    elif not hand.may_write or not hand.is_admin or (person is not None and person.is_admin is None):
        yield Code.TOKEN_SCOPE


def _call(operation: Operation) -> Call:
    path = f"/users/{operation.account_id}"
    if operation.kind is Kind.DELETE_ACCOUNT:
        return Call(method="DELETE", path=path)
    return Call(method="POST", path=f"{path}/{operation.kind}")


def _always(operation: Operation, facts: AccountFacts, hand: Hand) -> Iterator[Code]:
    if not facts.is_fresh:
        yield Code.STALE_DATA
    # To others GitLab shows no account that is blocked.
    if facts.person is None and hand.is_admin:
        yield Code.USER_NOT_FOUND
    # To close an account ends its tokens, also those that other integrations work with.
    if operation.account_id in {hand.account_id, *(hand.other_users if operation.kind in CLOSING else ())}:
        yield Code.SELF_TARGET
    if facts.person is not None and facts.person.kind in MACHINES:
        yield Code.BOT_MEMBER


def _of_change(operation: Operation, facts: AccountFacts, person: Person, hand: Hand) -> Iterator[Code]:
    """What stands against the change itself."""
    possible = _POSSIBLE_FROM.get(operation.kind)
    if possible is not None and person.state not in possible:
        yield _WHY_NOT_FROM.get(person.state, Code.GRANT_CHANGED)
    elif operation.kind is Kind.DEACTIVATE and _was_here(person, hand.today):
        yield Code.GRANT_CHANGED
    if operation.kind in CLOSING and facts.left_alone:
        yield Code.LAST_OWNER


def _was_here(person: Person, today: str) -> bool:
    return person.seen_on is not None and date.fromisoformat(person.seen_on) > date.fromisoformat(today) - timedelta(
        days=DORMANT_DAYS
    )
