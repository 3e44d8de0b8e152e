"""A plan that is stopped half-way: nothing more goes out, and each operation says what became of it."""

from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.fakes.faults import Crash, every_call, faulty
from tests.functional.provisioning.plan_hub import BEN, INTEGRATION, SHOP, PlanHub, grant, member, revoke
from tests.functional.provisioning.test_crashes import applied, recover, timed_out

OFF, PAUSED = {"provisioning": False}, {"paused": True}


def told(hub: PlanHub, plan: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(one["status"], one["error"]) for one in recover(hub, plan)["operations"]]


@pytest.mark.parametrize(("change", "code"), [(OFF, "feature_disabled"), (PAUSED, "integration_paused")])
def test_a_worker_sends_nothing_more_once_it_is_stopped(change: dict[str, Any], code: str) -> None:
    hub, plan = applied(grant(20, 30), grant(21, 30), grant(22, 30))

    def stop() -> httpx.Response | None:
        hub.gitlabs.set(INTEGRATION, **change)
        return None

    hub.gitlab.after_write = stop
    hub.tick()
    assert told(hub, plan) == [("applied", None), ("skipped", code), ("skipped", code)]
    assert len(hub.gitlab.writes) == 1


def test_a_worker_sends_nothing_more_once_the_integration_is_gone() -> None:
    hub, plan = applied(grant(20, 30), grant(21, 30))

    def remove() -> httpx.Response | None:
        del hub.gitlabs.known[INTEGRATION]
        return None

    hub.gitlab.after_write = remove
    hub.tick()
    assert told(hub, plan) == [("applied", None), ("skipped", "invalid_credentials")]


@pytest.mark.parametrize(
    ("is_done", "change", "status", "error"),
    [
        (True, OFF, "applied", None),
        (False, OFF, "failed", "feature_disabled"),
        (True, PAUSED, "failed", "integration_paused"),
        (False, PAUSED, "failed", "integration_paused"),
    ],
)
def test_what_had_gone_out_is_judged_by_reading_unless_gitlab_must_not_be_touched(
    is_done: bool, change: dict[str, Any], status: str, error: str | None
) -> None:
    hub, plan = applied(revoke(BEN, 30))
    setattr(hub.gitlab, "after_write" if is_done else "instead_of_write", timed_out)
    hub.gitlab.step = _away_after_a_write(hub)
    hub.tick()
    assert hub.read(plan["id"])["operations"][0]["status"] == "pending"
    hub.gitlab.step = lambda _method, _path: None
    hub.gitlabs.set(**change)
    assert told(hub, plan) == [(status, error)]
    [one] = hub.read(plan["id"])["operations"]
    assert ("may have been done" in (one["hint"] or "")) is (change is PAUSED)
    assert (BEN in hub.gitlab.members["projects", SHOP], len(hub.gitlab.writes)) == (not is_done, 1)
    assert len(hub.audited("plan.outcome")) == 1


def test_a_plan_is_not_ended_under_the_hands_of_a_worker_that_may_be_sending() -> None:
    hub, plan = applied(grant(20, 30))
    other = hub.feature().ledger
    assert other.take("https://gitlab.example/gitlab", owner="another", now=int(hub.now))
    hub.gitlabs.set(provisioning=False)
    hub.tick()
    assert hub.read(plan["id"])["status"] == "applying"
    other.end("https://gitlab.example/gitlab", owner="another")
    assert told(hub, plan) == [("skipped", "feature_disabled")]


@pytest.mark.parametrize(("status", "code"), [(401, "invalid_credentials"), (403, "invalid_permissions")])
def test_a_token_that_is_refused_after_a_write_leaves_it_undecided_and_says_so(status: int, code: str) -> None:
    hub, plan = applied(grant(20, 30), grant(21, 30))
    hub.gitlab.refuses = lambda: httpx.Response(status, json={}) if hub.gitlab.writes else None
    hub.tick()
    assert told(hub, plan) == [("failed", code), ("skipped", code)]
    [one, _] = hub.read(plan["id"])["operations"]
    assert "may have been done" in one["hint"]
    assert (one["gitlab_request_id"], len(hub.audited("plan.outcome"))) == ("req-1", 1)


def test_what_has_gone_out_once_is_not_said_to_be_skipped_where_somebody_else_came_in_between() -> None:
    hub, plan = applied(grant(20, 30))
    hub.gitlab.instead_of_write = timed_out
    hub.tick()
    hub.gitlab.members["projects", SHOP][20] = member(10)
    assert told(hub, plan) == [("failed", "plan_drifted")]
    assert [row for row in hub.access.dump() if row["pk"].endswith("#own_changes")] == []


@pytest.mark.parametrize("lost", [False, True], ids=["before", "after"])
def test_the_feed_is_told_of_no_change_that_was_never_sent(lost: bool) -> None:
    stopped = 0
    for fault in every_call(applied=lost):
        hub, plan = applied(grant(20, 30))
        view = faulty(hub.access, fault)
        with suppress(Crash):
            hub.tick(hub.worker(hub.feature(view, faulty(hub.notes, fault)), access=view))
        hub.gitlabs.set(provisioning=False)
        recover(hub, plan)
        own = [row for row in hub.access.dump() if row["pk"].endswith("#own_changes")]
        assert bool(own) is bool(hub.gitlab.writes), fault
        stopped += not hub.gitlab.writes
    assert stopped > 4


def _away_after_a_write(hub: PlanHub) -> Any:
    def step(method: str, path: str) -> None:
        if hub.gitlab.writes:
            raise httpx.ConnectError("")

    return step
