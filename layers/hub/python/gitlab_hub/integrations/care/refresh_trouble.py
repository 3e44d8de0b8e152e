"""What a refresh that failed says to whoever wanted the token. None of it ends a pair, and none of it judges one."""

from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    GrantRefused,
    InvalidGrant,
    Missing,
    Unauthorized,
    Unavailable,
)
from gitlab_hub.integrations.codes import APPLICATION_HINT, OF_APPLICATION

TELL_AFTER = 6
"""Failures in a row, about five minutes of trouble, after which a person hears of it."""


class ApplicationRefused(GrantRefused):
    """GitLab refuses the application itself, so nothing was asked of its tokens: they live, and wait for it."""

    retryable = True


def application_refused(error: GrantRefused | None = None, *, retry_after: int | None = None) -> ApplicationRefused:
    """The refusal of an application, and what to do about it."""
    return ApplicationRefused(
        APPLICATION_HINT,
        http_status=error.http_status if error else None,
        request_id=error.request_id if error else None,
        details={"reason": error.details.get("reason") if error else "invalid_client"},
        retry_after=retry_after or (error.retry_after if error else None),
    )


def trouble_of(error: GitLabError) -> GitLabError:
    """What a failed call to the token endpoint is to a caller.

    A 401, 403 or 404 there speaks of something in front of GitLab (a firewall, a sign-on page), or of the request:
    taken for what it means elsewhere, it would judge a token that nobody has looked at.
    """
    if isinstance(error, GrantRefused) and error.details.get("reason") in OF_APPLICATION:
        return application_refused(error)
    if isinstance(error, (Unauthorized, Forbidden, Missing, GrantRefused)) and not isinstance(error, InvalidGrant):
        return Unavailable(
            "GitLab's token endpoint gave no usable answer. The token is kept, and renewed as soon as it does.",
            http_status=error.http_status,
            request_id=error.request_id,
        )
    return error


def put_off(trouble: str, seconds: int | None) -> GitLabError:
    """What to say during a pause, or while another worker renews the token; `trouble` is the last failure's code."""
    if trouble == ApplicationRefused.code:
        return application_refused(retry_after=seconds)
    if seconds is None:
        return Unavailable("The token is being renewed; try again in a moment.", retry_after=30)
    return Unavailable(f"The token could not be renewed ({trouble}); it is tried again soon.", retry_after=seconds)


def is_told(trouble: GitLabError, failures: int) -> bool:
    """Whether a person should hear of it: at once where only a person can help, else once it has lasted."""
    return isinstance(trouble, ApplicationRefused) or failures >= TELL_AFTER
