"""When a request may be sent again, and how long to wait before. Pure.

A GET changes nothing, and a POST carries an `Idempotency-Key` with which the hub lets it take effect once. What a PUT,
PATCH or DELETE would do a second time nobody promises, so it is repeated only where nothing was sent at all.
"""

from dataclasses import dataclass
from http import HTTPStatus

REPEATABLE = frozenset({"GET", "POST"})
TRIES = 4
LONGEST_WAIT = 20.0
"""Whoever is told to wait longer hears of it, instead of looking at a silent terminal."""
_FIRST_WAIT = 0.5
_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
_UNDER_WAY = "in_progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a request came to.

    `status` is None where no answer arrived, `code` None where it held no envelope of the hub. `was_sent` is false
    where no connection was made. `retry_after` is in seconds.
    """

    status: int | None = None
    code: str | None = None
    retry_after: float | None = None
    was_sent: bool = True


def wait_before(attempt: int, method: str, failure: Failure) -> float | None:
    """How many seconds to wait before the next attempt (the first one is 1); None: this was the last."""
    if attempt >= TRIES or not (_may_repeat(method, failure) and _may_pass(failure)):
        return None
    pause = _FIRST_WAIT * 2 ** (attempt - 1) if failure.retry_after is None else failure.retry_after
    return pause if pause <= LONGEST_WAIT else None


def _may_repeat(method: str, failure: Failure) -> bool:
    return method in REPEATABLE or not failure.was_sent


def _may_pass(failure: Failure) -> bool:
    if failure.status is None or failure.status in _BUSY or failure.code == _UNDER_WAY:
        return True
    # With an envelope a 502 is about the GitLab behind the hub, and about what was asked for.
    return failure.status == HTTPStatus.BAD_GATEWAY and failure.code is None
