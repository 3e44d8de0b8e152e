"""Telling by an answer's status what the caller has to decide; the words of the answer never leave this module."""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from gitlab_hub.gitlab.bodies import deeper_than
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    GrantRefused,
    InsufficientScope,
    InvalidGrant,
    MissingPermissions,
    Moved,
    NotGitLab,
    RateLimited,
    ReadOnly,
    ResourceNotFound,
    StatusUnchanged,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.granular import denied
from gitlab_hub.gitlab.messages import RawResponse
from gitlab_hub.gitlab.rates import RateFacts

_REFUSAL_DEPTH = 10
_TOKEN_REASONS = {
    "expired": "token_expired",
    "revoked": "token_revoked",
    "impersonation was disabled": "impersonation_disabled",
}
# lib/gitlab/auth/user_access_denied_reason.rb: "Your account has been blocked", "Your password expired", and the like.
_OF_ACCOUNT = re.compile(r"\byour (?:account|primary email|password)\b|\binternal users\b|\btwo-factor\b")
_SCOPE = re.compile(r"[a-z_]{1,40}", re.ASCII)
_MAX_SCOPES = 20
# GitLab's state machine: "Cannot transition status via :run from :running (Reason(s): …)".
_CANNOT_TRANSITION = "cannot transition status"
# "You cannot perform write operations on a read-only instance", in maintenance mode and on Geo secondaries alike:
# lib/gitlab/middleware/read_only/controller.rb and its part in ee/; administration/maintenance_mode documents it. The
# words may come in JSON of any shape, as plain text, or on a page of what stands in front of GitLab.
_READ_ONLY = re.compile(
    r"\bread[- ]only (?:\w+ ){0,2}(?:instance|site|node|secondary|database|mode)\b"
    r"|\b(?:maintenance mode|undergoing maintenance)\b"
)

# lib/api/helpers.rb, `find_project!`: what was asked for by a former path is at `…/projects/<id>` (16.4 and later).
_OF_PROJECT = re.compile(r"/api/v4/projects/([1-9][0-9]{0,11})(?![^/?#])")

# https://www.rfc-editor.org/rfc/rfc6749#section-5.2 ; no route of the API uses these words.
_OF_GRANTS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED)
_OF_TOKEN_ENDPOINT = frozenset(
    {"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_request"}
)


def raise_for(answer: RawResponse) -> None:
    """Raise what an unsuccessful answer means; return for a successful one."""
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise _error(answer, RateLimited, "GitLab asks to slow down.", retry_after=_wait(answer))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _error(answer, Unavailable, f"GitLab answered {status}. Try again later.", retry_after=_wait(answer))
    if status == HTTPStatus.FORBIDDEN and any(_READ_ONLY.search(text.lower()) for text in _said(answer)):
        text = (
            "GitLab takes no changes at the moment (it is read-only: maintenance, or a Geo secondary). Try again later."
        )
        raise _error(answer, ReadOnly, text, retry_after=_wait(answer))
    if status == HTTPStatus.MOVED_PERMANENTLY and (place := _OF_PROJECT.search(answer.headers.get("location", ""))):
        text = "The project has another path by now. Name it by that, or by its id."
        raise _error(answer, Moved, text, {"project_id": int(place[1])})
    if status < HTTPStatus.BAD_REQUEST or not _is_of_gitlab(answer):
        raise _error(answer, NotGitLab, "No GitLab API answers here. Check the base URL and any proxy before it.")
    raise _refusal(answer)


def _is_of_gitlab(answer: RawResponse) -> bool:
    """Whether a refusal is in JSON, as all of the API's are (lib/api/api.rb: `format :json`, also for unknown paths).

    What an ingress, a load balancer or a firewall says in between is no word of GitLab's, least of all that something
    is gone; a proxy may only have taken the type away from what is. Where nothing is said, the status stands.
    """
    kind = answer.media_type
    if kind == "application/json" or kind.endswith("+json") or not (kind or answer.body):
        return True
    return kind != "text/html" and bool(_refusal_body(answer))


