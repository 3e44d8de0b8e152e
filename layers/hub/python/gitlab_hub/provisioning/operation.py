"""What can be wanted of GitLab.

Times are unix seconds. An expiry of GitLab's is a day (`expires_on`, ISO): access ends with its first second (UTC).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from gitlab_hub.gitlab.roles import OWNER
from gitlab_hub.inventory.model import ResourceType

NO_ROLE = 0
"""In the place of a custom role's id: none. Without a word about it, one stays as long as the level does."""


Resource = tuple[ResourceType, int]
"""A group or project by its id."""

Where = tuple[ResourceType | None, int]
"""A group or project, or `GITLAB`."""

GITLAB: Where = (None, 0)
"""Where an operation is that is about no group or project."""


class Kind(StrEnum):
    """What an operation does. The texts are stored and part of the API."""

    GRANT = "grant"
    REVOKE = "revoke"
    SHARE = "share"
    UNSHARE = "unshare"
    INVITE = "invite"
    UPDATE_INVITATION = "update_invitation"
    CANCEL_INVITATION = "cancel_invitation"
    BLOCK = "block"
    UNBLOCK = "unblock"
    DEACTIVATE = "deactivate"
    ACTIVATE = "activate"
    CREATE_ACCOUNT = "create_account"
    DELETE_ACCOUNT = "delete_account"
    REVOKE_CREDENTIAL = "revoke_credential"
    OFFBOARD = "offboard"


CLOSING = frozenset({Kind.BLOCK, Kind.DEACTIVATE, Kind.DELETE_ACCOUNT})
"""Those after which an account cannot be used, so that it looks after no group any more."""

ON_ACCOUNTS = CLOSING | {Kind.UNBLOCK, Kind.ACTIVATE, Kind.CREATE_ACCOUNT, Kind.OFFBOARD}
"""Those that are about an account itself."""

IN_BACKGROUND = frozenset({Kind.DELETE_ACCOUNT, Kind.OFFBOARD})
"""Those that GitLab answers first and does later."""

_RANKS = {
    **dict.fromkeys((Kind.CREATE_ACCOUNT, Kind.UNBLOCK, Kind.ACTIVATE), 0),
    **dict.fromkeys((Kind.BLOCK, Kind.DEACTIVATE), 2),
    **dict.fromkeys((Kind.REVOKE, Kind.UNSHARE, Kind.CANCEL_INVITATION, Kind.OFFBOARD), 3),
    Kind.REVOKE_CREDENTIAL: 4,
    Kind.DELETE_ACCOUNT: 5,
}
"""When each kind is done among those of its plan: 0 the first, 1 where nothing is said."""


class Mode(StrEnum):
    """Whether a grant may leave more than it names: `ensure_at_least` never lowers and never shortens."""

    AT_LEAST = "ensure_at_least"
    EXACTLY = "set_exactly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that somebody wants; which fields it has follows from its kind.

    It is about an account (`account_id`, else 0), a group that is invited (`group_id`), or an address (`email`, in
    lower case). What has no group or project, as a change of an account itself, has no `resource_type`. An account that
    is to be made has a `username` and a `name`, perhaps what a `provider` of sign-ins knows it by (`extern_uid`).
    `until`: when the hub ends what a grant gives (unix seconds); `expires_on` is then the day after.
    `deletes`: whether whoever leaves is deleted at the end.
    """

    kind: Kind
    resource_type: ResourceType | None = None
    resource_id: int = 0
    account_id: int = 0
    group_id: int | None = None
    email: str | None = None
    access_level: int | None = None
    mode: str | None = None
    expires_on: str | None = None
    until: int | None = None
    member_role_id: int | None = None
    expected_level: int | None = None
    username: str | None = None
    name: str | None = None
    external: bool | None = None
    provider: str | None = None
    extern_uid: str | None = None
    credential_kind: str | None = None
    """Of a token or key (`gitlab/credential_kinds.py`) with `credential_id`, and whose or where it is beside."""
    credential_id: int = 0
    deletes: bool = False

    @property
    def rank(self) -> int:
        """When it is done among those of its plan: new owners come first, and nobody goes before they are there.

        An account is closed before anything is taken from it, and deleted when all else is done.
        """
        return _RANKS.get(self.kind, 0 if self.access_level == OWNER else 1)

    @property
    def subject(self) -> tuple[object, ...]:
        """What it changes: a plan has one operation for each."""
        aspect = self.kind if self.kind is Kind.DELETE_ACCOUNT else self.username
        credential = self.credential_kind, self.credential_id
        return self.resource_type, self.resource_id, self.account_id, self.group_id, self.email, aspect, *credential

    @property
    def holder(self) -> int:
        """The account or group that is to have something; 0 where it is known by an address only, or nobody is."""
        return 0 if self.credential_kind is not None else self.group_id or self.account_id

    @property
    def resource(self) -> Resource:
        """The group or project. Raises TypeError for an operation that is about none."""
        if self.resource_type is None:
            raise TypeError(f"{self.kind} is about no group or project")
        return self.resource_type, self.resource_id

    @property
    def where(self) -> Where:
        """The group or project, or what stands for the whole GitLab."""
        return self.resource_type, self.resource_id

    @property
    def place(self) -> str:
        """The group or project, where no better name for it is known."""
        return f"{self.resource_type} {self.resource_id}"


def day_after(moment: int) -> str:
    """The day (UTC, ISO) after a moment: when GitLab ends what the hub was to end at that moment, and could not."""
    return (datetime.fromtimestamp(moment, UTC).date() + timedelta(days=1)).isoformat()


def in_order(operations: Mapping[int, Operation]) -> list[int]:
    """The order in which operations are looked at and done, by their numbers in the plan."""
    return sorted(operations, key=lambda number: (operations[number].rank, number))
