"""The one family of errors a caller of the hub can meet."""

from collections.abc import Mapping
from typing import Any, ClassVar


class HubError(Exception):
    """A refusal or failure with a stable public code.

    The text is for a person and says what to do; it never carries a secret, an upstream body or a resolved address.
    """

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, details: Mapping[str, Any] | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.details = dict(details or {})
        self.retry_after = retry_after


class InvalidInput(HubError):
    """The caller's input cannot be taken as it is."""

    code = "invalid_input"


class NotFound(HubError):
    """No such thing, or none that this caller may know of."""

    code = "not_found"


class NotInGitLab(NotFound):
    """GitLab shows no such project or group. Said so: it is the caller's own word, and no id of the hub's."""


class Conflict(HubError):
    """Someone else changed the same thing in the meantime."""

    code = "conflict"
    retryable = True


class IntegrationPaused(HubError):
    """Nothing is synced or built for an integration that is paused."""

    code = "integration_paused"


class FeatureDisabled(HubError):
    """The integration was not given the right to do this. `details["feature"]` names it."""

    code = "feature_disabled"
