"""What the engine needs to know of integrations; the integrations feature fulfils it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gitlab_hub.sync.ports import Target

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import Tokens


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Some of the integrations that may sync on schedule; `last` is where the next page begins, None at the end."""

    ids: list[str]
    last: str | None


class Targets(Protocol):
    """The integrations as the engine sees them. All calls block but those of `Tokens`."""

    def scheduled(self, ids: Iterable[str]) -> set[str]:
        """Those of these integrations that may sync on schedule: active, not paused, credential not rejected."""

    def scheduled_page(self, after: str | None) -> Scheduled:
        """One page of all integrations that may, behind a position."""

    def target(self, integration_id: str) -> Target | None:
        """What to read; None where the integration is gone, paused or has no credential."""

    def tokens(self, target: Target) -> "Tokens":
        """Where the client gets this target's token."""

    def placed(self, target: Target, *, group_id: int, path: str) -> None:
        """GitLab says which group the target's is, and what it is called; no effect where it has another meanwhile."""

    def rejected(self, target: Target) -> None:
        """GitLab definitely refuses the credential; no effect where it was replaced meanwhile."""

    def accepted(self, target: Target) -> None:
        """GitLab takes the credential (again)."""
