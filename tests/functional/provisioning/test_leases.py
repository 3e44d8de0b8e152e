"""The right to write in a GitLab: held for no longer than its worker can live, and never by what nobody understands."""

from contextlib import suppress
from typing import Any

import pytest

from gitlab_hub.provisioning.worker import MOST_PLANS
from gitlab_hub.storage.due import Due
from gitlab_hub.storage.ports import StorageUnavailable
from tests.fakes.faults import Crash, every_call, faulty, unavailable
from tests.functional.provisioning.plan_hub import BEN, INTEGRATION, grant
from tests.functional.provisioning.test_crashes import applied, die_at, recover

GITLAB = "https://gitlab.example/gitlab"


@pytest.mark.parametrize(("lives", "waits"), [(290.0, 320), (150.0, 180), (115.0, 145), (10_000.0, 330)])
def test_after_a_crash_nobody_writes_until_the_dead_worker_cannot_be_alive(lives: float, waits: int) -> None:
    hub, plan = applied(grant(20, 30))
    die_at(hub, 1, applied=False)
    with suppress(Crash):
        hub.worker().tick(lambda: lives)
    hub.gitlab.step = lambda _method, _path: None
    start = hub.now
    hub.now = start + waits - 1
    hub.tick()
    assert (hub.read(plan["id"])["status"], hub.gitlab.writes) == ("applying", [])
    hub.later(60)
    assert (hub.read(plan["id"])["status"], len(hub.gitlab.writes)) == ("applied", 1)


def test_a_worker_that_meets_a_store_that_is_away_leaves_the_next_one_nothing_to_wait_for() -> None:
    met = 0
    for fault in every_call(error=unavailable):
        hub, plan = applied(grant(20, 30))
        with suppress(StorageUnavailable):
            hub.tick(hub.worker(hub.feature(faulty(hub.access, fault), faulty(hub.notes, fault))))
            continue
        met += 1
        ledger = hub.feature().ledger
        is_free = ledger.take(GITLAB, owner="another", now=int(hub.now))
        if is_free:
            ledger.end(GITLAB, owner="another")
        # Only where giving it back is what failed, it ends with the worker's time.
        assert is_free or fault.calls[-1] == "delete", fault
        hub.now += 0 if is_free else 330
        assert recover(hub, plan)["status"] == "applied", fault
    assert met > 8


def test_rows_that_nothing_is_left_to_do_for_hold_up_no_other() -> None:
    hub, plan = applied(grant(20, 30))
    hub.feature().store.due.add(Due(f"{INTEGRATION}#plan_{one:020x}", 0, "over") for one in range(2 * MOST_PLANS))
    hub.tick()
    assert hub.read(plan["id"])["status"] == "applied"


def test_a_plan_with_an_operation_of_a_release_to_come_waits_for_it_and_holds_up_no_other() -> None:
    hub, plan = applied(grant(20, 30))
    for row in hub.access.dump():
        if row["pk"].endswith("#plan_steps"):
            hub.access.put({**row, "operation": {**row["operation"], "kind": "teleport"}})
    hub.tick()
    other: dict[str, Any] = hub.plan(grant(BEN, 40))
    hub.apply(other)
    hub.work()
    for _ in range(3):
        hub.later()
    assert hub.read(other["id"])["status"] == "applied"
    listed = {one["id"]: one["status"] for one in hub("GET")[1]["plans"]}
    assert listed[plan["id"]] == "applying"
    assert len(hub.gitlab.writes) == 1
