"""What the receiving side writes down: a line and a metric for each, with words for programs and ids of ours only."""

from gitlab_hub.web.telemetry import count, set_up_logging

REFUSED, IGNORED, LOST = "WebhooksRefused", "WebhooksIgnored", "WebhooksNotQueued"
GAVE_UP, SENT_AGAIN = "WorkGivenUp", "DeliveriesSentAgain"


class WebhookMetrics:
    """Log lines and metrics of one function, on standard output, where Lambda picks them up."""

    def __init__(self, function: str) -> None:
        self._function = function

    def refused(self, reason: str) -> None:
        """A call was not let in; by reason, because a wrong secret and a wrong clock need different help."""
        self._write("webhook refused", REFUSED, reason=reason)

    def ignored(self, reason: str, *, hook_id: str) -> None:
        """A genuine call has no effect."""
        self._write("webhook ignored", IGNORED, reason=reason, hook_id=hook_id)

    def unavailable(self, *, hook_id: str | None) -> None:
        """A call could not be kept."""
        self._write("webhook not queued", LOST, hook_id=hook_id)

    def gave_up(self, delivery_id: str) -> None:
        """Nobody came to an end with a delivery."""
        self._write("delivery given up", GAVE_UP, delivery_id=delivery_id)

    def requeued(self, count: int) -> None:
        """Deliveries had been kept and not worked on."""
        self._write("deliveries sent again", SENT_AGAIN, value=count)

    def _write(self, line: str, metric: str, *, value: int = 1, **keys: str | None) -> None:
        set_up_logging().info(line, extra={"function": self._function, "count": value, **keys})
        count(metric, function=self._function, value=value)
