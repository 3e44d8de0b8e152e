"""Who calls: a role, and perhaps a limit to some integrations."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

EVERY_INTEGRATION = "*"
FAILED = {"failed": "true"}
"""The authorizer context of a request whose token could not be looked up."""


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
    def from_context(cls, context: Mapping[str, Any]) -> "Principal | None":
        """Read an authorizer context; anything incomplete or unknown is nobody."""
        token_id, role, limit = (context.get(name) for name in ("token_id", "role", "integration_ids"))
        if not isinstance(token_id, str) or not token_id or role not in list(Role) or not isinstance(limit, str):
            return None
        ids = None if limit == EVERY_INTEGRATION else frozenset(limit.split())
        return cls(token_id, Role(role), ids)
