"""Who calls: a role, perhaps a limit to some integrations, and the GitLab people that it is."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

EVERY_INTEGRATION = "*"
GITLAB_SIGN_IN_SECONDS = 4 * 3600
"""How long a sign-in with GitLab counts: in which groups somebody is was asked when they signed in."""
FAILED = {"failed": "true"}
"""The authorizer context of a request whose token could not be looked up."""

_NAMES = ("token_id", "role", "integration_ids")
_FROM_GITLAB = "gitlab:"
_ID = re.compile(r"[^\s*]+")
_IDS = re.compile(r"[\w-]+(?: [\w-]+)*", re.ASCII)
_ACCOUNTS = re.compile(r"[\w-]+:[1-9][0-9]{0,18}(?: [\w-]+:[1-9][0-9]{0,18})*", re.ASCII)


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


class GitLabAccount(NamedTuple):
    """A GitLab user of one integration, by GitLab's id."""

    integration_id: str
    account_id: int


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose hub token was found good. `integration_ids` None = no limit.

    `gitlab_accounts`: the people in GitLab that the token belongs to, as far as whoever made it said so.
    """

    token_id: str
    role: Role
    integration_ids: frozenset[str] | None = None
    gitlab_accounts: frozenset[GitLabAccount] = frozenset()

    def can_see(self, integration_id: str) -> bool:
        """Say whether the token's limit leaves this integration visible."""
        return self.integration_ids is None or integration_id in self.integration_ids

    def accounts_in(self, integration_id: str) -> frozenset[int]:
        """GitLab's ids of the people that the token belongs to in one integration."""
        return frozenset(one.account_id for one in self.gitlab_accounts if one.integration_id == integration_id)

    def to_context(self) -> dict[str, str]:
        """Write the principal as an authorizer context: flat strings pass through every gateway unchanged."""
        limit = EVERY_INTEGRATION if self.integration_ids is None else " ".join(sorted(self.integration_ids))
        context = {"token_id": self.token_id, "role": self.role.value, "integration_ids": limit}
        # Left out where there are none: authorizers of earlier releases do not write it.
        return {**context, _PEOPLE: _spelled(self.gitlab_accounts)} if self.gitlab_accounts else context

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
        people = _people(context[_PEOPLE]) if _PEOPLE in context else frozenset()
        if people is None:
            return None
        if limit == EVERY_INTEGRATION:
            return cls(token_id, Role(role), None, people)
        return cls(token_id, Role(role), frozenset(limit.split(" ")), people) if _IDS.fullmatch(limit) else None


_PEOPLE = "gitlab_accounts"


def id_from_gitlab(account_id: int, issuer: str) -> str:
    """The `token_id` of somebody who has signed in with GitLab: another GitLab counts its users from 1, too.

    No hub token's id has a colon in it (`web/tokens.py`).
    """
    return f"{_FROM_GITLAB}{account_id}@{issuer.partition('://')[2]}"


def is_from_gitlab(token_id: str) -> bool:
    """Whether a caller has signed in with GitLab: nobody can look up later what they may do by then."""
    return token_id.startswith(_FROM_GITLAB)


def _spelled(accounts: Iterable[GitLabAccount]) -> str:
    return " ".join(f"{one.integration_id}:{one.account_id}" for one in sorted(accounts))


def _people(text: Any) -> frozenset[GitLabAccount] | None:
    """Read what `_spelled` has written; None for anything else."""
    if not isinstance(text, str) or not _ACCOUNTS.fullmatch(text):
        return None
    pairs = (one.split(":") for one in text.split(" "))
    return frozenset(GitLabAccount(integration_id, int(number)) for integration_id, number in pairs)
