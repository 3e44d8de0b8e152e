"""Who calls: a role, and perhaps a limit to some integrations."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

EVERY_INTEGRATION = "*"
FAILED = {"failed": "true"}
"""The authorizer context of a request whose token could not be looked up."""

_NAMES = ("token_id", "role", "integration_ids")
_ID = re.compile(r"[^\s*]+")
_IDS = re.compile(r"[\w-]+(?: [\w-]+)*", re.ASCII)


class Role(StrEnum):
    """What a caller may do; each role may do all that the ones before it may."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    ADMIN = "admin"
    OWNER = "owner"

    def includes(self, needed: "Role") -> bool:
        """Say whether a caller of this role may use a route that asks for `needed`."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose hub token was found good. `integration_ids` None = no limit."""

    token_id: str
    role: Role
    integration_ids: frozenset[str] | None = None

    def can_see(self, integration_id: str) -> bool:
        """Say whether the token's limit leaves this integration visible."""
        return self.integration_ids is None or integration_id in self.integration_ids

    def to_context(self) -> dict[str, str]:
        """Write the principal as an authorizer context: flat strings pass through every gateway unchanged."""
        limit = EVERY_INTEGRATION if self.integration_ids is None else " ".join(sorted(self.integration_ids))
        return {"token_id": self.token_id, "role": self.role.value, "integration_ids": limit}

    @classmethod
    def from_context(cls, context: Any) -> "Principal | None":
        """Read an authorizer context. Whatever `to_context` would not have written is nobody's.

        A limit without an id in it is no limit to nothing, but a mistake: it would read as a caller who sees no
        integration, and still may use what belongs to none.
        """
        values = [context.get(name) for name in _NAMES] if isinstance(context, Mapping) else []
        if len(values) != len(_NAMES) or not all(isinstance(value, str) for value in values):
            return None
        token_id, role, limit = map(str, values)
        if not _ID.fullmatch(token_id) or role not in list(Role):
            return None
        if limit == EVERY_INTEGRATION:
            return cls(token_id, Role(role))
        return cls(token_id, Role(role), frozenset(limit.split(" "))) if _IDS.fullmatch(limit) else None
