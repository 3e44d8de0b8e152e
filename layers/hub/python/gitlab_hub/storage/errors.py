"""What storage can say against a call: that it does not answer (try again), or that it never will take this."""

from gitlab_hub.errors import HubError


class StorageUnavailable(HubError):
    """A table, queue or secret could not be reached, or was throttled for too long."""

    code = "service_unavailable"
    retryable = True


REFUSED = "DynamoDB refused a row as too large (over 400 KB) or malformed; see the function's log."


class StorageRefused(HubError):
    """A table does not take what is to be written, and never will: an item over 400 KB, or a malformed one.

    DynamoDB says so with a `ValidationException`, in a transaction as a reason for its end.
    """

    code = "storage_refused"
