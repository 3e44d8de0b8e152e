"""What a registered webhook is; pure, and without validation models: the receiver starts with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Verification(StrEnum):
    """How a delivery proves itself. A hook that signs is never believed without its signature."""

    SIGNATURE = "signature"
    TOKEN = "token"  # noqa: S105 - the name of a way


class HookStatus(StrEnum):
    """How a hook was when it was last looked at. Stored as text: rows of a later release may name others."""

    ACTIVE = "active"
    TEMPORARILY_DISABLED = "temporarily_disabled"
    DISABLED = "disabled"
    MISSING = "missing"
    DRIFTED = "drifted"
    MANUAL = "manual"


class Mode(StrEnum):
    """Who puts the hook into GitLab: the hub, or a person."""

    AUTO = "auto"
    MANUAL = "manual"


CHECK_SECONDS = 3_300
"""How long a look is good for: a little less than an hour, so that some tick of every hour looks again."""

FALLBACK_SECONDS = 86_400
"""After so long the projects of a group are gone through again, for new ones."""

RESEND_SECONDS = 60
"""GitLab takes five resends a minute: what a look began to recover goes on at the next tick, not an hour later."""

RETRY_SECONDS = 900
"""After so long a hook that could not be looked after has its turn again, behind those that wait since before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One hook. Its secrets are derived from its id and their version, and stand nowhere. Times are unix seconds."""

    id: str
    integration_id: str
    scope: str
    gitlab_hook_id: int | None
    """None: manual, or not (yet, or any more) in GitLab."""
    target_id: int | None
    """Id of the project or group; None for the whole system."""
    target: str
    """Full path of the project or group when it was last looked up, or the GitLab's address. It is shown, and the id
    is what counts."""
    url: str
    verification: str
    events: tuple[str, ...]
    status: str
    secret_version: int
    previous_version_until: int
    """Until when the version before is accepted too; 0 = not at all."""
    created_at: int
    updated_at: int
    secrets_taken_at: int | None = None
    """When GitLab last took all of it, secrets included, by GitLab's clock: to be compared with times that GitLab
    writes. None: it did not say, or the row is of an earlier release."""
    checked_at: int | None = None
    last_delivery_at: int | None = None
    version: int = 1
    """Grows with every write; writers name the one they read."""
    mode: str = Mode.AUTO
    parent_id: str | None = None
    """The hook of a group that this one of a project stands in for."""
    uses_fallback: bool = False
    """A hook of a group that could not hang there: hooks of its projects stand in for it."""
    fallback_cursor: str | None = None
    """Where GitLab's list of projects goes on; None = at its start."""
    fallback_done_at: int | None = None
    """When the hooks of all its projects were last made; None = not all of them yet."""
    fallback_failed: int = 0
    """How many projects refused their hook in the present pass."""
    attempts: tuple[str, ...] = ()
    """Which rotations were asked for lately, each as `<digest of the request> <version it made>`."""
    rotating: int | None = None
    """A rotation whose outcome is open: the seconds of grace it will give. Both versions count meanwhile."""
    locked_until: int = 0
    """Somebody changes the hook in GitLab, at most until then; nobody else may meanwhile."""
    resend_cursor: int = 0
    """The newest of GitLab's records of deliveries that needs no further look."""
    resend_target: int | None = None
    """What `resend_cursor` becomes once the present pass has come through; None = no pass is under way."""
    resend_status: str = "server_failure"
    resend_page: int = 1
    """Where the present pass goes on."""
    resend_below: int | None = None
    """The last record on that page that was dealt with: newer ones need no second try in this pass."""
    resent_at: tuple[int, ...] = ()
    """When deliveries were last asked for again, for the limit of five a minute."""
    tried_at: int | None = None
    """When it last could not be looked after."""
    drift: tuple[str, ...] = ()
    """What differed from GitLab when it was last looked at."""
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What a later release has added to its row; it stays there."""

    @property
    def is_ours(self) -> bool:
        """Whether the hub itself put it into GitLab, and so may change it there."""
        return self.mode == Mode.AUTO and not self.uses_fallback

    def moved_to(self, target_id: int | None, target: str) -> "Hook":
        """The same hook, its project or group having got another path."""
        return replace(self, target_id=target_id, target=target)

    @property
    def next_check_at(self) -> int | None:
        """When its next health check is (unix seconds); None = never, it is not the hub's to look after."""
        if not self.uses_fallback and not self.is_ours:
            return None
        return max(self._due, self.locked_until, (self.tried_at or -RETRY_SECONDS) + RETRY_SECONDS)

    @property
    def _due(self) -> int:
        if self.uses_fallback and self.fallback_done_at is not None:
            return self.fallback_done_at + FALLBACK_SECONDS
        if self.uses_fallback or self.checked_at is None:
            # One that is not finished has its turn again and again, behind what waits longer.
            return self.checked_at or self.created_at
        is_resending = self.resend_target is not None and self.status != HookStatus.MISSING
        return self.checked_at + (RESEND_SECONDS if is_resending else CHECK_SECONDS)

    def accepted_versions(self, now: float) -> tuple[int, ...]:
        """The versions of the secrets that are good now, newest first."""
        if self.secret_version > 1 and now < self.previous_version_until:
            return (self.secret_version, self.secret_version - 1)
        return (self.secret_version,)
