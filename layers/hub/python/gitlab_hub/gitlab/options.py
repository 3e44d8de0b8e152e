"""The bounds of a client, and what it needs of others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

_MIB = 1024 * 1024


class Tokens(Protocol):
    """Where the client gets its token."""

    async def current(self) -> str:
        """Give the token to use now."""

    async def renewed(self, rejected: str) -> str | None:
        """Give a newer token than the one GitLab rejected, read anew once; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """Bounds on what one client does. Times in seconds, sizes in bytes."""

    concurrency: int = 16
    tries: int = 3
    deadline: float = 20.0
    """For one call with all its tries and pauses; waiting for the limiter or for a free connection is not in it."""
    connect_timeout: float = 5.0
    read_timeout: float = 10.0
    longest_wait: int = 5
    """Where GitLab asks to wait longer than this, the caller decides what to do meanwhile."""
    max_body: int = 10 * _MIB
    max_depth: int = 100
    max_pages: int = 20_000
    ca_bundle: str | None = field(default=None, repr=False)
    """Further authorities to trust: path of a PEM file, or its text."""
    user_agent: str = "gitlab-hub"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `next` is where the list goes on: opaque, good for a later run too, None at the end."""

    rows: list[dict[str, Any]] = field(repr=False)
    next: str | None
    server_time: datetime | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Reply:
    """One successful answer. The body may hold anything GitLab said, so it is not shown."""

    body: Any = field(repr=False)
    http_status: int
    server_time: datetime | None
    request_id: str | None
    headers: Mapping[str, str] = field(repr=False)
