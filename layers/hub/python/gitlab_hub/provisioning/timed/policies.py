"""Who may ask for what, for how long, and who approves. Pure.

The first policy of the list that lets a request through is the one it goes by. A request for break-glass goes by
policies for break-glass only, and every other request by the others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitlab_hub.gitlab.roles import MAINTAINER

DEFAULT_MINUTES = 480
MOST_BREAK_GLASS_MINUTES = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """Some hub tokens: all of these roles, and those of these ids."""

    roles: tuple[str, ...] = ()
    token_ids: tuple[str, ...] = ()

    def include(self, token_id: str, role: str) -> bool:
        """Whether a token is one of them."""
        return role in self.roles or token_id in self.token_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy. `resources` are full paths, or patterns in which `*` stands for anything, slashes too."""

    id: str
    name: str
    enabled: bool
    resources: tuple[str, ...]
    max_access_level: int
    max_minutes: int
    requesters: Callers
    approvers: Callers
    approver_count: int = 1
    break_glass: bool = False
    review_within_minutes: int | None = None


DEFAULT = Policy(
    id="default",
    name="Developers ask, an owner approves",
    enabled=True,
    resources=("*",),
    max_access_level=MAINTAINER,
    max_minutes=DEFAULT_MINUTES,
    requesters=Callers(roles=("developer", "admin", "owner")),
    approvers=Callers(roles=("owner",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asks for: a level in a place, for so many seconds."""

    full_path: str
    access_level: int
    seconds: int
    token_id: str
    role: str
    break_glass: bool = False


def against(policy: Policy, asked: Asked) -> list[str]:
    """What of a request does not fit a policy; nothing: it lets it through."""
    most = min(policy.max_minutes, MOST_BREAK_GLASS_MINUTES) if policy.break_glass else policy.max_minutes
    path = asked.full_path.lower()
    checks = {
        "disabled": not policy.enabled,
        "break_glass": policy.break_glass is not asked.break_glass,
        "resource": not any(_fits(path, one.lower()) for one in policy.resources),
        "access_level": asked.access_level > policy.max_access_level,
        "minutes": asked.seconds > most * 60,
        "requester": not policy.requesters.include(asked.token_id, asked.role),
    }
    return [name for name, fails in checks.items() if fails]


def _fits(path: str, pattern: str) -> bool:
    """Whether a path is what a pattern says; only `*` stands for anything. Each part is looked for once."""
    first, *parts = pattern.split("*")
    if not parts:
        return path == pattern
    last = parts.pop()
    if len(path) < len(first) + len(last) or not (path.startswith(first) and path.endswith(last)):
        return False
    at, end = len(first), len(path) - len(last)
    for part in parts:
        found = path.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def policy_for(policies: Iterable[Policy], asked: Asked) -> Policy | None:
    """The policy that a request goes by."""
    return next((one for one in policies if not against(one, asked)), None)


def people(approvals: Iterable[tuple[str, Sequence[int]]]) -> int:
    """How many people approved: tokens that share an account in GitLab are one. Each is (token id, accounts)."""
    groups: list[set[object]] = []
    for token_id, accounts in approvals:
        known: set[object] = {token_id, *accounts}
        meeting = [one for one in groups if one & known]
        groups = [one for one in groups if not one & known] + [known.union(*meeting)]
    return len(groups)
