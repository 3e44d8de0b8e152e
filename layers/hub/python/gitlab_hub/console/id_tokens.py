"""ID tokens: whether one says that somebody has signed in, at this GitLab, for this hub, just now. Pure."""

from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from gitlab_hub.console.forms import is_same
from gitlab_hub.web.errors import PermissionDenied

ALGORITHMS = ("RS256",)
"""GitLab's one algorithm: doorkeeper-openid_connect signs by RS256 where nothing else is configured."""

LEEWAY_SECONDS = 60
"""What clocks may differ by."""


def verified_claims(
    token: str, keys: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: float
) -> dict[str, Any]:
    """Give the claims of an ID token that holds (OpenID Connect Core, 3.1.3.7). Raises PermissionDenied.

    `keys`: what the provider publishes at its `jwks_uri`. The signature, the issuer, the audience, the times and the
    nonce of this very sign-in have to be right; an algorithm that the token names by itself counts for nothing.
    """
    try:
        claims = dict(jwt.decode(token, KeySet.import_key_set(keys), algorithms=list(ALGORITHMS)).claims)  # type: ignore[arg-type]  # its errors are what a wrong shape ends in
        registry = jwt.JWTClaimsRegistry(
            now=int(now),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        registry.validate(claims)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(type(error).__name__) from None
    if claims["aud"] not in (client_id, [client_id]):
        raise _refused("other audiences")
    if not isinstance(claims.get("nonce"), str) or not is_same(claims["nonce"], nonce):
        raise _refused("another nonce")
    return claims


def _refused(why: str) -> PermissionDenied:
    return PermissionDenied(
        f"GitLab's ID token does not hold ({why}). Sign in again; if it stays so, compare the clocks, and "
        "ConsoleGitLabUrl with the external URL that GitLab has."
    )
