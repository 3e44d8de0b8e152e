from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.gitlab.rates import DEFAULT_WAIT, LONGEST_WAIT, RateFacts, http_date, number

DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
NOW = 1445412480


def test_all_headers_are_read() -> None:
    facts = RateFacts.of({
        "ratelimit-limit": "2000", "ratelimit-observed": "12", "ratelimit-remaining": "1988",
        "ratelimit-reset": str(NOW + 30), "date": DATE,
    })  # fmt: skip
    assert facts == RateFacts(
        limit=2000, observed=12, remaining=1988, reset_at=NOW + 30, server_time=datetime.fromtimestamp(NOW, UTC)
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, DEFAULT_WAIT),
        ({"retry-after": "17"}, 17),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "-5"}, DEFAULT_WAIT),
        ({"retry-after": "soon"}, DEFAULT_WAIT),
        ({"retry-after": "9" * 5000}, DEFAULT_WAIT),
        ({"retry-after": "99999999"}, LONGEST_WAIT),
        ({"retry-after": "٣"}, DEFAULT_WAIT),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:42 GMT", "date": DATE}, 42),
        ({"retry-after": "Wed, 21 Oct 2015 07:27:00 GMT", "date": DATE}, 1),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:42 GMT"}, DEFAULT_WAIT),
        ({"ratelimit-reset": str(NOW + 25), "date": DATE}, 25),
        ({"ratelimit-reset": str(NOW - 25), "date": DATE}, DEFAULT_WAIT),
        ({"ratelimit-reset": str(NOW), "date": DATE}, DEFAULT_WAIT),
        ({"ratelimit-reset": str(NOW + 25)}, DEFAULT_WAIT),
        ({"retry-after": "3", "ratelimit-reset": str(NOW + 25), "date": DATE}, 3),
    ],
)
def test_a_429_always_says_how_long_to_wait(headers: dict[str, str], seconds: int) -> None:
    facts = RateFacts.of(headers, 429)
    assert (facts.limited, facts.retry_after) == (True, seconds)


def test_other_answers_ask_to_wait_only_by_header() -> None:
    assert RateFacts.of({"ratelimit-reset": str(NOW + 25), "date": DATE}).retry_after is None
    assert RateFacts.of({"retry-after": "7"}, 503).retry_after == 7
    assert not RateFacts.of({"retry-after": "7"}, 503).limited


@pytest.mark.parametrize("text", [None, "", "x", "Wed, 99 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 99999 07:28:00 GMT"])
def test_a_date_that_is_none_is_none(text: str | None) -> None:
    assert http_date(text) is None


def test_dates_are_in_utc() -> None:
    assert (
        http_date("Wed, 21 Oct 2015 09:28:00 +0200") == http_date("Wed, 21 Oct 2015 07:28:00 -0000") == http_date(DATE)
    )


@given(st.text())
def test_no_header_text_breaks_the_readers(text: str) -> None:
    http_date(text)
    number(text)
    waited = RateFacts.of({"retry-after": text, "ratelimit-reset": text, "date": DATE}, 429).retry_after
    assert waited is not None
    assert 1 <= waited <= LONGEST_WAIT
