"""The two open routes that GitLab delivers to, as part of the whole API and its description."""

from collections.abc import Sequence
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel

from gitlab_hub.web.route import Route
from gitlab_hub.webhooks.receiving.receiver import PATH, Receiver

REFUSALS = (400, 401, 413, 503)

HookId = Annotated[str, Path()]


class Receipt(BaseModel):
    """What GitLab is told: kept (`delivery_id`), kept before (`duplicate`), or of no effect (`ignored`: why)."""

    ok: bool
    delivery_id: str | None = None
    duplicate: bool | None = None
    ignored: str | None = None


class ReceiverRoutes:
    """Where deliveries come in. The receiver answers them itself, from the bytes as they came."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        return (
            Route(
                method="POST",
                path=PATH,
                handler=self.receive,
                role=None,
                status=202,
                raw=self._receiver.answer,
                refusals=REFUSALS,
                operation="receive_webhook",
                summary="Take a delivery of GitLab's, whichever hook it is from",
            ),
            Route(
                method="POST",
                path=f"{PATH}/<hook_id>",
                handler=self.receive_from,
                role=None,
                status=202,
                raw=self._receiver.answer,
                refusals=REFUSALS,
                operation="receive_webhook_of_hook",
                summary="Take a delivery of GitLab's from this hook",
            ),
        )

    def receive(self) -> Receipt:
        """Describe the answer; the receiver gives it."""
        raise NotImplementedError

    def receive_from(self, hook_id: HookId) -> Receipt:
        """Describe the answer; the receiver gives it."""
        raise NotImplementedError(hook_id)
