"""Working on deliveries: in order, once, and with failures that stay where they are."""

import json
from typing import Any

import pytest

from gitlab_hub.storage.ports import OutOfTime, StorageUnavailable, UnknownMessage
from gitlab_hub.web.entry import worker_entry
from gitlab_hub.webhooks.deliveries.worker import HINTED
from gitlab_hub.webhooks.hooks.store import HookStore
from tests.fakes.events import Context, sqs_event
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, faulty
from tests.fakes.queue import Ordered
from tests.fakes.telemetry import MemoryTelemetry
from tests.fakes.threads import together
from tests.functional.webhooks.deliveries_hub import NOW, PROJECT, PUSH, DeliveriesHub, a_hook

HOOK = a_hook()
PIPELINE = {"object_kind": "pipeline", "object_attributes": {"id": 9, "status": "failed"}, "project": {"id": PROJECT}}


def push(number: int, ref: str = "main") -> dict[str, Any]:
    return PUSH | {"user_id": number, "checkout_sha": f"{number:040x}", "ref": f"refs/heads/{ref}"}


def deep(_: Any = None) -> Any:
    return deep(_)


@pytest.fixture
def hub() -> DeliveriesHub:
    return DeliveriesHub()


def test_a_push_asks_for_its_builds(hub: DeliveriesHub) -> None:
    delivery_id = hub(HOOK, push(1))[1]["delivery_id"]
    hub.now += 3
    hub.work()
    [(integration_id, event, asked_for)] = hub.builds.asked
    assert (integration_id, event.kind, event.sha, asked_for) == ("int_0a1b", "push", f"{1:040x}", delivery_id)
    [row] = hub.rows()
    assert (row["status"], row["build_ids"], row["reasons"]) == ("handled", ["bld_0"], [])
    assert (row["processed_at"], row["attempts"]) == ([NOW + 3, 3_000], 1)
    assert not {"pending_pk", "pending_sk"} & set(row)


def test_a_push_that_nobody_waits_for_says_why(hub: DeliveriesHub) -> None:
    hub.builds.wanted = False
    hub(HOOK, push(1))
    hub.work()
    assert [(row["status"], row["reasons"]) for row in hub.rows()] == [("ignored", ["no_trigger"])]


def test_a_pipeline_is_only_a_hint(hub: DeliveriesHub) -> None:
    hub(HOOK, PIPELINE)
    hub.work()
    assert hub.hints.given == [("pipeline", "int_0a1b", PROJECT, 9)]
    assert [(row["status"], row["reasons"]) for row in hub.rows()] == [("handled", [HINTED])]


def test_a_hook_is_known_to_work_once_it_delivered(hub: DeliveriesHub) -> None:
    hub(HOOK, push(1))
    hub.now += 900
    hub.work()
    hook = HookStore(hub.table).get(HOOK.id)
    assert hook is not None
    assert hook.last_delivery_at == NOW


@pytest.mark.parametrize("state", ["paused", "gone", "credential_broken"])
def test_what_was_stopped_meanwhile_has_no_effect(hub: DeliveriesHub, state: str) -> None:
    hub(HOOK, push(1))
    hub.states.known["int_0a1b"] = state
    hub.work()
    assert [(row["status"], row["reasons"]) for row in hub.rows()] == [("ignored", [state])]
    assert hub.builds.asked == []


def test_a_message_that_comes_twice_has_one_effect(hub: DeliveriesHub) -> None:
    hub(HOOK, push(1))
    [message] = hub.queue.take()
    assert hub.deliver(message, message) == hub.deliver(message) == []
    assert len(hub.builds.asked) == 1


