"""What is sent again, and when."""

import pytest

from hub_cli.retries import LONGEST_WAIT, TRIES, Failure, wait_before

NO_ANSWER = Failure()
NEVER_SENT = Failure(was_sent=False)


@pytest.mark.parametrize(
    ("method", "failure", "waits"),
    [
        ("GET", NO_ANSWER, [0.5, 1.0, 2.0, None]),
        ("POST", NO_ANSWER, [0.5, 1.0, 2.0, None]),
        ("DELETE", NO_ANSWER, [None]),
        ("DELETE", NEVER_SENT, [0.5, 1.0, 2.0, None]),
        ("GET", Failure(status=429, retry_after=7), [7, 7, 7, None]),
        ("GET", Failure(status=503, code="service_unavailable", retry_after=0), [0, 0, 0, None]),
        ("GET", Failure(status=503, retry_after=LONGEST_WAIT + 1), [None]),
        ("GET", Failure(status=504), [0.5, 1.0, 2.0, None]),
        ("GET", Failure(status=502), [0.5, 1.0, 2.0, None]),
        ("POST", Failure(status=502, code="host_unreachable"), [None]),
        ("POST", Failure(status=409, code="in_progress"), [0.5, 1.0, 2.0, None]),
        ("POST", Failure(status=409, code="sync_in_progress"), [None]),
        ("GET", Failure(status=500, code="internal_error"), [None]),
        ("GET", Failure(status=404, code="not_found"), [None]),
    ],
)
def test_only_what_is_safe_and_may_pass_is_sent_again(method: str, failure: Failure, waits: list[float | None]) -> None:
    assert [wait_before(attempt, method, failure) for attempt in range(1, len(waits) + 1)] == waits
    assert wait_before(TRIES, method, failure) is None
