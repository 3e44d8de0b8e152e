"""Who is asking: tokens in headers, and what they may open."""

from collections.abc import Mapping

from stand_in_gitlab.clock import day
from stand_in_gitlab.company.model import Token, User
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.refusals import (
    EXPIRED,
    IMPERSONATION_OFF,
    NO_PROOF,
    REVOKED,
    forbidden,
    invalid_token,
    scope_missing,
    unauthorized,
)

OPEN_TO_READ_USER = frozenset({"user", "users", "version", "metadata"})
USE_IS_NOTED_AFTER = 600.0
"""Seconds between two notes of a token's use (app/services/personal_access_tokens/last_used_service.rb)."""

DENIED = {
    "blocked": "Your account has been blocked.",
    "banned": "Your account has been blocked.",
    "blocked_pending_approval": "Your account is pending approval from your administrator and hence blocked.",
    "deactivated": "Your account has been deactivated by your administrator. Please log back in from a web browser.",
}


def token_text(headers: Mapping[str, str], params: Mapping[str, str]) -> str | None:
    """The token as it came: in `PRIVATE-TOKEN`, as a bearer, or in the query."""
    private = headers.get("private-token") or params.get("private_token")
    if private:
        return private
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    return rest.strip() or None if scheme.lower() == "bearer" else None


def identify(company: Company, text: str | None, now: float) -> tuple[Token, User]:
    """The token's row and its user; a refusal in GitLab's words otherwise."""
    token = company.tokens.get(text or "")
    if token is None or token.user_id not in company.users:
        raise unauthorized()
    if token.revoked:
        raise invalid_token(REVOKED)
    if (token.expires_at is not None and token.expires_at <= day(now)) or (
        token.ends is not None and token.ends <= now
    ):
        raise invalid_token(EXPIRED)
    user = company.users[token.user_id]
    if user.state != "active":
        raise forbidden(DENIED.get(user.state, ""))
    if token.last_used is None or token.last_used + USE_IS_NOTED_AFTER <= now:
        token.last_used = now
    return token, user


def check_kind(company: Company, token: Token, user: User, headers: Mapping[str, str]) -> None:
    """401 for what this GitLab does not take of a good token; a proof of possession is not looked at, only for."""
    if token.impersonation and company.behaviour.impersonation_off:
        raise invalid_token(IMPERSONATION_OFF)
    if company.behaviour.dpop and not user.bot and token.kind != "oauth" and "dpop" not in headers:
        raise invalid_token(NO_PROOF, error="dpop_error")


def check_scope(token: Token, method: str, segments: tuple[str, ...]) -> None:
    """403 unless a scope of the token opens this path. A token may always ask about itself."""
    if segments[:2] == ("personal_access_tokens", "self") and segments[2:] != ("rotate",):
        return
    wanted = ("api", "read_api") if method in {"GET", "HEAD"} else ("api",)
    if segments[2:] == ("rotate",):
        wanted = ("api", "self_rotate")
    elif wanted[1:] and segments[:1] and segments[0] in OPEN_TO_READ_USER:
        wanted = ("read_user", *wanted)
    if not set(wanted) & set(token.scopes):
        raise scope_missing(wanted)
