"""Whatever fails while a delivery is taken in, GitLab is told the truth, and nothing that it was promised is lost."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitlab_hub.storage.ports import QueueUnavailable, StorageRefused
from gitlab_hub.web.tokens import MasterKey
from gitlab_hub.webhooks.hooks.model import Hook
from gitlab_hub.webhooks.hooks.secrets import HookSecrets
from gitlab_hub.webhooks.receiving.receiver import BUDGET_SECONDS
from tests.fakes.events import Context, http_event
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, faulty, unavailable
from tests.fakes.secrets import MemorySecrets
from tests.fakes.threads import together
from tests.functional.webhooks.deliveries_hub import PATH, PROJECT, PUSH, DeliveriesHub, a_hook

HOOK = a_hook()
SIGNS = a_hook("2", verification="signature")
CALLS = ["get", "put", "send"]


def attempt(hub: DeliveriesHub, *, named: bool = True) -> int | None:
    """Send the push; None where the process ended."""
    try:
        return hub(HOOK, PUSH, named=named)[0]
    except Crash:
        return None


def broken(hub: DeliveriesHub, **plan: Any) -> Plan:
    made = Plan(**plan)
    hub.use(faulty(hub.table, made), faulty(hub.queue, made))
    return made


def heal(hub: DeliveriesHub, seconds: float = 0) -> None:
    hub.use(hub.table, hub.queue)
    hub.now += seconds
    hub.requeue_job.tick()
    hub.work()


def test_a_delivery_costs_one_read_one_write_and_one_message() -> None:
    hub = DeliveriesHub()
    plan = broken(hub)
    assert attempt(hub) == 202
    assert plan.calls == CALLS


@BEFORE_OR_AFTER
@pytest.mark.parametrize("error", [Crash, unavailable, QueueUnavailable])
@pytest.mark.parametrize("at", range(1, len(CALLS) + 1))
def test_what_ends_anywhere_is_kept_or_not_promised(at: int, error: Any, applied: bool) -> None:
    hub = DeliveriesHub()
    broken(hub, at=at, error=error, applied=applied)
    assert attempt(hub) == (None if error is Crash else 503), "not taken, or nobody was told that it was"
    kept = len(hub.rows())
    assert all(row["status"] == "pending" for row in hub.rows())
    heal(hub, 121)
    assert len(hub.builds.asked) == kept
    assert attempt(hub) == (200 if kept else 202), "and GitLab may send it again"
    heal(hub)
    assert [row["status"] for row in hub.rows()] == ["handled"]
    assert len(hub.builds.asked) == len(hub.builds.made) == 1


@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", range(1, 6))
def test_a_repeated_delivery_that_ends_anywhere_has_one_effect(at: int, applied: bool) -> None:
    hub = DeliveriesHub()
    broken(hub, at=3)
    attempt(hub)
    broken(hub, at=at, applied=applied)
    attempt(hub)
    heal(hub, 121)
    assert [row["status"] for row in hub.rows()] == ["handled"]
    assert len(hub.builds.made) == 1


def test_a_repeated_delivery_is_sent_again_while_nobody_has_worked_on_it() -> None:
    hub = DeliveriesHub()
    broken(hub, at=3, error=QueueUnavailable)
    assert attempt(hub) == 503
    hub.use(hub.table, hub.queue)
    assert attempt(hub) == 200
    assert len(hub.queue.sent) == 1


def refused() -> StorageRefused:
    return StorageRefused("AWS refuses the hub a table or a secret (AccessDeniedException).")


@pytest.mark.parametrize("error", [unavailable, refused])
@pytest.mark.parametrize("named", [True, False])
def test_with_the_table_or_the_queue_down_the_answer_is_that_of_the_contract(
    caplog: pytest.LogCaptureFixture, named: bool, error: Any
) -> None:
    for at in (1, 2, 3):
        hub = DeliveriesHub()
        broken(hub, at=at, repeat=True, error=error)
        raw = json.dumps(PUSH).encode()
        status, answer = hub.call(raw, hub.headers(HOOK, raw), f"{PATH}/{HOOK.id}" if named else PATH)
        assert (status, answer["code"], answer["retryable"]) == (503, "webhook_queue_unavailable", True)
        assert hub.metrics.seen == {"unavailable": 1}
    said = {(line.getMessage(), getattr(line, "reason", None)) for line in caplog.records}
    assert said == {("webhook not kept", str(error()))}


@pytest.mark.parametrize("hook", [HOOK, SIGNS])
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("stored", [None, {}, {"key": "short"}])
def test_without_the_master_key_a_delivery_can_be_sent_again(stored: Any, named: bool, hook: Hook) -> None:
    hub, kept = DeliveriesHub(HOOK, SIGNS), MemorySecrets()
    raw = json.dumps(PUSH).encode()
    headers = hub.headers(hook, raw)
    if stored is not None:
        kept.create("master", stored, version="1" * 32)
    hub.secrets = HookSecrets(lambda: MasterKey(kept, "master").derive("webhooks"))
    hub.use(hub.table, hub.queue)
    status, answer = hub.call(raw, headers, f"{PATH}/{hook.id}" if named else PATH)
    assert (status, answer["code"], answer["retryable"]) == (503, "webhook_queue_unavailable", True)
    assert hub.metrics.seen == {"unavailable": 1}


def test_a_refusal_for_our_own_trouble_says_when_to_come_back() -> None:
    hub = DeliveriesHub()
    broken(hub, at=1, error=unavailable)
    raw = json.dumps(PUSH).encode()
    event = http_event("POST", f"{PATH}/{HOOK.id}", principal=None, headers=hub.headers(HOOK, raw), raw=raw)
    assert hub.app.resolve(event, Context())["headers"]["retry-after"] == "5"


def test_a_standing_that_cannot_be_read_is_our_own_trouble_too() -> None:
    hub = DeliveriesHub()
    plan = Plan(at=1, error=unavailable)
    hub.states = faulty(hub.states, plan)
    hub.use(hub.table, hub.queue)
    assert attempt(hub) == 503
    assert hub.rows() == []


class Slow:
    """A port whose calls work, and take their time."""

    def __init__(self, port: Any, hub: DeliveriesHub, seconds: float) -> None:
        self._port, self._post, self._seconds = port, hub, seconds

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            self._post.elapsed += self._seconds
            return getattr(self._port, name)(*args, **more)

        return call


@pytest.mark.parametrize("seconds", [1.0, 1.9, 3.0, 4.0])
def test_with_everything_slow_the_answer_still_comes_in_time(seconds: float) -> None:
    hub = DeliveriesHub()
    slow_states = Slow(hub.states, hub, seconds)
    hub.states = slow_states  # type: ignore[assignment]  # quacks like one
    hub.use(Slow(hub.table, hub, seconds), Slow(hub.queue, hub, seconds))
    status = attempt(hub)
    assert hub.elapsed <= BUDGET_SECONDS + 4 <= 8
    assert status == (202 if seconds * 3 <= BUDGET_SECONDS else 503)
    heal(hub, 121)
    assert len(hub.builds.asked) == len(hub.rows())


@pytest.mark.parametrize("seconds", [3.6, 4.0])
@pytest.mark.parametrize(("hook", "named"), [(HOOK, True), (HOOK, False), (SIGNS, True), (SIGNS, False)])
def test_with_the_first_look_at_the_key_slow_too_nothing_begins_too_late(
    hook: Hook, named: bool, seconds: float
) -> None:
    hub = DeliveriesHub(hook)
    raw = json.dumps(PUSH).encode()
    headers = hub.headers(hook, raw)
    slow = Slow(hub.secrets, hub, seconds)
    hub.secrets = slow  # type: ignore[assignment]  # quacks like one
    hub.use(Slow(hub.table, hub, seconds), Slow(hub.queue, hub, seconds))
    status, _ = hub.call(raw, headers, f"{PATH}/{hook.id}" if named else PATH)
    assert status == 503
    # A look by another way than the id is two looks.
    assert hub.elapsed <= BUDGET_SECONDS + (4 if named else 8)


def test_copies_at_the_same_moment_have_one_effect_even_if_some_fail() -> None:
    for number in range(30):
        hub = DeliveriesHub()
        plan = Plan(at=1 + number % 14, error=unavailable, applied=bool(number % 2))
        hub.use(faulty(hub.table, plan), faulty(hub.queue, plan))
        answers = together(5, lambda _, hub=hub: attempt(hub))  # type: ignore[misc]  # a default, not a capture
        assert {200, 202, 503} >= set(answers)
        heal(hub, 121)
        assert len(hub.builds.asked) == len(hub.builds.made) == 1


NAMES = [
    "X-Gitlab-Token", "X-Gitlab-Event", "Idempotency-Key", "webhook-id", "webhook-timestamp", "webhook-signature",
    "X-Gitlab-Event-UUID", "X-Gitlab-Instance", "User-Agent",
]  # fmt: skip
ANY_TEXT = st.text(st.characters(), max_size=300)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda one: st.lists(one, max_size=4) | st.dictionaries(ANY_TEXT, one, max_size=4),
    max_leaves=12,
)
FIELDS = ["object_kind", "event_name", "project", "project_id", "ref", "commits", "object_attributes", "group_id", "id"]
KINDS = st.sampled_from(["push", "tag_push", "merge_request", "pipeline", "build", "user_add_to_team", "group_create"])
BODIES = st.fixed_dictionaries(
    {"object_kind": KINDS, "project_id": st.just(PROJECT)}, optional={"event_name": KINDS}
).flatmap(lambda fixed: st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6).map(lambda more: {**more, **fixed}))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    headers=st.dictionaries(st.sampled_from(NAMES), ANY_TEXT),
    raw=st.binary(max_size=60) | ANY_TEXT,
    path=st.sampled_from([PATH, f"{PATH}/{HOOK.id}", f"{PATH}/{SIGNS.id}", f"{PATH}/hook__x", f"{PATH}/\ud800"]),
)
def test_nothing_that_strangers_send_is_a_failure(headers: dict[str, str], raw: bytes | str, path: str) -> None:
    hub = DeliveriesHub(HOOK, SIGNS)
    assert hub.call(raw, headers, path)[0] == 401
    assert hub.rows() == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(headers=st.dictionaries(st.sampled_from(NAMES[1:]), ANY_TEXT), body=BODIES, signs=st.booleans())
def test_nothing_that_gitlab_sends_is_a_failure(headers: dict[str, str], body: dict[str, Any], signs: bool) -> None:
    hub, hook = DeliveriesHub(HOOK, SIGNS), SIGNS if signs else HOOK
    raw = json.dumps(body).encode()
    genuine = hub.signed(hook, raw) if signs else {"X-Gitlab-Token": hub.token(hook)}
    status, _ = hub.call(raw, {**headers, **genuine}, f"{PATH}/{hook.id}")
    assert status in (200, 202)
    hub.work()
    assert hub.dead == []