@pytest.mark.parametrize("error", [ValueError("x"), StorageUnavailable("x"), "recursion"])
def test_a_poison_message_fails_alone_and_is_dead_after_five_tries(hub: DeliveriesHub, error: Any) -> None:
    for number in range(1, 11):
        hub(HOOK, push(number, ref=f"b{number}"))
    on_event = hub.builds.on_event

    class Poisoned:
        def on_event(self, integration_id: str, event: Any, *, delivery_id: str) -> Any:
            if event.ref == "b4":
                deep() if error == "recursion" else _raise(error)
            return on_event(integration_id, event, delivery_id=delivery_id)

    worker = hub.deliveries.worker(scopes=hub.scopes, builds=Poisoned(), hints=hub.hints, states=hub.states)
    hub.entry = worker_entry(on_message=worker, telemetry=hub.telemetry)
    hub.work()
    assert len(hub.builds.asked) == 9
    assert len(hub.dead) == len([row for row in hub.rows() if row["status"] == "pending"]) == 1
    [row] = [row for row in hub.rows() if row["status"] == "pending"]
    assert (row["ref"], row["attempts"]) == ("b4", 5)
    assert [metric for metric, _, _ in hub.telemetry.failures] == ["FailedMessages"] * 5


def test_behind_a_failure_its_group_waits_and_other_groups_go_on(hub: DeliveriesHub) -> None:
    for number, ref in enumerate(["main", "main", "dev", "main", "dev"], start=1):
        hub(HOOK, push(number, ref))
    messages = hub.queue.take()
    hub.builds.error = ValueError("x")
    assert len(hub.deliver(*messages)) == 5
    hub.builds.error = None
    hub.builds.asked.clear()

    original = hub.builds.on_event

    class FailsAtFirst:
        def on_event(self, integration_id: str, event: Any, *, delivery_id: str) -> Any:
            if event.actor_id == 1:
                raise ValueError("x")
            return original(integration_id, event, delivery_id=delivery_id)

    worker = hub.deliveries.worker(scopes=hub.scopes, builds=FailsAtFirst(), hints=hub.hints, states=hub.states)
    hub.entry = worker_entry(on_message=worker, telemetry=hub.telemetry)
    left = hub.deliver(*messages)
    assert [event.actor_id for _, event, _ in hub.builds.asked] == [3, 5]
    assert left == [messages[0], messages[1], messages[3]]
    hub.use(hub.table, hub.queue)
    assert hub.deliver(*left) == []
    assert [event.actor_id for _, event, _ in hub.builds.asked] == [3, 5, 1, 2, 4], "in order"


def test_dead_letters_can_be_redriven_again_and_again(hub: DeliveriesHub) -> None:
    for number in range(1, 6):
        hub(HOOK, push(number, ref=f"b{number}"))
    hub.builds.error = ValueError("x")
    hub.work()
    assert len(hub.dead) == 5
    hub.builds.error = None
    for _ in range(2):
        assert hub.deliver(*hub.dead) == []
        assert len(hub.builds.asked) == len(hub.builds.made) == 5
    assert {row["status"] for row in hub.rows()} == {"handled"}


@pytest.mark.parametrize("body", [{}, {"schema": 0}, {"schema": 2, "delivery_id": "dlv_0a1b_1"}, {"schema": "1"}])
def test_a_message_of_another_schema_waits_for_a_release_that_knows_it(
    hub: DeliveriesHub, body: dict[str, Any]
) -> None:
    hub(HOOK, push(1))
    assert hub.deliver(Ordered(body, "g", "o")) != []
    [(_, error, _)] = hub.telemetry.failures
    assert isinstance(error, UnknownMessage)
    assert hub.rows()[0]["attempts"] == 0


def test_a_message_with_more_in_it_is_understood(hub: DeliveriesHub) -> None:
    delivery_id = hub(HOOK, push(1))[1]["delivery_id"]
    assert hub.deliver(Ordered({"schema": 1, "delivery_id": delivery_id, "new": 1}, "g", "o")) == []
    assert hub.rows()[0]["status"] == "handled"


