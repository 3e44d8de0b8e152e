"""What can go wrong when talking to a GitLab: one class per decision of the caller."""

from collections.abc import Mapping
from typing import Any

from gitlab_hub.errors import HubError


class GitLabError(HubError):
    """A call to GitLab did not give a usable answer.

    `http_status` and `request_id` (GitLab's `X-Request-Id`) are None where no answer came.
    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        request_id: str | None = None,
        details: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, details=details, retry_after=retry_after)
        self.http_status = http_status
        self.request_id = request_id
        self.behind_list = False
        """Whether GitLab has shown a list and refuses what is in it. An empty list proves nothing against that."""


class InvalidUrl(GitLabError):
    """The base URL cannot be one of a GitLab."""

    code = "invalid_url"


class HostNotAllowed(GitLabError):
    """The host is, or resolves to, an address the deployer has not allowed."""

    code = "host_not_allowed"


class HostUnreachable(GitLabError):
    """No connection, or no answer in time."""

    code = "host_unreachable"
    retryable = True


class NoConnection(HostUnreachable):
    """There was no connection, so nothing was sent."""


class TlsError(GitLabError):
    """The certificate or the handshake was not acceptable."""

    code = "tls_error"


class Unauthorized(GitLabError):
    """401: the token is not (or no longer) good. `details["reason"]`: token_expired, token_revoked, …, unknown."""

    code = "invalid_credentials"


class GrantRefused(GitLabError):
    """The token endpoint definitely refuses (RFC 6749, 5.2). `details["reason"]` is its error code."""

    code = "invalid_credentials"


class InvalidGrant(GrantRefused):
    """The code or the refresh token is used up, revoked, expired or another application's."""


class Forbidden(GitLabError):
    """403: known, and not allowed."""

    code = "invalid_permissions"


class InsufficientScope(Forbidden):
    """403 `insufficient_scope`: the token lacks a scope. `details["missing_scopes"]`."""


class MissingPermissions(Forbidden):
    """403 `insufficient_granular_scope`: GitLab wants a fine-grained token that has the permissions it names.

    A fine-grained token gets this outside of its grant, a classic one where the top-level group takes fine-grained
    tokens only. `details`: `missing_permissions` (as GitLab names them, such as "Project: Read"; empty where it names
    none), `boundary` (what they are to be held on: project, group, user, instance, …; or None) and `reason`:
    missing_permissions, not_supported (no fine-grained token reaches this) or not_enabled (none reaches anything).
    """


class CiDisabled(Forbidden):
    """403 because the project does not have the feature at all: no token could read it."""

    code = "ci_disabled"


class NothingVisible(Forbidden):
    """GitLab answers with an empty list where something must be: nothing at all, or not what it shows elsewhere."""

    code = "no_resources"


class ResourceNotFound(GitLabError):
    """404: not there, or not visible to this token."""

    code = "not_found"


class RateLimited(GitLabError):
    """429 of either kind. `retry_after` is in seconds and always set."""

    code = "rate_limited"
    retryable = True


class Unavailable(GitLabError):
    """5xx."""

    code = "gitlab_unavailable"
    retryable = True


class ReadOnly(Unavailable):
    """403 of a GitLab that takes no writes for now (maintenance mode, Geo secondary): nothing was done, try later."""


class NotGitLab(GitLabError):
    """HTML, a redirect or another sign that no GitLab API answers here."""

    code = "not_gitlab"


class Moved(NotGitLab):
    """301 of GitLab's own: a project asked for by a path that it had before. `details["project_id"]`.

    Where it is to be asked for is taken from nowhere but that id: no call, and no token, follows a redirect.
    """


class UnexpectedResponse(GitLabError):
    """Truncated, oversized, over-deep or otherwise unusable JSON, or a status nobody expected."""

    code = "unexpected_response"
    retryable = True


class StatusUnchanged(GitLabError):
    """400 `Cannot transition status …`: a commit status is already where it was to go, or beyond."""

    code = "status_not_changed"


class IncompleteList(UnexpectedResponse):
    """The pages of a list do not make a whole one: whoever reads it again starts at its beginning."""


class Interrupted(UnexpectedResponse):
    """The answer broke off or is not whole JSON: asking again may help."""
