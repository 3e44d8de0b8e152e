"""What a token's look tells about it; whether it is any good, only GitLab knows."""

import re
from enum import StrEnum


class TokenKind(StrEnum):
    """Kinds of GitLab tokens by their default prefixes."""

    ACCESS = "access"
    """Personal, group, project or service-account access token."""
    DEPLOY = "deploy"
    RUNNER = "runner"
    CI_JOB = "ci_job"
    TRIGGER = "trigger"
    FEED = "feed"
    INCOMING_MAIL = "incoming_mail"
    AGENT = "agent"
    SCIM = "scim"
    FEATURE_FLAGS = "feature_flags"
    OAUTH_SECRET = "oauth_secret"  # noqa: S105 - a kind, not a secret  # pragma: allowlist secret
    UNKNOWN = "unknown"
    """No prefix we know: old tokens, OAuth access tokens, and instances with a prefix of their own."""


# https://docs.gitlab.com/security/tokens/#token-prefixes
_PREFIXES = {
    "glpat-": TokenKind.ACCESS,
    "gldt-": TokenKind.DEPLOY,
    "glrt-": TokenKind.RUNNER,
    "glrtr-": TokenKind.RUNNER,
    "glcbt-": TokenKind.CI_JOB,
    "glptt-": TokenKind.TRIGGER,
    "glft-": TokenKind.FEED,
    "glimt-": TokenKind.INCOMING_MAIL,
    "glagent-": TokenKind.AGENT,
    "glsoat-": TokenKind.SCIM,
    "glffct-": TokenKind.FEATURE_FLAGS,
    "gloas-": TokenKind.OAUTH_SECRET,
}
_API_KINDS = frozenset({TokenKind.ACCESS, TokenKind.UNKNOWN})
_SENDABLE = re.compile(r"[\x21-\x7e]{1,2048}", re.ASCII)


def kind_of(token: str) -> TokenKind:
    """Name the kind a token's prefix names."""
    return next((kind for prefix, kind in _PREFIXES.items() if token.startswith(prefix)), TokenKind.UNKNOWN)


def may_call_api(token: str) -> bool:
    """Whether a token of this look can be one for the REST API; the others explain a 401."""
    return kind_of(token) in _API_KINDS


def sendable(token: str) -> bool:
    """Whether a token fits into a header as it is; others would end up in the error of an HTTP library."""
    return _SENDABLE.fullmatch(token) is not None
