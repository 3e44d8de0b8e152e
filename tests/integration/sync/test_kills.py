"""A worker killed at any call to a table or to GitLab: the next one converges, and nothing is removed wrongly."""

from typing import Any

from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LEASE_SECONDS, RunStatus
from stand_in_gitlab.process import Running
from tests.fakes.faults import Crash, Plan
from tests.fakes.sync_worker import ID, SyncHub
from tests.integration.sync.company_changes import happen
from tests.integration.sync.conftest import KINDS
from tests.integration.sync.stored_rows import lost, stored, truth


def asked(past: SyncHub, kind: Kind) -> tuple[SyncHub, dict[str, Any]]:
    """A hub with a run queued, and that run's message."""
    hub = past.clone()
    hub.service.request(ID, [kind])
    [message] = hub.queues[kind].take()
    return hub, message


@KINDS
def test_a_kill_at_any_call_converges(fresh: Running, kind: Kind) -> None:
    past = SyncHub(fresh)
    past.sync(kind)
    before = stored(past, kind)
    happen(fresh)
    past.now += 7_200
    now = truth(past, kind)

    undisturbed = Plan()
    hub, message = asked(past, kind)
    with hub.failing(undisturbed):
        hub.engine(kind).handle(message, remaining=hub.remaining)
    assert len(undisturbed.calls) > 100

    killed = 0
    # Every fifth call: they alternate between calls that had their effect and such that had none.
    calls = range(1, len(undisturbed.calls) + 1, 5)
    for at in calls:
        hub, message = asked(past, kind)
        plan = Plan(at=at, applied=at % 2 == 0, repeat=True)
        try:
            with hub.failing(plan):
                hub.engine(kind).handle(message, remaining=hub.remaining)
        except Crash:
            killed += 1
        assert lost(before, stored(hub, kind), now) == [], f"killed at call {at}"
        hub.now += LEASE_SECONDS
        hub.engine(kind).handle(message, remaining=hub.remaining)
        run = hub.work(kind)
        assert (run.status, stored(hub, kind)) == (RunStatus.IDLE, now), f"killed at call {at}"
    # How many calls there are differs a little: the lease is renewed by the time that passes on the machine.
    assert killed > 0.9 * len(calls)


@KINDS
def test_workers_that_have_little_time_finish_a_run_together(fresh: Running, kind: Kind) -> None:
    hub = SyncHub(fresh)
    slices = 0
    hub.service.request(ID, [kind])
    while waiting := hub.queues[kind].take():
        slices += 1
        # Every look at the clock takes a second, and a worker keeps the last twenty for handing over.
        left = iter(range(60, 0, -1))
        hub.engine(kind).handle(waiting[0], remaining=lambda: float(next(left, 0)))  # noqa: B023 - used at once
    assert slices > 1
    assert (hub.run(kind).status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))
