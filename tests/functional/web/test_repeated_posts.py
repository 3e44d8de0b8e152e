"""`Idempotency-Key`: the same call again, another call, and calls at the same time."""

from typing import Any

import pytest

from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.web.idempotency import KEPT_SECONDS, LOCK_SECONDS
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.events import Context, http_event
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, faulty
from tests.functional.web.sample import Sample

NOTES = "/v1/integrations/i1/notes"
KEY = {"Idempotency-Key": "key-1"}


def post(sample: Sample, text: str = "x", path: str = NOTES, **how: Any) -> tuple[int, Any]:
    return sample.call("POST", path, {"text": text}, **{"headers": KEY, **how})


def test_the_same_call_again_gives_the_first_answer(sample: Sample) -> None:
    first = post(sample)
    assert post(sample) == first
    assert post(sample, headers={"idempotency-key": "key-1"}) == first
    assert sample.part.ran == ["write"]


def test_a_replayed_answer_says_so(sample: Sample) -> None:
    post(sample)
    response = sample.api().resolve(http_event("POST", NOTES, {"text": "x"}, headers=KEY), Context())
    assert response["headers"]["idempotency-replayed"] == "true"
    assert response["headers"]["content-type"] == "application/json"


def test_another_body_is_a_mismatch(sample: Sample) -> None:
    post(sample)
    status, body = post(sample, "y")
    assert (status, body["code"]) == (422, "idempotency_mismatch")
    assert sample.part.ran == ["write"]


@pytest.mark.parametrize("wrong", ["", "taken"])
def test_what_was_refused_before_anything_was_done_leaves_its_key_free(sample: Sample, wrong: str) -> None:
    assert post(sample, wrong)[0] == 422
    assert sample.table.dump() == []
    first = post(sample)
    assert first[0] == 201
    assert post(sample) == first


def test_so_does_a_refusal_in_another_convention(sample: Sample) -> None:
    path = "/api/connections/i1/credentials.create"
    assert post(sample, "", path=path)[0] == 422
    assert post(sample, path=path)[0] == 201


def test_a_refusal_behind_an_attempt_that_may_have_written_keeps_its_key(sample: Sample) -> None:
    def refuse() -> None:
        raise Unprocessable("The deployer allows this no more.")

    assert post(sample, "queue")[0] == 503
    sample.part.during = refuse
    assert post(sample, "queue")[0] == 422
    sample.part.during = lambda: None
    assert post(sample)[1]["code"] == "idempotency_mismatch"


def test_a_key_belongs_to_its_caller_and_path(sample: Sample) -> None:
    post(sample)
    post(sample, principal=Principal("t-other", Role.ADMIN))
    post(sample, path="/v1/integrations/i2/notes")
    post(sample, headers={"Idempotency-Key": "key-2"})
    assert sample.part.ran == ["write"] * 4


def test_without_a_key_every_call_counts(sample: Sample) -> None:
    assert post(sample, headers={})[1]["id"] != post(sample, headers={})[1]["id"]


def test_a_call_in_flight_is_not_started_again(sample: Sample) -> None:
    seen: list[tuple[int, Any]] = []

    def call_again() -> None:
        sample.part.during = lambda: None
        seen.append(post(sample))

    sample.part.during = call_again
    first = post(sample)
    [(status, body)] = seen
    assert (status, body["code"], body["retryable"]) == (409, "in_progress", True)
    assert sample.part.ran == ["write"]
    assert post(sample) == first


def test_a_failure_that_may_pass_is_not_kept(sample: Sample) -> None:
    assert post(sample, "busy")[0] == 503
    assert post(sample, "busy")[0] == 503
    assert sample.part.ran == ["write"] * 2


def test_a_refusal_that_stays_is_kept(sample: Sample) -> None:
    first = sample.call("POST", NOTES, {"text": 5}, headers=KEY)
    assert sample.call("POST", NOTES, {"text": 5}, headers=KEY) == first
    assert first[0] == 422


def test_an_unforeseen_failure_leaves_no_lock(sample: Sample) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            post(sample, "bug")


def test_a_crashed_call_is_taken_over_with_the_same_seed(sample: Sample) -> None:
    table, plan = sample.table, Plan(repeat=True)
    sample.table = faulty(table, plan)

    def pull_the_plug() -> None:
        plan.at = 1  # From here on no call reaches the table, as from a process that is gone.
        raise Crash

    sample.part.during = pull_the_plug
    with pytest.raises(Crash):
        post(sample)
    seed = next(row["seed"] for row in table.dump())
    sample.part.during, sample.table = (lambda: None), table
    assert post(sample)[1]["code"] == "in_progress"
    sample.now += LOCK_SECONDS + 1
    assert post(sample)[1]["id"] == seed


@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", [1, 2])
def test_a_crash_at_any_call_of_the_table_leaves_one_answer(sample: Sample, at: int, applied: bool) -> None:
    table = sample.table
    sample.table = faulty(table, Plan(at=at, applied=applied))
    with pytest.raises(Crash):
        post(sample)
    sample.table = table
    sample.now += LOCK_SECONDS + 1
    answers = [post(sample) for _ in range(3)]
    assert answers[0][0] == 201
    assert answers == [answers[0]] * 3
    assert len({note.id for note in sample.part.notes["i1"]}) == 1


def test_a_call_of_the_table_is_all_that_the_crash_test_leaves_out(sample: Sample) -> None:
    plan = Plan()
    sample.table = faulty(sample.table, plan)
    post(sample)
    assert plan.calls == ["put", "put"]


def test_a_key_is_forgotten_after_a_day(sample: Sample) -> None:
    first = post(sample)
    sample.now += KEPT_SECONDS + 1
    second = post(sample, "y")
    assert second[0] == 201
    assert second[1]["id"] != first[1]["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\tb"])
def test_a_key_is_short_and_printable(sample: Sample, key: str) -> None:
    assert post(sample, headers={"Idempotency-Key": key})[0] == 422
    assert sample.part.ran == []


def test_nobody_gets_at_another_callers_answer(sample: Sample) -> None:
    post(sample)
    assert post(sample, principal=None)[0] == 401
    assert post(sample, principal=Principal("t-owner", Role.VIEWER))[0] == 403


def test_open_routes_keep_no_answers(sample: Sample) -> None:
    sample.call("POST", "/open", headers=KEY, principal=None)
    sample.call("POST", "/open", headers=KEY, principal=None)
    assert sample.call("POST", "/open", headers={"Idempotency-Key": ""}, principal=None)[0] == 200
    assert sample.part.ran == ["open"] * 3
    assert sample.table.dump() == []
