"""The outermost frames: nothing that a function runs into gets out of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from gitlab_hub.web.entry import (
    RESERVE_SECONDS,
    EntryError,
    authorizer_entry,
    http_entry,
    jobs_entry,
    schedule_entry,
    worker_entry,
)
from gitlab_hub.web.principal import FAILED, Principal, Role
from tests.fakes.events import Context, answered, authorizer_event, http_event, sqs_event, tick_event
from tests.fakes.telemetry import MemoryTelemetry
from tests.functional.web.sample import Sample

NOTES = "/v1/integrations/i1/notes"


def deep(_: Any = None) -> Any:
    return deep(_)


class Worker:
    """Works on messages as their bodies say."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.left: list[float] = []

    def __call__(self, message: Mapping[str, Any], *, remaining: Any) -> None:
        self.left.append(remaining())
        if message.get("poison"):
            raise ValueError("glpat-canary")
        if message.get("deep"):
            deep()
        self.done.append(message["n"])


@pytest.fixture
def telemetry() -> MemoryTelemetry:
    return MemoryTelemetry()


def test_an_unforeseen_failure_is_an_envelope_without_its_text(sample: Sample, telemetry: MemoryTelemetry) -> None:
    handler = http_entry(sample.api(), telemetry=telemetry)
    response = handler(http_event("POST", NOTES, {"text": "bug"}), Context())
    status, body = answered(response)
    assert (status, body["code"], body["request_id"]) == (500, "internal_error", "req-1")
    assert response["headers"]["cache-control"] == "no-store"
    assert "canary" not in response["body"]
    [(metric, error, keys)] = telemetry.failures
    assert (metric, type(error), keys) == (
        "InternalErrors",
        ZeroDivisionError,
        {"function": "function", "request_id": "req-1"},
    )


def test_an_answer_that_does_not_fit_its_model_is_our_failure(sample: Sample, telemetry: MemoryTelemetry) -> None:
    sample.part.notes["i1"] = [{"nonsense": 1}]  # type: ignore[list-item]  # what a bug might leave behind
    status, body = answered(http_entry(sample.api(), telemetry=telemetry)(http_event("GET", f"{NOTES}/0"), Context()))
    assert (status, body["code"]) == (500, "internal_error")


@pytest.mark.parametrize("event", [{}, {"requestContext": None}, {"requestContext": {"http": {}}}])
def test_even_a_strange_event_gets_an_answer(sample: Sample, telemetry: MemoryTelemetry, event: Any) -> None:
    assert http_entry(sample.api(), telemetry=telemetry)(event, None)["statusCode"] == 500


def test_a_poison_message_fails_alone(telemetry: MemoryTelemetry) -> None:
    worker = Worker()
    bodies: list[Any] = [{"n": 0}, {"poison": True}, {"n": 2}, {"deep": True}, "{no json", {"n": 5}, {}, "null"]
    answer = worker_entry(on_message=worker, telemetry=telemetry)(sqs_event(*bodies), Context())
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m1", "m3", "m4", "m6", "m7"]
    assert worker.done == [0, 2, 5]
    assert [keys["message_id"] for _, _, keys in telemetry.failures] == ["m1", "m3", "m4", "m6", "m7"]
    assert {metric for metric, _, _ in telemetry.failures} == {"FailedMessages"}


def test_a_good_batch_fails_nowhere(telemetry: MemoryTelemetry) -> None:
    worker = Worker()
    answer = worker_entry(on_message=worker, telemetry=telemetry)(sqs_event({"n": 1}, {"n": 2}), Context())
    assert answer == {"batchItemFailures": []}
    assert telemetry.failures == []


def test_work_is_told_how_much_time_is_left(telemetry: MemoryTelemetry) -> None:
    worker = Worker()
    context = Context(left_ms=12_000, step_ms=6_000)
    worker_entry(on_message=worker, telemetry=telemetry)(sqs_event({"n": 1}, {"n": 2}, {"n": 3}), context)
    assert worker.left == [12 - RESERVE_SECONDS, 6 - RESERVE_SECONDS, 0.0]


