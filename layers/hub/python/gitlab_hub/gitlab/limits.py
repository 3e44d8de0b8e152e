"""Which of GitLab's rate limits a call counts against, and who may hold it back."""

import re
from typing import Protocol

from gitlab_hub.gitlab.rates import RateFacts

# https://docs.gitlab.com/administration/settings/rate_limits/ : these have limits of their own on gitlab.com.
_CLASSES = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("members", r"/(groups|projects)/[^/]+/(billable_|pending_)?members(/.*)?"),
        ("jobs", r"/projects/[^/]+/(pipelines/[^/]+/(jobs|bridges)|jobs(/[^/]+)?)"),
        ("pipelines", r"/projects/[^/]+/pipelines(/[^/]+)?"),
        ("group_projects", r"/groups/[^/]+/projects"),
        ("groups_list", r"/groups"),
        ("group", r"/groups/[^/]+"),
        ("projects_list", r"/projects"),
        ("project", r"/projects/[^/]+"),
        ("users", r"/users(/.*)?"),
    )
)


class Limiter(Protocol):
    """A share of GitLab's patience."""

    async def acquire(self, endpoint: str) -> None:
        """Return when a call of this class may go out: at once, after a short sleep, or raise RateLimited."""

    def observe(self, endpoint: str, facts: RateFacts) -> None:
        """Learn what an answer said about the limits."""


class Unlimited:
    """No limit: for a handful of calls."""

    async def acquire(self, endpoint: str) -> None:
        """Let every call pass."""

    def observe(self, endpoint: str, facts: RateFacts) -> None:
        """Drop what was said."""


def endpoint_class(method: str, path: str) -> str:
    """Name the class of a call, by its path relative to /api/v4."""
    if method != "GET":
        return "other"
    return next((name for name, pattern in _CLASSES if pattern.fullmatch(path)), "other")
