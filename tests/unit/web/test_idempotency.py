import pytest

from gitlab_hub.web.errors import IdempotencyMismatch, InProgress
from gitlab_hub.web.idempotency import LOCK_SECONDS, MAX_KEPT_BYTES, Attempt, Idempotency
from gitlab_hub.web.responses import HttpResponse, json_response
from tests.fakes.table import MemoryTable
from tests.fakes.threads import together

NOW = 1_800_000_000.0


def begun(idempotency: Idempotency, *, now: float = NOW) -> Attempt:
    attempt = idempotency.begin("request", "{}", now=now)
    assert isinstance(attempt, Attempt)
    return attempt


def test_of_many_at_the_same_moment_one_begins() -> None:
    table = MemoryTable()
    results = together(12, lambda _: Idempotency(table).begin("request", "{}", now=NOW))
    assert sum(isinstance(result, Attempt) for result in results) == 1
    assert sum(isinstance(result, InProgress) for result in results) == 11


def test_of_many_who_find_an_old_lock_one_takes_over() -> None:
    table = MemoryTable()
    first = begun(Idempotency(table))
    later = NOW + LOCK_SECONDS + 1
    results = together(12, lambda _: Idempotency(table).begin("request", "{}", now=later))
    taken = [result for result in results if isinstance(result, Attempt)]
    assert [attempt.seed for attempt in taken] == [first.seed]


def test_who_was_taken_over_keeps_no_answer_and_frees_no_lock() -> None:
    idempotency = Idempotency(MemoryTable())
    slow = begun(idempotency)
    quick = begun(idempotency, now=NOW + LOCK_SECONDS + 1)
    idempotency.release(slow)
    idempotency.finish(slow, json_response(201, {"by": "slow"}), keep=True)
    idempotency.finish(quick, json_response(201, {"by": "quick"}), keep=True)
    kept = idempotency.begin("request", "{}", now=NOW + LOCK_SECONDS + 2)
    assert isinstance(kept, HttpResponse)
    assert kept.body == '{"by":"quick"}'


def test_an_answer_too_large_to_keep_is_made_again() -> None:
    idempotency = Idempotency(MemoryTable())
    first = begun(idempotency)
    idempotency.finish(first, json_response(200, {"x": "x" * MAX_KEPT_BYTES}), keep=True)
    assert begun(idempotency).seed == first.seed


def test_who_failed_leaves_the_seed_to_the_next_try_and_no_lock() -> None:
    idempotency = Idempotency(MemoryTable())
    first = begun(idempotency)
    idempotency.release(first)
    second = begun(idempotency)
    idempotency.finish(second, json_response(503, {}, final=False), keep=True)
    assert begun(idempotency).seed == second.seed == first.seed


def test_a_failed_try_is_of_its_own_body() -> None:
    idempotency = Idempotency(MemoryTable())
    idempotency.release(begun(idempotency))
    with pytest.raises(IdempotencyMismatch):
        idempotency.begin("request", '{"other":1}', now=NOW)


def test_of_many_who_come_after_a_failure_one_goes_on() -> None:
    table = MemoryTable()
    first = begun(Idempotency(table))
    Idempotency(table).release(first)
    results = together(12, lambda _: Idempotency(table).begin("request", "{}", now=NOW))
    assert [result.seed for result in results if isinstance(result, Attempt)] == [first.seed]


def test_an_answer_with_a_secret_leaves_only_its_seed() -> None:
    table = MemoryTable()
    idempotency = Idempotency(table)
    first = begun(idempotency)
    idempotency.finish(first, json_response(201, {"token": "canary"}), keep=False)
    assert "canary" not in repr(table.dump())
    assert begun(idempotency).seed == first.seed
