"""Deliveries as the API shows them: what is not named here stays inside, bodies above all."""

from pydantic import BaseModel, Field

from gitlab_hub.webhooks.delivery_model import Delivery


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
