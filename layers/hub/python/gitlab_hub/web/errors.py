"""Refusals that HTTP itself makes, before or around a feature."""

from gitlab_hub.errors import HubError, InvalidInput, NotFound


class InvalidJson(InvalidInput):
    """The body cannot be read as JSON at all (400)."""


class Unprocessable(InvalidInput):
    """The request can be read, and is not what the route takes (422). `details["fields"]` says where, never what.

    It is raised before anything is done, so an `Idempotency-Key` that came with it is free for the corrected request.
    """


def unfit(field: str, message: str) -> Unprocessable:
    """Refuse a field that can be read and does not fit, `query.…` or `body.…`; the message says what would."""
    return Unprocessable(message, details={"fields": [{"field": field, "problem": "unfit", "message": message}]})


class NoSuchPath(NotFound):
    """No route has this path. It is said so: the paths are no secret."""


class NothingThere(NotFound):
    """Nothing of an id that the caller may know of; the text follows from the route alone."""


class NoSuchId(NotFound):
    """What stands in the path cannot be an id; `details["fields"]` says why. Nothing was looked up."""


class InvalidCursor(HubError):
    """The cursor is not one that this list has given out."""

    code = "invalid_cursor"


class Unauthenticated(HubError):
    """Nobody known sent this."""

    code = "unauthorized"


class PermissionDenied(HubError):
    """The caller is known, and the role is too low."""

    code = "permission_denied"


class MethodNotAllowed(HubError):
    """The path exists, and not for this method. `details["allowed"]` lists those it has."""

    code = "method_not_allowed"


class PayloadTooLarge(HubError):
    """The body is larger than the hub takes."""

    code = "payload_too_large"


class IdempotencyMismatch(HubError):
    """The key was used before, for another body."""

    code = "idempotency_mismatch"


class InProgress(HubError):
    """The first call with this key has not been answered yet."""

    code = "in_progress"
    retryable = True