def _refusal(answer: RawResponse) -> GitLabError:
    body = _refusal_body(answer)
    reason = _text(body, "error")
    if answer.status in _OF_GRANTS and (reason in _OF_TOKEN_ENDPOINT or _ends_a_grant(answer, reason)):
        return _grant_refused(answer, reason)
    match answer.status:
        case HTTPStatus.UNAUTHORIZED:
            details = {"reason": _token_reason(body)}
            return _error(answer, Unauthorized, "GitLab does not accept the token. Give a new one.", details)
        case HTTPStatus.FORBIDDEN:
            return _forbidden(answer, body)
        case HTTPStatus.NOT_FOUND:
            return _error(answer, ResourceNotFound, "GitLab does not have this, or the token may not see it.")
        case HTTPStatus.BAD_REQUEST if _CANNOT_TRANSITION in _words(body, "message"):
            return _error(answer, StatusUnchanged, "GitLab already shows this status for the commit, or a later one.")
    return _error(answer, UnexpectedResponse, f"GitLab answered {answer.status}, which the hub did not expect.")


def _ends_a_grant(answer: RawResponse, reason: str) -> bool:
    """Whether this is GitLab's own word that a grant is over, which it always sends as JSON (Doorkeeper)."""
    return reason == "invalid_grant" and answer.media_type == "application/json"


def _grant_refused(answer: RawResponse, reason: str) -> GitLabError:
    if reason == "invalid_grant":
        return _error(answer, InvalidGrant, "GitLab takes this authorization no more.", {"reason": reason})
    return _error(answer, GrantRefused, "GitLab refuses the application.", {"reason": reason})


def _forbidden(answer: RawResponse, body: dict[str, Any]) -> GitLabError:
    if body.get("error") == "insufficient_scope":
        scopes = _scopes(body)
        wanted = f": GitLab wants {' or '.join(scopes)}" if scopes else ""
        message = f"The token lacks a scope{wanted}. Make a new token that has it."
        return _error(answer, InsufficientScope, message, {"missing_scopes": scopes})
    if body.get("error") == "insufficient_granular_scope":
        denial = denied(_text(body, "error_description"))
        return _error(answer, MissingPermissions, denial.advice, denial.details)
    details = {"reason": _account_reason(body)}
    return _error(answer, Forbidden, "GitLab does not allow this to the token's user.", details)


def _refusal_body(answer: RawResponse) -> dict[str, Any]:
    """Read the refusal as GitLab words it, or nothing where it does not."""
    body = _json(answer)
    return body if isinstance(body, dict) else {}


def _said(answer: RawResponse) -> Iterator[str]:
    """Every text of a refusal; what is no JSON is one."""
    waiting = [_json(answer)]
    if waiting == [None]:
        yield answer.body.decode("utf-8", "replace")
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            waiting.extend(value.values() if isinstance(value, dict) else value)


def _json(answer: RawResponse) -> Any:
    if deeper_than(answer.body, _REFUSAL_DEPTH):
        return None
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


def _token_reason(body: dict[str, Any]) -> str:
    """Why a token is refused, by the words of lib/api/api_guard.rb; of an unknown one GitLab says no more."""
    if body.get("error") == "dpop_error":
        return "dpop_required"
    words = _words(body, "error_description") if body.get("error") == "invalid_token" else ""
    return next((reason for word, reason in _TOKEN_REASONS.items() if word in words), "unknown")


def _account_reason(body: dict[str, Any]) -> str:
    """Why GitLab turns a user away, by its own words; others, such as a firewall's "blocked", say nothing of a user."""
    words = _words(body, "message")
    if "terms of service" in words:
        return "terms_not_accepted"
    return "account_blocked" if _OF_ACCOUNT.search(words) else "unknown"


def _words(body: dict[str, Any], name: str) -> str:
    return _text(body, name).lower()


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _scopes(body: dict[str, Any]) -> list[str]:
    return [scope for scope in _words(body, "scope").split()[:_MAX_SCOPES] if _SCOPE.fullmatch(scope)]


def _wait(answer: RawResponse) -> int | None:
    return RateFacts.of(answer.headers, answer.status).retry_after


def _error(
    answer: RawResponse,
    kind: type[GitLabError],
    message: str,
    details: dict[str, Any] | None = None,
    *,
    retry_after: int | None = None,
) -> GitLabError:
    return kind(
        message,
        http_status=answer.status,
        request_id=answer.request_id,
        details=details,
        retry_after=retry_after,
    )
