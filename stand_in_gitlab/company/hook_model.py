"""Webhooks and what became of every call they made."""

from dataclasses import dataclass, field
from typing import Any, Literal

HookKind = Literal["project", "group", "system"]
HookOwner = tuple[HookKind, int]
SYSTEM: HookOwner = ("system", 0)


@dataclass(slots=True, kw_only=True)
class HookEvent:
    """One attempt to call a hook, as `GET …/hooks/:id/events` shows it for seven days."""

    id: int
    trigger: str
    url: str
    request_headers: dict[str, str]
    request_data: Any = field(repr=False)
    response_status: str
    response_headers: dict[str, str]
    response_body: str
    duration: float
    created: float

    @property
    def key(self) -> str:
        """The idempotency key, which a resend repeats."""
        return self.request_headers["Idempotency-Key"]


@dataclass(slots=True, kw_only=True)
class Hook:
    """A webhook of a project, a group or the instance; its secrets never leave."""

    id: int
    owner: HookOwner
    url: str
    created: float
    flags: dict[str, bool]
    branch_filter: str | None = None
    filter_strategy: str = "wildcard"
    token: str | None = field(default=None, repr=False)
    signing_token: str | None = field(default=None, repr=False)
    name: str | None = None
    description: str | None = None
    template: str | None = None
    custom_headers: dict[str, str] = field(default_factory=dict, repr=False)
    url_variables: dict[str, str] = field(default_factory=dict, repr=False)
    failures: int = 0
    disabled_until: float | None = None
    events: list[HookEvent] = field(default_factory=list, repr=False)
