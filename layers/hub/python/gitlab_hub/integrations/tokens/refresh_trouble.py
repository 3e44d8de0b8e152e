"""What a refresh that failed says to whoever wanted the token. None of it ends a pair, and none of it judges one."""

from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    GrantRefused,
    ResourceNotFound,
    Unauthorized,
    Unavailable,
)
from gitlab_hub.integrations.verification.codes import APPLICATION_HINT, OF_APPLICATION

TELL_AFTER = 6
"""Failures in a row, about five minutes of trouble, after which a person hears of it."""

_WORDS = "GitLab's token endpoint gave no usable answer. The token is kept, and renewed as soon as there is one."


class ApplicationRefused(Unavailable):
    """GitLab refuses the application itself, so nobody looked at its tokens: they live, and wait for a new secret."""


def application_refused(reason: str, *, retry_after: int | None = None) -> ApplicationRefused:
    """The refusal of an application, and what to do about it."""
    return ApplicationRefused(APPLICATION_HINT, details={"reason": reason}, retry_after=retry_after)


def as_refresh_error(error: GitLabError) -> GitLabError:
    """What a failed call to the token endpoint is to whoever wanted to make another call.

    A 401, 403 or 404 there speaks of something in front of GitLab (a firewall, a sign-on page), or of the request:
    taken for what it means elsewhere, it would judge a token that nobody has looked at. So the status is in the details
    alone.
    """
    reason = str(error.details.get("reason"))
    if isinstance(error, GrantRefused) and reason in OF_APPLICATION:
        return application_refused(reason)
    is_judging = isinstance(error, Unauthorized | Forbidden | ResourceNotFound | GrantRefused)
    kind, words = (Unavailable, _WORDS) if is_judging else (type(error), str(error))
    details = {} if error.http_status is None else {"token_endpoint_status": error.http_status}
    return kind(words, request_id=error.request_id, details=details, retry_after=error.retry_after)


def code_of(trouble: GitLabError) -> str:
    """What to remember of a failure: a reason of the application's, else its code."""
    return str(trouble.details["reason"]) if isinstance(trouble, ApplicationRefused) else trouble.code


def schedule_retry(code: str, seconds: int | None) -> GitLabError:
    """What to say during a pause (`code` = the last failure's), or while another worker renews the token."""
    if code in OF_APPLICATION:
        return application_refused(code, retry_after=seconds)
    if seconds is None:
        return Unavailable("The token is being renewed; try again in a moment.", retry_after=30)
    return Unavailable(f"The token could not be renewed ({code}); it is tried again soon.", retry_after=seconds)


def needs_person(trouble: GitLabError, failures: int) -> bool:
    """Whether a person should hear of it: at once where only a person can help, else once it has lasted."""
    return isinstance(trouble, ApplicationRefused) or failures >= TELL_AFTER
