"""Deciding about the token and the user behind it from GitLab's answers. Nothing here sends a request."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from gitlab_hub.gitlab.errors import Forbidden, GitLabError, InsufficientScope, Missing, Unauthorized
from gitlab_hub.integrations.checks import Check, Step, TokenFacts, failed, passed, troubled, warned
from gitlab_hub.integrations.health import EXPIRING_WITHIN
from gitlab_hub.integrations.model import Account, AccountKind

FOREIGN_PREFIXES = ("gldt-", "glrt-", "glcbt-", "glft-")
READING_SCOPES = frozenset({"api", "read_api"})
BOT = re.compile(r"(project|group)_\d+_bot(_[0-9a-f]+)?")


def token_refused(error: GitLabError, token: str, *, writes: bool) -> Check:
    """GitLab's refusal of a token; a 401 for a token of another trade is explained by its prefix."""
    if isinstance(error, Unauthorized) and token.startswith(FOREIGN_PREFIXES):
        return failed(Step.TOKEN, "invalid_credentials", status=error.http_status, reason="wrong_token_type")
    if isinstance(error, InsufficientScope):
        missing = ["api" if writes else "read_api"]
        return failed(Step.TOKEN, "invalid_permissions", status=error.http_status, missing_scopes=missing)
    if isinstance(error, Missing):
        # Not even `GET /user`, which every GitLab has.
        return failed(Step.TOKEN, "not_gitlab", status=error.http_status)
    return troubled(Step.TOKEN, error)


def token_facts(body: Mapping[str, Any]) -> TokenFacts:
    """Read `/personal_access_tokens/self` or `/oauth/token/info`; what is not there stays unknown."""
    listed = body.get("scopes", body.get("scope"))
    scopes = listed.split() if isinstance(listed, str) else listed if isinstance(listed, list) else []
    return TokenFacts(
        scopes=tuple(str(scope) for scope in scopes),
        expires_at=midnight(body.get("expires_at")),
    )


def token_check(body: Mapping[str, Any], facts: TokenFacts, *, status: int, writes: bool, now: int) -> Check:
    """Decide about a token that GitLab has described."""
    if body.get("revoked") is True:
        return failed(Step.TOKEN, "invalid_credentials", status=status, reason="token_revoked")
    if facts.expires_at is not None and facts.expires_at <= now:
        return failed(Step.TOKEN, "invalid_credentials", status=status, reason="token_expired")
    if missing := missing_scopes(facts.scopes, writes=writes):
        return failed(Step.TOKEN, "invalid_permissions", status=status, missing_scopes=missing)
    if facts.expires_at is not None and facts.expires_at - now <= EXPIRING_WITHIN:
        return warned(Step.TOKEN, "expiring_soon", status=status)
    return passed(Step.TOKEN, status=status)


def missing_scopes(scopes: Sequence[str], *, writes: bool) -> list[str]:
    """The scopes a token would need in addition; unknown scopes are found out by trying."""
    if not scopes:
        return []
    if writes:
        return [] if "api" in scopes else ["api"]
    return [] if READING_SCOPES.intersection(scopes) else ["read_api"]


def account_check(seen: Any) -> Check:
    """Decide about `GET /user`. Why GitLab turns a user away is in the error's reason, where it said so."""
    if isinstance(seen, InsufficientScope):
        return troubled(Step.ACCOUNT, seen)
    if isinstance(seen, Forbidden):
        code = "terms_not_accepted" if seen.details.get("reason") == "terms_not_accepted" else "account_blocked"
        return failed(Step.ACCOUNT, code, status=seen.http_status, reason=seen.details.get("reason"))
    if isinstance(seen, Missing):
        return failed(Step.ACCOUNT, "not_gitlab", status=seen.http_status)
    if isinstance(seen, GitLabError):
        return troubled(Step.ACCOUNT, seen)
    if account_of(seen.body) is None:
        return failed(Step.ACCOUNT, "unexpected_response", status=seen.http_status)
    return passed(Step.ACCOUNT, status=seen.http_status)


def account_of(body: Any) -> Account | None:
    """Read `GET /user`; a user without a numeric id is none."""
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), int) or isinstance(body["id"], bool):
        return None
    username = str(body.get("username") or "")
    return Account(id=body["id"], username=username, kind=_kind(username, body), is_admin=body.get("is_admin") is True)


def _kind(username: str, body: Mapping[str, Any]) -> str:
    if bot := BOT.fullmatch(username):
        return AccountKind.PROJECT_BOT if bot[1] == "project" else AccountKind.GROUP_BOT
    if username.startswith("service_account_") or body.get("user_type") == "service_account":
        return AccountKind.SERVICE_ACCOUNT
    # A bot of a kind with another name: certainly no person.
    return AccountKind.UNKNOWN if body.get("bot") is True else AccountKind.HUMAN


def midnight(day: Any) -> int | None:
    """The moment a token of that last day stops working: GitLab expires it at 00:00 UTC of the day it names."""
    if not isinstance(day, str):
        return None
    try:
        return int(datetime.combine(date.fromisoformat(day[:10]), time(), UTC).timestamp())
    except ValueError:
        return None
