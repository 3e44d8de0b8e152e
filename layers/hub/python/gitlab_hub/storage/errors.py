"""When AWS does not answer: the one failure of storage that a caller can do something about (try again)."""

from gitlab_hub.errors import HubError


class StorageUnavailable(HubError):
    """A table, queue or secret could not be reached, or was throttled for too long."""

    code = "service_unavailable"
    retryable = True
