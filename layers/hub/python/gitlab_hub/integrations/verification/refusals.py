"""What a verification that went badly is to its caller: one class per code that a step may have."""

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab import errors as gitlab
from gitlab_hub.integrations.verification.checks import NO_CREDENTIAL, Verification, to_dict
from gitlab_hub.integrations.verification.codes import FAILURES


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
