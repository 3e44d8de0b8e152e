"""ID tokens: the one that holds, and each that does not."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from gitlab_hub.console.id_tokens import LEEWAY_SECONDS, verified_claims
from gitlab_hub.web.errors import PermissionDenied

NOW = 1_790_000_000
ISSUER, CLIENT, NONCE = "https://gitlab.example.com", "client-1", "nonce-1"
KEY, OTHER = (RSAKey.generate_key(2048, auto_kid=True) for _ in range(2))
KEYS = {"keys": [{**KEY.as_dict(private=False), "use": "sig", "alg": "RS256"}]}
GOOD: dict[str, Any] = {
    "iss": ISSUER, "sub": "42", "aud": CLIENT, "exp": NOW + 120, "iat": NOW, "nonce": NONCE, "groups_direct": ["acme"]
}  # fmt: skip


def spelled(claims: dict[str, Any], key: RSAKey = KEY, **header: Any) -> str:
    named = {"alg": "RS256", "kid": key.kid, **header}
    return jwt.encode(named, claims, key, algorithms=[named["alg"]])


def checked(token: str, keys: Any = KEYS, now: float = NOW) -> dict[str, Any]:
    return verified_claims(token, keys, issuer=ISSUER, client_id=CLIENT, nonce=NONCE, now=now)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


def test_one_that_holds_is_what_gitlab_says() -> None:
    assert checked(spelled(GOOD)) == GOOD
    assert checked(spelled({**GOOD, "aud": [CLIENT]}))["sub"] == "42"


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat", "nonce"])
def test_each_of_its_claims_has_to_be_there(name: str) -> None:
    with pytest.raises(PermissionDenied, match="does not hold"):
        checked(spelled(without(name)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example.com"}, {"iss": f"{ISSUER}/"}, {"aud": "client-2"}, {"aud": ["client-2"]},
        {"aud": [CLIENT, "client-2"]}, {"aud": []}, {"aud": 1}, {"exp": NOW - LEEWAY_SECONDS}, {"exp": "soon"},
        {"iat": NOW + LEEWAY_SECONDS + 1}, {"nonce": "nonce-2"}, {"nonce": ""}, {"nonce": None}, {"sub": 42},
        {"nbf": NOW + LEEWAY_SECONDS + 1},
    ],
)  # fmt: skip
def test_each_of_them_has_to_be_right(wrong: dict[str, Any]) -> None:
    with pytest.raises(PermissionDenied, match="does not hold"):
        checked(spelled({**GOOD, **wrong}))


def test_it_ends_and_clocks_may_differ_a_little() -> None:
    token = spelled(GOOD)
    assert checked(token, now=GOOD["exp"] + LEEWAY_SECONDS - 1)["sub"] == "42"
    with pytest.raises(PermissionDenied, match="ExpiredTokenError"):
        checked(token, now=GOOD["exp"] + LEEWAY_SECONDS)


def test_only_a_key_that_gitlab_publishes_signs() -> None:
    for token in (spelled(GOOD, OTHER), spelled(GOOD, OTHER, kid=KEY.kid), spelled(GOOD, kid="unknown")):
        with pytest.raises(PermissionDenied, match="does not hold"):
            checked(token)


def test_the_token_does_not_choose_its_algorithm() -> None:
    """`none`, and the public key taken for a shared secret (RFC 8725, 2.1)."""
    body = _part(GOOD)
    signed = f"{_part({'alg': 'HS256', 'kid': KEY.kid})}.{body}"
    mac = hmac.digest(KEY.as_pem(private=False), signed.encode(), hashlib.sha256)
    shared = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    others = [spelled(GOOD, alg=name) for name in ("RS384", "PS256")]
    for token in (
        f"{_part({'alg': 'none'})}.{body}.",
        f"{_part({'alg': 'none', 'kid': KEY.kid})}.{body}.",
        shared,
        *others,
    ):
        with pytest.raises(PermissionDenied, match="does not hold"):
            checked(token)


def test_what_was_changed_on_the_way_does_not_hold() -> None:
    head, _, signature = spelled(GOOD).split(".")
    with pytest.raises(PermissionDenied, match="BadSignature"):
        checked(f"{head}.{_part({**GOOD, 'sub': '1'})}.{signature}")


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "a.b.c.d.e", "..", "é.é.é", "null", "x" * 100_000])
def test_what_is_no_token_does_not_hold(token: str) -> None:
    with pytest.raises(PermissionDenied, match="does not hold"):
        checked(token)


@pytest.mark.parametrize(
    "keys", [{}, {"keys": []}, {"keys": None}, {"keys": [{}]}, {"keys": [{"kty": "RSA"}]}, {"keys": [1]}]
)
def test_keys_that_are_none_open_nothing(keys: Any) -> None:
    with pytest.raises(PermissionDenied, match="does not hold"):
        checked(spelled(GOOD), keys)


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
