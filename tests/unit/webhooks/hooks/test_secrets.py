import base64

import pytest

from gitlab_hub.web.telemetry import redact
from gitlab_hub.webhooks.hooks.secrets import HookSecrets, hkdf_sha256
from tests.fakes.hooks import secrets

# RFC 5869, appendix A: test cases 1, 2 and 3.
VECTORS = [
    (
        b"\x0b" * 22,
        bytes(range(13)),
        bytes(range(0xF0, 0xFA)),
        42,
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)),
        bytes(range(0x60, 0xB0)),
        bytes(range(0xB0, 0x100)),
        82,
        (
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
    ),
    (
        b"\x0b" * 22,
        b"",
        b"",
        42,
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]


@pytest.mark.parametrize(("key", "salt", "info", "length", "made"), VECTORS)
def test_the_vectors_of_the_rfc(key: bytes, salt: bytes, info: bytes, length: int, made: str) -> None:
    assert hkdf_sha256(key, salt=salt, info=info, length=length).hex() == made


def test_a_token_is_one_word_of_ascii_and_long_enough() -> None:
    token = secrets().token("hook_0a1b_7", 1)
    assert token.isascii()
    assert len(token) >= 32
    assert token.replace("-", "").replace("_", "").isalnum()


def test_a_signing_token_is_what_standard_webhooks_takes() -> None:
    prefix, _, key = secrets().signing_token("hook_0a1b_7", 1).partition("_")
    assert prefix == "whsec"
    assert len(base64.b64decode(key, validate=True)) == 32


def test_every_hook_version_and_purpose_has_a_secret_of_its_own() -> None:
    made = [
        secret(hook_id, version)
        for secret in (secrets().token, secrets().signing_token)
        for hook_id in ("hook_0a1b_7", "hook_0a1b_71", "hook_0a1b_8")
        for version in (1, 2, 11)
    ]
    keys = {
        base64.urlsafe_b64encode(base64.b64decode(one[6:])).rstrip(b"=").decode() for one in made if "whsec_" in one
    }
    assert len(set(made)) == 18
    assert keys.isdisjoint(made)


def test_the_same_question_has_the_same_answer_and_another_key_another_one() -> None:
    other = HookSecrets(lambda: b"o" * 32)
    assert secrets().token("hook_0a1b_7", 1) == secrets().token("hook_0a1b_7", 1)
    assert secrets().token("hook_0a1b_7", 1) != other.token("hook_0a1b_7", 1)
    assert secrets().signing_token("hook_0a1b_7", 1) != other.signing_token("hook_0a1b_7", 1)
    assert secrets().fingerprint("a") != other.fingerprint("a")


@pytest.mark.parametrize("token", ["", "größer", "\ud800", "a" * 100_000])
def test_whatever_a_caller_sends_has_a_fingerprint(token: str) -> None:
    assert len(secrets().fingerprint(token)) == 64


def test_the_key_is_not_asked_for_before_it_is_needed() -> None:
    asked: list[int] = []

    def key() -> bytes:
        asked.append(1)
        return bytes(32)

    made = HookSecrets(key)
    assert asked == []
    made.token("hook_0a1b_7", 1)
    assert asked == [1]


def test_a_signing_token_is_taken_out_of_log_lines() -> None:
    secret = secrets().signing_token("hook_0a1b_7", 1)
    assert secret.removeprefix("whsec_") not in redact(f"sent {secret} to GitLab")


def test_a_token_is_taken_out_of_log_lines_that_name_it() -> None:
    secret = secrets().token("hook_0a1b_7", 1)
    for line in (f'{{"token": "{secret}"}}', f"X-Gitlab-Token: {secret}", f'{{"secret_token": "{secret}"}}'):
        assert secret not in redact(line)
