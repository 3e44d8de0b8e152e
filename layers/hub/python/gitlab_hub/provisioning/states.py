"""What an operation finds and what it leaves: of a membership, of an account, of a credential.

A state is compared as a whole: what is read after a write equals what was planned, or it does not. None stands for
nothing there: no membership, no account. Stored states carry a tag; one without it was written when there were
memberships only.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from gitlab_hub.storage.ports import UnknownSchema
from gitlab_hub.storage.rows import member_of, value_of

_TAG = "of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What an account, an invited group or an invited address has in a group or project itself."""

    access_level: int
    expires_on: str | None = None
    member_role_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """What GitLab did in the place of what was planned: the direct membership of an account, before and after."""

    account_id: int
    before: Membership | None
    after: Membership


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """Whether an account can be used, in GitLab's words (app/models/user.rb, `state_machine :state`).

    `active`, `blocked`, `deactivated`, `banned`, `ldap_blocked`, `blocked_pending_approval`; others may come.
    """

    state: str


class CredentialStatus(StrEnum):
    """Whether a credential still opens anything. The texts are stored and part of the API."""

    ACTIVE = "active"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialState:
    """What a token or key is good for; one that can only be deleted is None afterwards."""

    status: CredentialStatus


State = Membership | AccountState | CredentialState


def membership_of(state: State | None) -> Membership | None:
    """The state of an operation about a membership, a share or an invitation. Raises TypeError for any other."""
    if state is None or isinstance(state, Membership):
        return state
    raise TypeError(f"{type(state).__name__} is no membership")


def stored(state: State | None) -> dict[str, Any] | None:
    """A state as it is kept."""
    match state:
        case None:
            return None
        case Membership():
            return {_TAG: "membership", **asdict(state)}
        case AccountState():
            return {_TAG: "account", **asdict(state)}
        case CredentialState():
            return {_TAG: "credential", "status": str(state.status)}


def state_of(row: Mapping[str, Any] | None) -> State | None:
    """A state that was kept. Raises UnknownSchema."""
    if row is None:
        return None
    match row.get(_TAG, "membership"):
        case "membership":
            return value_of(Membership, dict(row))
        case "account":
            return value_of(AccountState, dict(row))
        case "credential":
            return CredentialState(status=member_of(CredentialStatus, row["status"]))
        case _:
            raise UnknownSchema("This version does not know this state.")
