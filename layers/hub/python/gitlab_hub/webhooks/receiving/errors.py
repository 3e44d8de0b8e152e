"""Why a delivery is not taken: every reason is a word for programs, a log line and a metric."""

from typing import ClassVar

from gitlab_hub.errors import HubError


class DeliveryRejected(HubError):
    """A call that is not taken; `reason` is for the one who runs the hub, never for the caller."""

    message: ClassVar[str] = ""

    def __init__(self, reason: str) -> None:
        super().__init__(self.message)
        self.reason = reason


class InvalidSignature(DeliveryRejected):
    """Nothing proves that GitLab sent this. Whatever is wrong, the answer is the same to the letter."""

    code = "invalid_token"
    message = "This delivery could not be verified: check the webhook's URL and secret in GitLab."


class InvalidPayload(DeliveryRejected):
    """The sender is genuine, and the body is no JSON object."""

    code = "invalid_payload"
    message = "Send a JSON object in UTF-8, as GitLab does."


class TooLarge(DeliveryRejected):
    """The body is larger than the hub takes."""

    code = "payload_too_large"
    message = "The delivery is larger than the hub takes; GitLab lists fewer commits in smaller pushes."
