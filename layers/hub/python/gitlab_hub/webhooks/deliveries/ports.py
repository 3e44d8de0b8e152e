"""What the receiving side needs of other rooms, and what it promises them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gitlab_hub.gitlab.webhooks.event import HookEvent

ACTIVE = "active"
GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a delivery. `reasons` are words for programs; `build_ids` are the builds that it asked for."""

    status: str
    """handled, ignored or failed."""
    reasons: tuple[str, ...] = ()
    build_ids: tuple[str, ...] = ()


class Builds(Protocol):
    """Decides which builds an event asks for, and asks for them."""

    def on_event(
        self, integration_id: str, event: HookEvent, *, delivery_id: str
    ) -> tuple[Sequence[str], Sequence[str]]:
        """Give (build ids, reasons). Idempotent by delivery id: a repeated call has no further effect."""


class Hints(Protocol):
    """Tells the syncs what may have changed; they ask GitLab for it by id and believe nothing else."""

    def pipeline(self, integration_id: str, project_id: int, pipeline_id: int) -> None:
        """A pipeline, or one of its jobs, may have changed."""

    def deployments(self, integration_id: str, project_id: int) -> None:
        """Something may have been deployed in a project."""

    def project(self, integration_id: str, project_id: int) -> None:
        """A project or its members may have changed."""

    def group(self, integration_id: str, group_id: int) -> None:
        """A group or its members may have changed."""


class IntegrationState(Protocol):
    """Knows whether an integration takes part at all."""

    def of(self, integration_id: str) -> str:
        """`active`, `gone` where there is none, or a word for why its deliveries are put aside (`paused`, …)."""


class DeliveryMetrics(Protocol):
    """Where refusals and what else a person should know of are written down: a log line and a metric each."""

    def refused(self, reason: str) -> None:
        """A call was not let in."""

    def ignored(self, reason: str, *, hook_id: str) -> None:
        """A genuine call has no effect."""

    def unavailable(self, *, hook_id: str | None) -> None:
        """A genuine call may be lost: AWS did not answer in time."""

    def gave_up(self, delivery_id: str) -> None:
        """A delivery was sent to its worker so often that nobody believes in it any more."""

    def requeued(self, count: int) -> None:
        """So many deliveries had been kept and not worked on."""
