"""What the very first request says about the way to GitLab."""

from gitlab_hub.gitlab.errors import GitLabError, HostNotAllowed, HostUnreachable, TlsError
from gitlab_hub.integrations.checks import Check, Step, passed, troubled


def reach(error: GitLabError | None) -> list[Check]:
    """Decide about host, connection and TLS; any answer at all proves all three."""
    if isinstance(error, HostNotAllowed):
        return [troubled(Step.HOST, error)]
    if isinstance(error, HostUnreachable):
        return [passed(Step.HOST), troubled(Step.CONNECT, error)]
    if isinstance(error, TlsError):
        return [passed(Step.HOST), passed(Step.CONNECT), troubled(Step.TLS, error)]
    return [passed(Step.HOST), passed(Step.CONNECT), passed(Step.TLS)]
