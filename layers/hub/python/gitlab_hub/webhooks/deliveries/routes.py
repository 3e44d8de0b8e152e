"""The HTTP routes over the log of deliveries."""

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import BaseModel, Field

from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.webhooks.event_types import KNOWN
from gitlab_hub.gitlab.webhooks.parse import UNKNOWN
from gitlab_hub.ids import owner_of
from gitlab_hub.web.auth import Caller, IntegrationGuard, Principal, Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor
from gitlab_hub.web.route import Route
from gitlab_hub.webhooks.deliveries.log import MAX_INTEGRATIONS, DeliveryFilters, DeliveryLog
from gitlab_hub.webhooks.deliveries.model import Delivery, DeliveryStatus
from gitlab_hub.webhooks.deliveries.service import DeliveryReplay

# Deliveries as the API shows them: what is not named here stays inside, bodies above all.


class DeliveryView(BaseModel):
    """One delivery. Times are unix seconds."""

    id: str
    integration_id: str
    hook_id: str | None = Field(description="None: the hub found it itself; no hook delivered it.")
    status: str = Field(description="pending, handled, ignored or failed.")
    event: str
    action: str | None
    project_id: int | None
    project_path: str | None
    ref: str | None
    sha: str | None
    actor: str | None
    verification: str = Field(description="signature, token or found.")
    truncated: bool = Field(description="The body was too large to be kept whole.")
    size: int = Field(description="Bytes of the body as it came.")
    reasons: list[str]
    build_ids: list[str]
    attempts: int
    sends: int
    replays: int
    received_at: int
    processed_at: int | None
    milliseconds: int | None = Field(
        description="From being received, or replayed, until its worker was done with it; waiting in the queue counts."
    )
    headers: dict[str, str] = Field(description="Those that were kept; never one with a secret.")


class DeliveryAnswer(BaseModel):
    """One delivery."""

    delivery: DeliveryView


class DeliveryList(BaseModel):
    """A page of deliveries."""

    deliveries: list[DeliveryView]
    next_cursor: str | None


def view_of(delivery: Delivery) -> DeliveryView:
    """Show a delivery."""
    return DeliveryView(
        id=delivery.id,
        integration_id=delivery.integration_id,
        hook_id=delivery.hook_id,
        status=delivery.status,
        event=delivery.event,
        action=delivery.action,
        project_id=delivery.project_id,
        project_path=delivery.project_path,
        ref=delivery.ref,
        sha=delivery.sha,
        actor=delivery.actor,
        verification=delivery.verification,
        truncated=delivery.truncated,
        size=delivery.size,
        reasons=list(delivery.reasons),
        build_ids=list(delivery.build_ids),
        attempts=delivery.attempts,
        sends=delivery.sends,
        replays=delivery.replays,
        received_at=delivery.received_at // 1000,
        processed_at=delivery.processed_at,
        milliseconds=delivery.milliseconds,
        headers=dict(delivery.headers),
    )


DeliveryId = Annotated[str, Path()]
Id = Annotated[str | None, Query(min_length=1, max_length=200)]
StatusFilter = Annotated[DeliveryStatus | None, Query()]
# What GitLab may send besides is shown as well; as a filter it is more often misspelt.
# The names come from the table of events, which mypy does not run.
if TYPE_CHECKING:
    EventName = str
else:
    EventName = Literal[(*KNOWN, UNKNOWN)]
EventFilter = Annotated[EventName | None, Query()]
Seconds = Annotated[int | None, Query(ge=0, le=9_999_999_999)]

LIST = "/v1/deliveries"
ONE = "/v1/deliveries/<delivery_id>"

Visible = Callable[[Principal], Iterable[str]]
"""The ids of all integrations that a caller may see, read as they are asked for."""


class DeliveryRoutes:
    """Shows deliveries, and has them worked on again."""

    def __init__(
        self,
        *,
        log: DeliveryLog,
        replaying: DeliveryReplay,
        guard: IntegrationGuard,
        visible: Visible,
        cursors: Cursors,
    ) -> None:
        self._log, self._replaying = log, replaying
        self._guard, self._visible, self._cursors = guard, visible, cursors

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        viewer = Role.VIEWER
        return (
            Route(method="GET", path=LIST, handler=self.list_deliveries, role=viewer, summary="List deliveries"),
            Route(method="GET", path=ONE, handler=self.get_delivery, role=viewer, summary="Show a delivery"),
            Route(
                method="POST",
                path=f"{ONE}/replay",
                handler=self.replay,
                role=Role.DEVELOPER,
                status=202,
                summary="Have a delivery worked on again",
            ),
        )

    def list_deliveries(
        self,
        caller: Caller,
        integration_id: Id = None,
        hook_id: Id = None,
        status: StatusFilter = None,
        event: EventFilter = None,
        since: Seconds = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> DeliveryList:
        """List deliveries, newest first."""
        filters = DeliveryFilters(hook_id=hook_id, status=status, event=event, since=since)
        listing = json.dumps(["deliveries", integration_id, hook_id, status, event, since])
        after = self._cursors.open(listing, cursor)
        found = self._log.newest(self._among(caller, integration_id, hook_id), filters, limit=limit, after=after)
        following = self._cursors.following(listing, found.last)
        return DeliveryList(deliveries=[view_of(one) for one in found.deliveries], next_cursor=following)

    def get_delivery(self, delivery_id: DeliveryId) -> DeliveryAnswer:
        """Show one delivery."""
        return DeliveryAnswer(delivery=view_of(self._replaying.require(delivery_id)))

    def replay(self, delivery_id: DeliveryId) -> DeliveryAnswer:
        """Have the decisions about a delivery made again. What it has set off already is not set off twice."""
        return DeliveryAnswer(delivery=view_of(self._replaying.replay(delivery_id)))

    def _among(self, caller: Principal, integration_id: str | None, hook_id: str | None) -> Sequence[str]:
        """The integrations to look in. Raises NotFound for one that does not exist or may not be seen."""
        named = {integration_id} if integration_id else set()
        named |= {owner_of(hook_id) or ""} if hook_id else set()
        if not named:
            return list(islice(self._visible(caller), MAX_INTEGRATIONS + 1))
        if not all(caller.can_see(one) and self._guard.exists(one) for one in named):
            raise NotFound("There is no such integration or webhook.")
        return sorted(named) if len(named) == 1 else ()
