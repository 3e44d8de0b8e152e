"""What the very first request says about the way to GitLab."""

from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    HostNotAllowed,
    HostUnreachable,
    ResourceNotFound,
    TlsError,
    Unauthorized,
)
from gitlab_hub.integrations.verification.checks import Check, Step, errored, failed, passed


def connectivity_checks(error: GitLabError | None) -> list[Check]:
    """Decide about host, connection and TLS; any answer at all proves all three."""
    if isinstance(error, HostNotAllowed):
        return [errored(Step.HOST, error)]
    if isinstance(error, HostUnreachable):
        return [passed(Step.HOST), errored(Step.CONNECT, error)]
    if isinstance(error, TlsError):
        return [passed(Step.HOST), passed(Step.CONNECT), errored(Step.TLS, error)]
    return [passed(Step.HOST), passed(Step.CONNECT), passed(Step.TLS)]


async def probe_unauthenticated(gitlab: GitLab) -> GitLabError | None:
    """Ask what every GitLab keeps to those who are signed in; None where it told."""
    try:
        await gitlab.get("/version", anonymous=True)
    except GitLabError as error:
        return error
    return None


def is_gitlab(error: GitLabError | None) -> list[Check]:
    """Decide from the answer to a request without a token: a GitLab wants one, in JSON."""
    way = connectivity_checks(error)
    if error is None or isinstance(error, Unauthorized | Forbidden) or not all(check.ok for check in way):
        return way
    if isinstance(error, ResourceNotFound):
        return [*way[:-1], failed(Step.TLS, "not_gitlab", status=error.http_status)]
    return [*way[:-1], errored(Step.TLS, error)]