def test_a_row_of_a_later_schema_is_neither_worked_on_nor_touched(hub: DeliveriesHub) -> None:
    hub(HOOK, push(1))
    [row] = hub.rows()
    hub.table.put(row | {"schema_version": 2})
    hub.work()
    assert len(hub.dead) == 1
    assert hub.rows() == [row | {"schema_version": 2}]


def test_a_message_whose_row_is_gone_is_done(hub: DeliveriesHub) -> None:
    assert hub.deliver(Ordered({"schema": 1, "delivery_id": "dlv_0a1b_404"}, "g", "o")) == []


def test_no_message_is_begun_without_time_for_it(hub: DeliveriesHub) -> None:
    hub(HOOK, push(1))
    [message] = hub.queue.take()
    event = sqs_event(message.body, groups=[message.group])
    assert len(hub.entry(event, Context(left_ms=24_000))["batchItemFailures"]) == 1
    assert isinstance(hub.telemetry.failures[0][1], OutOfTime)
    assert hub.builds.asked == []


CALLS = 12


def run_with(plan: Plan) -> DeliveriesHub:
    hub = DeliveriesHub()
    hub(HOOK, push(1))
    hub.builds = faulty(hub.builds, plan)
    hub.hints, hub.states = faulty(hub.hints, plan), faulty(hub.states, plan)
    hub.use(faulty(hub.table, plan), hub.queue)
    messages = hub.queue.take()
    try:
        left = hub.deliver(*messages)
    except Crash:
        left = messages
    plan.heal()
    for _ in range(3):
        left = hub.deliver(*left) if left else []
    assert left == []
    return hub


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
@pytest.mark.parametrize("at", range(1, CALLS))
def test_a_worker_that_ends_anywhere_is_taken_up_with_one_effect(at: int, error: Any, applied: bool) -> None:
    hub = run_with(Plan(at=at, error=error, applied=applied, repeat=True))
    assert [row["status"] for row in hub.rows()] == ["handled"]
    assert len(hub.builds.made) == 1
    assert hub.rows()[0]["build_ids"] == ["bld_0"]


def test_the_worker_has_no_more_calls_than_are_tried() -> None:
    plan = Plan()
    run_with(plan)
    assert len(plan.calls) < CALLS


def test_a_delivery_is_read_once_and_written_once(hub: DeliveriesHub) -> None:
    hub(HOOK, push(1))
    hub(HOOK, push(2) | {"after": "2" * 40})
    plan = Plan()
    hub.use(faulty(hub.table, plan), hub.queue)
    first, second = hub.queue.take()
    hub.deliver(first)
    plan.calls.clear()
    hub.deliver(second)
    # The row itself, that it is the first of its event, and the refs of its project; the hook was noted a moment ago.
    assert plan.calls == ["get", "put", "get", "put"]


def test_several_workers_at_one_delivery_leave_one_outcome(hub: DeliveriesHub) -> None:
    for number in range(1, 11):
        hub(HOOK, push(number))
        [message] = hub.queue.take()
        assert together(5, lambda _, one=message: hub.deliver(one)) == [[]] * 5  # type: ignore[misc]  # a default
    assert {row["status"] for row in hub.rows()} == {"handled"}
    assert len(hub.builds.made) == 10


def test_no_body_gets_into_the_log(hub: DeliveriesHub) -> None:
    hub(HOOK, push(1) | {"user_name": "canary"})
    hub.work()
    assert "canary" not in json.dumps(hub.telemetry.lines)


def test_a_standard_queue_knows_no_groups() -> None:
    done: list[int] = []

    def work(message: Any, *, remaining: Any) -> None:
        if message["n"] == 0:
            raise ValueError("x")
        done.append(message["n"])

    answer = worker_entry(on_message=work, telemetry=MemoryTelemetry())(sqs_event({"n": 0}, {"n": 1}), Context())
    assert (len(answer["batchItemFailures"]), done) == (1, [1])


def _raise(error: Exception) -> None:
    raise error
