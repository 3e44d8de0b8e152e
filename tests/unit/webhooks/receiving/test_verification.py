import base64
import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitlab_hub.webhooks.receiving.errors import InvalidSignature
from gitlab_hub.webhooks.receiving.verification import MAX_SIGNATURES, check_signature, check_token

# The vector that the specification's own libraries are tested with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = 1614265330
RAW = b'{"test": 2432232314}'
GOOD = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": str(AT), "webhook-signature": GOOD}


def refusal(headers: dict[str, str], raw: bytes = RAW, secrets: Any = (SECRET,), now: float = AT) -> str | None:
    try:
        check_signature(headers, raw, secrets, now=now)
    except InvalidSignature as error:
        return error.reason
    return None


def test_the_vector_of_the_specification_is_accepted() -> None:
    assert refusal(HEADERS) is None


@pytest.mark.parametrize(
    ("offset", "reason"), [(-301, "stale_timestamp"), (-300, None), (300, None), (301, "stale_timestamp")]
)
def test_a_timestamp_is_good_for_five_minutes_either_way(offset: int, reason: str | None) -> None:
    assert refusal(HEADERS, now=AT + offset) == reason


def test_every_flipped_byte_is_noticed() -> None:
    for place in range(len(RAW)):
        flipped = RAW[:place] + bytes([RAW[place] ^ 1]) + RAW[place + 1 :]
        assert refusal(HEADERS, flipped) == "wrong_signature"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_id_and_timestamp_are_signed_too(name: str) -> None:
    assert refusal(HEADERS | {name: HEADERS[name][:-1] + "1"}) == "wrong_signature"


@pytest.mark.parametrize(
    "listed",
    [
        f"v1,{'A' * 43}= {GOOD}",
        f"v0,abc v2,{GOOD[3:]} {GOOD}",
        f"{GOOD} nonsense",
        f"  {GOOD}   v1a,zzz ",
        f"v1a,{GOOD[3:]}\t{GOOD}",
    ],
)
def test_any_good_signature_among_others_counts(listed: str) -> None:
    assert refusal(HEADERS | {"webhook-signature": listed}) is None


@pytest.mark.parametrize(
    "listed",
    [
        "v1", "v1,", ",", GOOD[3:], "v2," + GOOD[3:], "v1," + GOOD[3:-1], "v1,,," + GOOD[3:], "v1,%%%", "v1,\ud800",
        "é", "v1 " + GOOD[3:], GOOD.lower(), " ".join(["v1,AAAA"] * 100), " ".join([GOOD] * (MAX_SIGNATURES + 1)),
    ],
)  # fmt: skip
def test_no_malformed_signature_is_accepted_or_raises(listed: str) -> None:
    assert refusal(HEADERS | {"webhook-signature": listed}) in {"wrong_signature", "too_many_signatures"}


@pytest.mark.parametrize(
    "at", ["inf", "nan", "1614265330.0", "-1614265330", "+1614265330", " 1614265330", "1e9", "٣", "9" * 400]
)
def test_a_timestamp_is_plain_digits(at: str) -> None:
    assert refusal(HEADERS | {"webhook-timestamp": at}) == "malformed_timestamp"


@pytest.mark.parametrize("name", list(HEADERS))
def test_nothing_of_a_signature_may_be_missing(name: str) -> None:
    assert refusal(HEADERS | {name: ""}) == "missing_signature"
    assert refusal({key: value for key, value in HEADERS.items() if key != name}) == "missing_signature"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%%", "whsec_é", "\ud800"])
def test_a_secret_that_is_no_key_matches_nothing(secret: str) -> None:
    empty = base64.b64encode(hmac.digest(b"", b"m.1." + RAW, "sha256")).decode()
    made_with_nothing = {"webhook-id": "m", "webhook-timestamp": "1", "webhook-signature": f"v1,{empty}"}
    assert refusal(made_with_nothing, secrets=[secret], now=1) == "wrong_signature"
    assert refusal(HEADERS, secrets=[secret, SECRET]) is None


TEXTS = st.text(st.characters(), max_size=80)  # halves of surrogate pairs too


@settings(deadline=None)
@given(headers=st.dictionaries(st.sampled_from([*HEADERS, "x-gitlab-token"]), TEXTS), raw=st.binary(max_size=50))
def test_whatever_is_sent_is_refused_and_never_fails(headers: dict[str, str], raw: bytes) -> None:
    assert refusal(HEADERS | headers, raw + b"x") is not None
    assert token_refusal(headers.get("x-gitlab-token"), "secret") is not None


@settings(deadline=None)
@given(raw=st.binary(max_size=200))
def test_bytes_that_are_no_text_can_be_signed(raw: bytes) -> None:
    assert refusal(HEADERS, raw) == (None if raw == RAW else "wrong_signature")


def token_refusal(presented: str | None, *secrets: str) -> str | None:
    try:
        check_token({} if presented is None else {"x-gitlab-token": presented}, secrets)
    except InvalidSignature as error:
        return error.reason
    return None


@pytest.mark.parametrize("secret", ["s3cret", "schlüssel", "x" * 500])
def test_a_token_is_compared_exactly(secret: str) -> None:
    assert token_refusal(secret, secret) is None
    assert token_refusal(secret, "other", secret) is None
    for wrong in (secret[:-1], secret + " ", secret.upper(), "é", "\ud800"):
        assert token_refusal(wrong, secret) == "wrong_token"


@pytest.mark.parametrize("presented", ["", None])
def test_no_token_is_no_token_even_where_the_secret_is_empty(presented: str | None) -> None:
    assert token_refusal(presented, "") == "missing_token"
    assert token_refusal(presented, "s3cret") == "missing_token"
    assert token_refusal("x", "") == "wrong_token"


def test_what_was_refused_tells_the_caller_nothing() -> None:
    texts = {str(InvalidSignature(reason)) for reason in ("wrong_token", "stale_timestamp")}
    assert len(texts) == 1
    assert "wrong_token" not in json.dumps([*texts])
