"""The refusals of this feature: one class per decision of the caller."""

from collections.abc import Callable

from gitlab_hub.errors import Conflict, HubError, NotFound
from gitlab_hub.gitlab import errors as gitlab
from gitlab_hub.integrations.verification.checks import NO_CREDENTIAL, Verification, to_dict
from gitlab_hub.integrations.verification.codes import FAILURES


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


class InvalidCredentials(HubError):
    """GitLab does not take the token; `details["reason"]` says why where GitLab did."""

    code = "invalid_credentials"


class NoCredential(InvalidCredentials):
    """The integration has no credential left."""

    def __init__(self, message: str = NO_CREDENTIAL) -> None:
        super().__init__(message, details={"reason": "no_credential"})


class InvalidPermissions(HubError):
    """The token is good and may not do what is needed."""

    code = "invalid_permissions"


class AccountBlocked(InvalidPermissions):
    """GitLab turns the token's user away."""

    code = "account_blocked"


class TermsNotAccepted(InvalidPermissions):
    """The user has to accept the terms of service first."""

    code = "terms_not_accepted"


class JobsForbidden(InvalidPermissions):
    """Pipelines can be read, and jobs cannot."""

    code = "jobs_forbidden"


class NoResources(HubError):
    """The token reaches nothing to work with."""

    code = "no_resources"


class NoActiveProjects(NoResources):
    """Everything the token reaches is archived."""

    code = "no_active_projects"


class GroupNotFound(NoResources):
    """The named group is not there, or not visible."""

    code = "group_not_found"


class UnsupportedVersion(HubError):
    """The GitLab is too old."""

    code = "unsupported_version"


_OWN: tuple[type[HubError], ...] = (
    InvalidCredentials,
    InvalidPermissions,
    AccountBlocked,
    TermsNotAccepted,
    JobsForbidden,
    NoResources,
    NoActiveProjects,
    GroupNotFound,
    UnsupportedVersion,
)
_FROM_CLIENT: tuple[type[gitlab.GitLabError], ...] = (
    gitlab.InvalidUrl,
    gitlab.HostNotAllowed,
    gitlab.HostUnreachable,
    gitlab.TlsError,
    gitlab.NotGitLab,
    gitlab.RateLimited,
    gitlab.Unavailable,
    gitlab.UnexpectedResponse,
)
REFUSALS: dict[str, type[HubError]] = {kind.code: kind for kind in (*_OWN, *_FROM_CLIENT)}

RETRY_SECONDS = 30
"""When to try again where GitLab did not say."""


def refusal(verification: Verification) -> HubError | None:
    """What a verification that went badly is to its caller; None where it went well."""
    worst = verification.worst
    if worst is None or worst.code is None:
        return None
    kind = REFUSALS[worst.code]
    retry_after = worst.retry_after or RETRY_SECONDS if kind.retryable else None
    details = {
        **worst.details,
        **_missing_everywhere(verification),
        "step": str(worst.step),
        "checks": [to_dict(check) for check in verification.checks],
    }
    return kind(worst.hint or FAILURES[worst.code].hint, details=details, retry_after=retry_after)


def _missing_everywhere(verification: Verification) -> dict[str, list[str]]:
    """Every permission that a failed step lacked: a new token is made once, not once per step."""
    failed = [check for check in verification.checks if not check.ok]
    names = [name for check in failed for name in check.details.get("missing_permissions", ())]
    return {"missing_permissions": list(dict.fromkeys(names))} if names else {}
