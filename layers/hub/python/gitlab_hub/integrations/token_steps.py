"""Deciding about the token and the user behind it from GitLab's answers. Nothing here sends a request."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from gitlab_hub.gitlab.account_kinds import AccountKind, kind_by_name, kind_of
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    InsufficientScope,
    Missing,
    MissingPermissions,
    Unauthorized,
)
from gitlab_hub.gitlab.granular import GRANULAR, is_fine_grained
from gitlab_hub.integrations.checks import Check, Step, TokenFacts, failed, passed, troubled, warned
from gitlab_hub.integrations.health import EXPIRING_WITHIN
from gitlab_hub.integrations.model import Account
from gitlab_hub.integrations.permission_steps import permission_missing
from gitlab_hub.integrations.permissions import API, READ_API, covered

FOREIGN_PREFIXES = ("gldt-", "glrt-", "glcbt-", "glft-")
NEW_TOKEN = "Make a new token that has it, and give that."  # noqa: S105 - advice
AUTHORIZE_AGAIN = (
    "Give the OAuth application that scope in GitLab if it lacks it, and authorize again: POST "
    '/v1/integrations/gitlab/authorize {"integration_id": …, "features": …}, with the features to switch on.'
)
UNDESCRIBED = TokenFacts(scopes=(GRANULAR,))
"""A token that may not describe itself. GitLab asks no other kind for a permission there: what enforces fine-grained
tokens is a top-level group, and the route belongs to none."""


def token_refused(error: GitLabError, token: str, *, writes: bool, oauth: bool) -> Check:
    """GitLab's refusal of a token; a 401 for a token of another trade is explained by its prefix."""
    if isinstance(error, Unauthorized) and token.startswith(FOREIGN_PREFIXES):
        return failed(Step.TOKEN, "invalid_credentials", status=error.http_status, reason="wrong_token_type")
    if isinstance(error, InsufficientScope):
        missing = [API if writes else READ_API]
        return _scopes_missing(missing, error.http_status, oauth=oauth)
    if isinstance(error, MissingPermissions):
        return permission_missing(Step.TOKEN, error)
    if isinstance(error, Missing):
        # Not even `GET /user`, which every GitLab has.
        return failed(Step.TOKEN, "not_gitlab", status=error.http_status)
    return troubled(Step.TOKEN, error)


def token_facts(body: Mapping[str, Any]) -> TokenFacts:
    """Read `/personal_access_tokens/self` or `/oauth/token/info`; what is not there stays unknown."""
    listed = body.get("scopes", body.get("scope"))
    scopes = listed.split() if isinstance(listed, str) else listed if isinstance(listed, list) else []
    if body.get("granular") is True:
        scopes = [GRANULAR]
    return TokenFacts(
        scopes=tuple(str(scope) for scope in scopes),
        expires_at=midnight(body.get("expires_at")),
        projects=_granted(body, "project_id"),
        groups=_granted(body, "group_id"),
    )


def _granted(body: Mapping[str, Any], name: str) -> tuple[int, ...]:
    """The ids that the parts of a grant name; a part may cover everything its user is a member of, and name none."""
    parts = body.get("granular_scopes")
    rows = [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []
    return tuple(dict.fromkeys(row[name] for row in rows if type(row.get(name)) is int))


def token_check(
    body: Mapping[str, Any], facts: TokenFacts, *, status: int, writes: bool, oauth: bool, now: int
) -> Check:
    """Decide about a token that GitLab has described."""
    if body.get("revoked") is True:
        return failed(Step.TOKEN, "invalid_credentials", status=status, reason="token_revoked")
    if facts.expires_at is not None and facts.expires_at <= now:
        return failed(Step.TOKEN, "invalid_credentials", status=status, reason="token_expired")
    if missing := missing_scopes(facts.scopes, writes=writes):
        return _scopes_missing(missing, status, oauth=oauth)
    if facts.expires_at is not None and facts.expires_at - now <= EXPIRING_WITHIN:
        return warned(Step.TOKEN, "expiring_soon", status=status)
    return passed(Step.TOKEN, status=status)


def missing_scopes(scopes: Sequence[str], *, writes: bool) -> list[str]:
    """The scopes a token would need in addition; what scopes do not tell is found out by trying."""
    if not scopes or is_fine_grained(scopes):
        return []
    needed = API if writes else READ_API
    return [] if needed in covered(scopes) else [needed]


def _scopes_missing(missing: list[str], status: int | None, *, oauth: bool) -> Check:
    named = " or ".join(missing)
    why = "to write to GitLab (manage_webhooks, report_statuses)" if API in missing else "to read from GitLab"
    hint = f"The token lacks the scope {named}, which the hub needs {why}. {AUTHORIZE_AGAIN if oauth else NEW_TOKEN}"
    return failed(Step.TOKEN, "invalid_permissions", status=status, hint=hint, missing_scopes=missing)


def account_check(seen: Any) -> Check:
    """Decide about `GET /user`."""
    if isinstance(seen, GitLabError):
        return _account_refused(seen)
    if account_of(seen.body) is None:
        return failed(Step.ACCOUNT, "unexpected_response", status=seen.http_status)
    return passed(Step.ACCOUNT, status=seen.http_status)


def _account_refused(error: GitLabError) -> Check:
    """Why GitLab turns a user away is in the error's reason, where it said so. For want of a permission it does not."""
    if isinstance(error, MissingPermissions):
        return permission_missing(Step.ACCOUNT, error)
    if isinstance(error, Forbidden) and not isinstance(error, InsufficientScope):
        code = "terms_not_accepted" if error.details.get("reason") == "terms_not_accepted" else "account_blocked"
        return failed(Step.ACCOUNT, code, status=error.http_status, reason=error.details.get("reason"))
    if isinstance(error, Missing):
        return failed(Step.ACCOUNT, "not_gitlab", status=error.http_status)
    return troubled(Step.ACCOUNT, error)


def account_of(body: Any) -> Account | None:
    """Read `GET /user`; a user without a numeric id is none."""
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), int) or isinstance(body["id"], bool):
        return None
    kind = kind_of(body) or kind_by_name(body) or AccountKind.HUMAN
    username = str(body.get("username") or "")
    return Account(id=body["id"], username=username, kind=kind, is_admin=body.get("is_admin") is True)


def midnight(day: Any) -> int | None:
    """The moment a token of that last day stops working: GitLab expires it at 00:00 UTC of the day it names."""
    if not isinstance(day, str):
        return None
    try:
        return int(datetime.combine(date.fromisoformat(day[:10]), time(), UTC).timestamp())
    except ValueError:
        return None
