"""POST /oauth/token: codes and refresh tokens become tokens, each of them once."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from stand_in_gitlab.company.application_model import Application, Grant
from stand_in_gitlab.company.applications import CODE_LIFETIME, LIFETIME, new_pair
from stand_in_gitlab.company.model import Token
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.oauth.errors import missing, refusal
from stand_in_gitlab.oauth.openid import SCOPE, OpenId

Json = dict[str, Any]


def exchange(company: Company, openid: OpenId, application: Application, sent: Mapping[str, Any], now: float) -> Json:
    """The answer of the token endpoint for any grant type that GitLab's web applications use."""
    kind = sent.get("grant_type")
    if kind == "authorization_code":
        token, nonce = _from_code(company, application, sent, now)
        return _shown(openid, token, nonce, now)
    if kind == "refresh_token":
        return _shown(openid, _refreshed(company, application, sent, now), None, now)
    raise refusal("unsupported_grant_type") if kind else missing("grant_type")


def check_refresh_token(company: Company, sent: Mapping[str, Any]) -> None:
    """A dead refresh token is an invalid grant before anybody looks at the client (refresh_token_request.rb)."""
    if sent.get("grant_type") != "refresh_token" or not sent.get("refresh_token"):
        return
    old = company.refresh_tokens.get(str(sent["refresh_token"]))
    if old is None or old.revoked:
        raise refusal("invalid_grant")


def _from_code(
    company: Company, application: Application, sent: Mapping[str, Any], now: float
) -> tuple[Token, str | None]:
    grant = company.grants.get(str(sent.get("code", "")))
    if not sent.get("redirect_uri"):
        raise missing("redirect_uri")
    if grant is not None and grant.challenge and not sent.get("code_verifier"):
        raise missing("code_verifier")
    if grant is None or grant.client_id != application.client_id or not _good(grant, sent, now):
        raise refusal("invalid_grant")
    grant.used = True
    return new_pair(company, application.client_id, grant.user_id, grant.scopes, now), grant.nonce


def _good(grant: Grant, sent: Mapping[str, Any], now: float) -> bool:
    fresh = not grant.used and now < grant.created + CODE_LIFETIME
    return fresh and sent["redirect_uri"] == grant.redirect_uri and _verified(grant, str(sent.get("code_verifier", "")))


def _verified(grant: Grant, verifier: str) -> bool:
    """Whichever side began with PKCE, both must know of it (Doorkeeper's authorization_code_request.rb)."""
    if grant.challenge is None or not verifier:
        return grant.challenge is None and not verifier
    return hmac.compare_digest(challenge_of(verifier) if grant.method == "S256" else verifier, grant.challenge)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _refreshed(company: Company, application: Application, sent: Mapping[str, Any], now: float) -> Token:
    """Both old tokens die at once; the refresh token lives on when the access token has run out."""
    old = company.refresh_tokens.get(str(sent.get("refresh_token", "")))
    if not sent.get("refresh_token"):
        raise missing("refresh_token")
    if old is None or old.revoked or old.client_id != application.client_id or not _may_sign_in(company, old):
        raise refusal("invalid_grant")
    old.revoked = True
    return new_pair(company, application.client_id, old.user_id, old.scopes, now)


def _may_sign_in(company: Company, token: Token) -> bool:
    user = company.users.get(token.user_id)
    return user is not None and user.state == "active"


def _shown(openid: OpenId, token: Token, nonce: str | None, now: float) -> Json:
    """With an ID token where the scope asks for one (doorkeeper-openid_connect, oauth/token_response.rb)."""
    more = {"id_token": openid.id_token(token, nonce, now)} if SCOPE in token.scopes else {}
    return {
        "access_token": token.value,
        "token_type": "Bearer",
        "expires_in": int(LIFETIME),
        "refresh_token": token.refresh,
        "scope": " ".join(token.scopes),
        "created_at": int(token.created),
        **more,
    }


def info(company: Company, text: str | None, now: float) -> Json:
    """GET /oauth/token/info: of OAuth tokens only; whatever is wrong is an invalid request."""
    token = company.tokens.get(text or "")
    if token is None or token.ends is None or token.revoked or token.ends <= now:
        raise refusal("invalid_request")
    scopes, left = list(token.scopes), int(token.ends - now)
    return {
        "resource_owner_id": token.user_id,
        "scope": scopes,
        "expires_in": left,
        "application": {"uid": token.client_id},
        "created_at": int(token.created),
        "scopes": scopes,
        "expires_in_seconds": left,
    }


def revoke(company: Company, application: Application, sent: Mapping[str, Any], now: float) -> None:
    """POST /oauth/revoke: by either of the two tokens; one that nobody knows is fine, a foreign one is not.

    An access token that has run out counts as not known: only the refresh token can end such a pair.
    """
    text = str(sent.get("token", ""))
    token = company.refresh_tokens.get(text) or company.tokens.get(text)
    if token is None or token.ends is None:
        return
    if token.client_id != application.client_id:
        raise refusal("unauthorized_client")
    if token.value == text and token.ends <= now:
        return
    token.revoked = True
