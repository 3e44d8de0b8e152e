"""The refusals of this feature: one class per decision of the caller."""

from collections.abc import Callable

from gitlab_hub.errors import Conflict, HubError, NotFound


class DuplicateIntegration(HubError):
    """The same GitLab, user and group are connected already, as the integration named; to those who may see it.

    `removed` is an integration that could never be finished because of it, and is gone.
    """

    code = "duplicate_integration"

    def __init__(self, integration_id: str | None, *, removed: str | None = None) -> None:
        self.integration_id, self.removed = integration_id, removed
        named = {"integration_id": integration_id, "removed_integration_id": removed}
        which = "" if integration_id is None else f" It is the integration {integration_id}: change that one."
        undone = "" if removed is None else f" The unfinished integration {removed} was removed."
        super().__init__(
            f"This user and group of that GitLab are connected already.{which}{undone}",
            details={name: value for name, value in named.items() if value is not None},
        )

    def having_removed(self, integration_id: str) -> "DuplicateIntegration":
        """The same, where the integration that was to be connected is gone for it."""
        return DuplicateIntegration(self.integration_id, removed=integration_id)

    def shown_to(self, can_see: Callable[[str], bool]) -> "DuplicateIntegration":
        """The same, without the other integration's id where the caller may not know of it."""
        visible = self.integration_id is not None and can_see(self.integration_id)
        return self if visible else DuplicateIntegration(None, removed=self.removed)


class AccountMismatch(HubError):
    """The new token belongs to another GitLab user than the old one."""

    code = "gitlab_account_mismatch"


class RotationInProgress(HubError):
    """The token is being renewed at this moment, or it is too early to say what became of an earlier try."""

    code = "rotation_in_progress"


class RotationNotPermitted(HubError):
    """The token may not rotate itself, or its GitLab does not know how."""

    code = "rotation_not_permitted"


class InvalidState(HubError):
    """An authorization that the hub did not begin, or that has ended: nothing was asked of GitLab."""

    code = "invalid_state"


class AuthorizationDenied(HubError):
    """Somebody said no in GitLab."""

    code = "authorization_denied"


class ActiveBuildsRemain(HubError):
    """Builds of the integration are under way."""

    code = "integration_has_active_builds"


class CredentialNotFound(NotFound):
    """The integration has no such credential."""


class TokenChanged(Conflict):
    """The credential was replaced or removed while somebody was at it; its integration is there."""

    def __init__(self, message: str = "The token was replaced or removed at this very moment; try again.") -> None:
        super().__init__(message)


class TooBusy(Conflict):
    """Others kept changing the integration while this was tried."""