@pytest.mark.parametrize(("waited", "told"), [(3500, []), (3700, [("function", 3700)])])
def test_work_that_comes_late_is_done_and_told(telemetry: MemoryTelemetry, waited: int, told: list[Any]) -> None:
    worker, event = Worker(), sqs_event({"n": 1}, {"n": 2})
    event["Records"][1]["attributes"] = {"SentTimestamp": str(int(time.time() * 1000) - waited * 1000)}
    worker_entry(on_message=worker, telemetry=telemetry)(event, Context())
    assert worker.done == [1, 2]
    assert telemetry.waits == told


def test_a_tick_is_told_from_messages(telemetry: MemoryTelemetry) -> None:
    ticks: list[int] = []
    handler = worker_entry(on_message=Worker(), on_tick=lambda: ticks.append(1), telemetry=telemetry)
    assert handler(tick_event(), Context()) == {}
    assert ticks == [1]


def test_a_function_without_a_schedule_takes_no_tick(telemetry: MemoryTelemetry) -> None:
    with pytest.raises(EntryError):
        worker_entry(on_message=Worker(), telemetry=telemetry)(tick_event(), Context())


def test_a_failed_tick_fails_the_function_without_its_text(telemetry: MemoryTelemetry) -> None:
    def tick() -> None:
        raise ValueError("glpat-canary")

    with pytest.raises(EntryError) as caught:
        schedule_entry(tick, telemetry=telemetry)(tick_event(), Context())
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None
    assert telemetry.failures[0][0] == "FailedTicks"


def authorize(headers: Mapping[str, str], telemetry: MemoryTelemetry | None = None) -> Any:
    def principal_of(token: str) -> Principal | None:
        if token == "broken":
            raise ConnectionError("no table")
        return Principal("t1", Role.ADMIN, frozenset({"b", "a"})) if token == "ghub_t1_secret" else None

    return authorizer_entry(principal_of, telemetry=telemetry or MemoryTelemetry())(
        authorizer_event(headers), Context()
    )


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("value", ["Bearer ghub_t1_secret", "bearer  ghub_t1_secret ", "BEARER ghub_t1_secret"])
def test_a_good_token_becomes_a_context(name: str, value: str) -> None:
    context = {"token_id": "t1", "role": "admin", "integration_ids": "a b"}
    assert authorize({name: value}) == {"isAuthorized": True, "context": context}


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Basic ghub_t1_secret", "ghub_t1_secret", "Bearer a b", "Bearer wrong", "Bearer é"],
)
def test_a_bad_token_is_let_through_as_nobody(value: str) -> None:
    assert authorize({"authorization": value}) == {"isAuthorized": True, "context": {}}
    assert authorize({}) == {"isAuthorized": True, "context": {}}


def test_a_token_that_could_not_be_looked_up_is_marked_as_such() -> None:
    telemetry = MemoryTelemetry()
    assert authorize({"authorization": "Bearer broken"}, telemetry) == {"isAuthorized": True, "context": FAILED}
    assert len(telemetry.failures) == 1


def test_what_the_authorizer_leaves_is_what_the_routes_read() -> None:
    for limit in (None, frozenset({"a"}), frozenset({"a", "b"})):
        principal = Principal("t", Role.DEVELOPER, limit)
        assert Principal.from_context(principal.to_context()) == principal


def test_every_request_leaves_one_line_without_its_path(sample: Sample, telemetry: MemoryTelemetry) -> None:
    http_entry(sample.api(), telemetry=telemetry)(http_event("GET", NOTES), Context())
    [line] = telemetry.lines
    assert (line["function"], line["request_id"], line["status"]) == ("function", "req-1", 200)
    assert NOTES not in str(line)


@dataclass(frozen=True, slots=True)
class Report:
    seen: int


def test_every_chore_has_its_turn_and_says_what_it_did(telemetry: MemoryTelemetry) -> None:
    handler = jobs_entry([lambda: Report(3), lambda: None], telemetry=telemetry)
    assert handler(tick_event(), Context()) == {}
    assert [(line.get("chore"), line.get("seen")) for line in telemetry.lines] == [("Report", 3), ("bool", None)]


def test_a_chore_that_fails_keeps_none_from_its_turn_and_is_no_success(telemetry: MemoryTelemetry) -> None:
    done: list[str] = []
    handler = jobs_entry([deep, lambda: done.append("second")], telemetry=telemetry)
    with pytest.raises(EntryError):
        handler(tick_event(), Context())
    assert done == ["second"]
    assert [(metric, type(error)) for metric, error, _ in telemetry.failures] == [("FailedTicks", RecursionError)]
