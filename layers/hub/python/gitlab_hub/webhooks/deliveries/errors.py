"""What stops a delivery that is genuine."""

from gitlab_hub.errors import HubError


class WebhookQueueUnavailable(HubError):
    """The delivery could not be kept durably: GitLab is told so, and shows it as failed."""

    code = "webhook_queue_unavailable"
    retryable = True

    def __init__(self, message: str = "The delivery could not be queued; resend it in a moment.") -> None:
        super().__init__(message, retry_after=5)
