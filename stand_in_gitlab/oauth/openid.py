"""GitLab as an OpenID Connect provider: what it says of itself, its keys, ID tokens and userinfo.

config/initializers/doorkeeper_openid_connect.rb says which claims there are and where each is told; discovery, the life
of an ID token and its own claims are those of the gem doorkeeper-openid_connect (discovery_controller.rb, id_token.rb).
"""

import hashlib
from functools import cached_property
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from stand_in_gitlab.company.model import MINIMAL, Token, User
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.refusals import Refusal

SCOPE = "openid"
LIFETIME = 120
"""Seconds that an ID token holds: what the gem has where nobody configures another time, as in GitLab."""

_LEVELS = {"owner": 50, "maintainer": 40, "developer": 30}
Json = dict[str, Any]


class OpenId:
    """The provider of one company; `base` is its external URL."""

    def __init__(self, company: Company, base: str) -> None:
        self._company, self._base = company, base

    @cached_property
    def _key(self) -> RSAKey:
        """The signing key of this process; made when somebody first asks for it."""
        return RSAKey.generate_key(2048, auto_kid=True)

    def discovery(self) -> Json:
        """GET /.well-known/openid-configuration."""
        return {
            "issuer": self._base,
            "authorization_endpoint": f"{self._base}/oauth/authorize",
            "token_endpoint": f"{self._base}/oauth/token",
            "revocation_endpoint": f"{self._base}/oauth/revoke",
            "userinfo_endpoint": f"{self._base}/oauth/userinfo",
            "jwks_uri": f"{self._base}/oauth/discovery/keys",
            "scopes_supported": ["api", "read_api", "read_user", SCOPE],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claim_types_supported": ["normal"],
            "code_challenge_methods_supported": ["plain", "S256"],
        }

    def keys(self) -> Json:
        """GET /oauth/discovery/keys."""
        return {"keys": [{**self._key.as_dict(private=False), "use": "sig", "alg": "RS256"}]}

    def id_token(self, token: Token, nonce: str | None, now: float) -> str:
        """The ID token beside an access token; without a nonce where the client has sent none."""
        user = self._company.users[token.user_id]
        claims = {
            "iss": self._base,
            "sub": str(user.id),
            "aud": token.client_id,
            "exp": int(now) + LIFETIME,
            "iat": int(now),
            "nonce": nonce,
            "auth_time": int(user.last_sign_in or now),
            **_common(user),
            "groups_direct": sorted(self._company.groups[one].full_path for one in self._direct(user)),
        }
        told = {name: value for name, value in claims.items() if value not in (None, "")}
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": self._key.kid}, told, self._key)

    def userinfo(self, token: Token | None, now: float) -> Json:
        """GET /oauth/userinfo, for an access token that has the scope; `groups` has those below a membership too."""
        if token is None or token.revoked or token.ends is None or token.ends <= now:
            raise _refusal(401, "invalid_token", "The access token is invalid")
        if SCOPE not in token.scopes:
            raise _refusal(403, "insufficient_scope", 'Access to this resource requires scope "openid".')
        user = self._company.users[token.user_id]
        if user.state != "active":
            raise _refusal(401, "invalid_token", "The access token is invalid")
        levels = self._direct(user)
        below = {group.id for one in levels for group in self._company.descendants(one)}
        roles = {
            f"https://gitlab.org/claims/groups/{name}": self._paths(
                {one for one, has in levels.items() if has == level}
            )
            for name, level in _LEVELS.items()
        }
        return {
            "sub": str(user.id),
            **_common(user),
            "name": user.name,
            "nickname": user.username,
            "preferred_username": user.username,
            "profile": f"{self._base}/{user.username}",
            "groups": self._paths({*levels, *below}),
            **{name: paths for name, paths in roles.items() if paths},
        }

    def _direct(self, user: User) -> dict[int, int]:
        """The groups that somebody is a direct member of, with the level."""
        rows = {number: self._company.members["group", number].get(user.id) for number in list(self._company.groups)}
        return {
            number: row.level
            for number, row in rows.items()
            if row is not None and not row.awaiting and row.level > MINIMAL
        }

    def _paths(self, groups: set[int]) -> list[str]:
        return sorted(self._company.groups[one].full_path for one in groups)


def _common(user: User) -> Json:
    """What both tell. Without the scope `email` an address is the public one, if there is one."""
    told: Json = {"sub_legacy": hashlib.sha256(f"{user.id}-stand-in".encode()).hexdigest()}
    return {**told, "email": user.public_email, "email_verified": True} if user.public_email else told


def _refusal(status: int, error: str, words: str) -> Refusal:
    challenge = f'Bearer realm="Doorkeeper", error="{error}", error_description="{words}"'
    return Refusal(status, {"error": error, "error_description": words}, {"WWW-Authenticate": challenge})
