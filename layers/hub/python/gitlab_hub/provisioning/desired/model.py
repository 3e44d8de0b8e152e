"""Wanted access, and how it differs from what the hub's mirror has. Pure.

What is not named is not touched: an account without a row keeps what it has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gitlab_hub.gitlab.roles import MINIMAL_ACCESS, ROLES
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.operation import Kind, Mode, Operation

Place = tuple[ResourceType, int]


class RowProblem(StrEnum):
    """What can be wrong with a row. The texts are part of the API."""

    MISSING = "missing"
    BAD_NUMBER = "bad_number"
    BAD_LEVEL = "bad_level"
    BAD_DAY = "bad_day"
    BAD_TYPE = "bad_type"
    UNKNOWN_ACCOUNT = "unknown_account"
    UNKNOWN_RESOURCE = "unknown_resource"
    UNKNOWN_COLUMN = "unknown_column"
    REPEATED = "repeated"
    MISMATCH = "mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an account is to have in a group or project itself: a level until a day, or (0) no membership."""

    account_id: int
    resource_type: ResourceType
    resource_id: int
    access_level: int
    expires_on: str | None = None

    @property
    def place(self) -> Place:
        """Where."""
        return self.resource_type, self.resource_id


@dataclass(frozen=True, slots=True)
class Held:
    """What an account has there, as the mirror knows it."""

    access_level: int
    expires_on: str | None = None


class DriftKind(StrEnum):
    """How what is so differs from what is wanted. The texts are part of the API."""

    MISSING = "missing"
    DIFFERENT = "different"
    UNWANTED = "unwanted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One difference."""

    kind: DriftKind
    wanted: Wanted
    held: Held | None

    @property
    def operation(self) -> Operation:
        """What would end it."""
        one, gone = self.wanted, self.kind is DriftKind.UNWANTED
        return Operation(
            kind=Kind.REVOKE if gone else Kind.GRANT,
            account_id=one.account_id,
            resource_type=one.resource_type,
            resource_id=one.resource_id,
            access_level=None if gone else one.access_level,
            mode=None if gone else str(Mode.EXACTLY),
            expires_on=None if gone else one.expires_on,
            expected_level=self.held.access_level if gone and self.held else None,
        )


def is_level(level: int, kind: ResourceType) -> bool:
    """Whether a row may ask for a level: one of GitLab's, or 0 for none; Minimal Access only groups have."""
    return level in ROLES and not (level == MINIMAL_ACCESS and kind is ResourceType.PROJECT)


def drift(wanted: Sequence[Wanted], held: Mapping[Place, Mapping[int, Held]], today: str) -> list[Drift]:
    """Everything in which the mirror differs from what is wanted, in the order of the rows.

    `today` is a day (UTC, ISO): a row whose day is over says nothing any more, as if it was not there.
    """
    valid = [one for one in wanted if one.expires_on is None or one.expires_on > today]
    found = ((one, held.get(one.place, {}).get(one.account_id)) for one in valid)
    return [Drift(kind=kind, wanted=one, held=has) for one, has in found if (kind := _kind(one, has)) is not None]


def _kind(wanted: Wanted, held: Held | None) -> DriftKind | None:
    if wanted.access_level == 0:
        return None if held is None else DriftKind.UNWANTED
    if held is None:
        return DriftKind.MISSING
    is_so = (held.access_level, held.expires_on) == (wanted.access_level, wanted.expires_on)
    return None if is_so else DriftKind.DIFFERENT
