"""Reading what GitLab says is missing for a fine-grained token.

The three sentences, and that a classic token gets them too under a top-level group that enforces fine-grained ones, are
those of GitLab's app/services/authz/tokens/authorize_granular_scopes_service.rb. What such tokens may call, and the
names of the permissions: GitLab's documentation, "Fine-grained permissions for REST API".
"""

import re
from dataclasses import dataclass
from typing import Any

GRANULAR = "granular"
"""The only scope of a fine-grained token: it says nothing about what the token may do."""

_LISTED = re.compile(r"\[([^\[\]]{1,2000})\]")
_HELD_ON = re.compile(r"following ([a-z]+(?: [a-z]+){0,2}) permissions", re.IGNORECASE)
# Names have letters, spaces and underscores only, so that nothing else an answer may say gets through. The first form
# is that of today's sentence and of the page where tokens are made, the other one GitLab's own names.
_NAME = re.compile(r"[A-Za-z][A-Za-z ]{0,60}: [A-Za-z][A-Za-z ]{0,30}|[a-z]{1,30}(?:_[a-z]{1,30}){1,6}", re.ASCII)
_MOST = 20
_NOT_ENABLED, _NOT_SUPPORTED = "are not yet supported", "doesn't support fine-grained"


@dataclass(frozen=True, slots=True)
class Denial:
    """What GitLab wants and the token does not have."""

    reason: str
    permissions: tuple[str, ...] = ()
    boundary: str | None = None

    @property
    def details(self) -> dict[str, Any]:
        """The same as an error shows it."""
        named = {"reason": self.reason, "missing_permissions": list(self.permissions)}
        return named if self.boundary is None else named | {"boundary": self.boundary}

    @property
    def advice(self) -> str:
        """What is wrong and what to do about it, for a person."""
        if self.reason == "not_enabled":
            return "Fine-grained tokens are switched off in this GitLab. Use a classic token, or have them switched on."
        if self.reason == "not_supported":
            return "This GitLab lets no fine-grained token do this. Use a classic token, or upgrade GitLab."
        wanted = ", ".join(self.permissions) or "permissions it does not name"
        return (
            f"GitLab wants a fine-grained token with {wanted}. Permissions cannot be added to a token: "
            "make a new one that has them, and cover the group or project with it."
        )


def is_fine_grained(scopes: Any) -> bool:
    """Whether these are the scopes of a fine-grained token; beside other scopes the word counts for nothing."""
    return isinstance(scopes, list | tuple) and list(scopes) == [GRANULAR]


def denied(sentence: str) -> Denial:
    """Read GitLab's sentence; one that says nothing known still means that permissions are missing."""
    if _NOT_ENABLED in sentence:
        return Denial("not_enabled")
    if _NOT_SUPPORTED in sentence:
        return Denial("not_supported")
    listed, held_on = _LISTED.search(sentence), _HELD_ON.search(sentence)
    found = re.split(r",\s*", listed[1].strip())[:_MOST] if listed else []
    names = tuple(name for name in found if _NAME.fullmatch(name))
    return Denial("missing_permissions", names, held_on[1].lower() if held_on else None)
