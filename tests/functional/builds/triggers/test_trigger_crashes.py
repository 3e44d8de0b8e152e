"""Wherever a request ends, a trigger is there whole or not at all, and the request can be sent again."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.events import Context, http_event
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, faulty, unavailable
from tests.fakes.triggers import INTEGRATION
from tests.functional.builds.triggers_hub import BODY, PATH, TriggersHub

CALLS = range(1, 10)
KEY = {"idempotency-key": "k1"}


def attempt(hub: TriggersHub, method: str, path: str, body: Any = None, **more: Any) -> int | None:
    """Send a request; None where the process ended."""
    try:
        return int(hub.api.resolve(http_event(method, path, body, **more), Context())["statusCode"])
    except Crash:
        return None


def is_whole(hub: TriggersHub) -> None:
    """What is counted is there, and what is there can be read."""
    head = hub.rows.get(f"INTEGRATION#{INTEGRATION}", "TRIGGERS") or {"count": 0}
    assert len(hub.listed()) == head["count"]


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
@pytest.mark.parametrize("at", CALLS)
def test_a_trigger_that_is_made_again_with_its_key_is_made_once(
    at: int, error: Callable[[], BaseException], applied: bool
) -> None:
    hub = TriggersHub()
    # The lock of the key is taken and never given back: so ends a process, and so begins an outage.
    keys = faulty(hub.keys, Plan(at=2, error=error, repeat=True))
    hub.use(faulty(hub.rows, Plan(at=at, error=error, applied=applied)), keys)
    assert attempt(hub, "POST", PATH, BODY, headers=KEY) in {None, 201, 503}
    hub.use(hub.rows)
    is_whole(hub)
    hub.now += 61  # The lock of a request that ended without an answer.
    assert attempt(hub, "POST", PATH, BODY, headers=KEY) == 201
    is_whole(hub)
    assert len(hub.listed()) == 1


@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", CALLS)
def test_a_trigger_whose_answer_was_an_outage_is_made_once_by_the_next_try(at: int, applied: bool) -> None:
    hub = TriggersHub()
    hub.use(faulty(hub.rows, Plan(at=at, error=unavailable, applied=applied)))
    assert attempt(hub, "POST", PATH, BODY, headers=KEY) in {201, 503}
    hub.use(hub.rows)
    assert attempt(hub, "POST", PATH, BODY, headers=KEY) == 201
    assert len(hub.listed()) == 1


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
@pytest.mark.parametrize("at", CALLS)
def test_a_change_happens_whole_or_not_at_all(at: int, error: Callable[[], BaseException], applied: bool) -> None:
    hub = TriggersHub()
    made = hub.made()
    hub.use(faulty(hub.rows, Plan(at=at, error=error, applied=applied)))
    change = {"enabled": False, "branches": {"include": ["x"]}}
    status = attempt(hub, "PATCH", f"{PATH}/{made['id']}", change)
    hub.use(hub.rows)
    is_whole(hub)
    shown = hub.shown(made["id"])
    parts = (shown["enabled"], shown["branches"]["include"], shown["version"])
    assert parts in [(True, [], 1), (False, ["x"], 2)]
    if status == 200:
        assert not shown["enabled"]
    assert attempt(hub, "PATCH", f"{PATH}/{made['id']}", change) == 200


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
@pytest.mark.parametrize("at", CALLS)
def test_a_removal_happens_whole_or_not_at_all(at: int, error: Callable[[], BaseException], applied: bool) -> None:
    hub = TriggersHub()
    path = f"{PATH}/{hub.made()['id']}"
    hub.use(faulty(hub.rows, Plan(at=at, error=error, applied=applied)))
    status = attempt(hub, "DELETE", path)
    hub.use(hub.rows)
    is_whole(hub)
    left = len(hub.listed())
    assert left == 0 if status == 200 else status in {None, 503}
    assert attempt(hub, "DELETE", path) == (200 if left else 404)
    is_whole(hub)


def test_no_request_has_more_calls_than_are_tried() -> None:
    hub, plan = TriggersHub(), Plan()
    hub.use(faulty(hub.rows, plan))
    path = f"{PATH}/{hub.made()['id']}"
    counted = [len(plan.calls)]
    for method, body in [("PATCH", {"enabled": False}), ("DELETE", None)]:
        plan.calls.clear()
        hub(method, path, body)
        counted.append(len(plan.calls))
    assert max(counted) < max(CALLS)


def test_a_log_that_cannot_be_written_keeps_everything_as_it_was() -> None:
    hub = TriggersHub()
    made = hub.made()

    def fail(*_: object, **__: object) -> str:
        raise unavailable()

    hub.integrations.record = fail  # type: ignore[method-assign] # one instance's log fails
    assert attempt(hub, "POST", PATH, BODY) == 503
    assert attempt(hub, "PATCH", f"{PATH}/{made['id']}", {"enabled": False}) == 503
    assert attempt(hub, "DELETE", f"{PATH}/{made['id']}") == 503
    assert [hub.shown(one) for one in hub.listed()] == [made]
