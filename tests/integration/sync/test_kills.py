"""A worker killed at any call to a table or to GitLab: the next one converges, and nothing is removed wrongly."""

import threading
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest

from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LEASE_SECONDS, RunStatus
from stand_in_gitlab.process import Running
from tests.fakes.sync_worker import ID, Hub
from tests.integration.sync.company_changes import happen
from tests.integration.sync.conftest import KINDS
from tests.integration.sync.stored_rows import lost, stored, truth


class Killed(BaseException):
    """The process is gone: no handler runs any more."""


class Mortal:
    """A worker's life, counted in calls to the outside; after the last one nothing works any more."""

    def __init__(self, life: int, *, applied: bool) -> None:
        self._life, self._applied, self.calls = life, applied, 0
        self._lock = threading.Lock()

    def table(self, table: Table) -> Table:
        """A table as this worker sees it."""
        return cast("Table", _MortalTable(self, table))

    def request(self, request: httpx.Request) -> httpx.Request:
        """A request by this worker; the answer of the last one never arrives."""
        self.spend(lambda: None)
        return request

    def spend(self, effect: Callable[[], Any]) -> Any:
        """Make one call, if there is life left for it."""
        with self._lock:
            self.calls += 1
            number = self.calls
        if number > self._life or (number == self._life and not self._applied):
            raise Killed
        answer = effect()
        if number == self._life:
            raise Killed
        return answer


class _MortalTable:
    def __init__(self, worker: Mortal, table: Table) -> None:
        self._worker, self._table = worker, table

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._table, name)
        return lambda *args, **kwargs: self._worker.spend(lambda: method(*args, **kwargs))


def work_as(worker: Mortal, hub: Hub, kind: Kind, message: dict[str, Any]) -> None:
    """Handle a message with a worker that may die of it."""
    hub.view, hub.watch = worker.table, worker.request
    try:
        hub.engine(kind).handle(message, remaining=hub.remaining)
    finally:
        hub.view, hub.watch = (lambda table: table), (lambda request: request)


def asked(past: Hub, kind: Kind) -> tuple[Hub, dict[str, Any]]:
    """A hub with a run queued, and that run's message."""
    hub = past.clone()
    hub.service.request(ID, [kind])
    [message] = hub.queues[kind].take()
    return hub, message


@KINDS
def test_a_kill_at_any_call_converges(fresh: Running, kind: Kind) -> None:
    past = Hub(fresh)
    past.sync(kind)
    before = stored(past, kind)
    happen(fresh)
    past.now += 7_200
    now = truth(past, kind)

    immortal = Mortal(10**9, applied=True)
    hub, message = asked(past, kind)
    work_as(immortal, hub, kind, message)
    assert immortal.calls > 100

    # The last calls are left out: which call comes when, and how many there are, differs a little from run to run.
    for life in range(1, immortal.calls - 3):
        hub, message = asked(past, kind)
        with pytest.raises(Killed):
            work_as(Mortal(life, applied=life % 2 == 0), hub, kind, message)
        assert lost(before, stored(hub, kind), now) == [], f"killed at call {life}"
        hub.now += LEASE_SECONDS
        hub.engine(kind).handle(message, remaining=hub.remaining)
        run = hub.work(kind)
        assert (run.status, stored(hub, kind)) == (RunStatus.IDLE, now), f"killed at call {life}"


@KINDS
def test_workers_that_have_little_time_finish_a_run_together(fresh: Running, kind: Kind) -> None:
    hub = Hub(fresh)
    slices = 0
    hub.service.request(ID, [kind])
    while waiting := hub.queues[kind].take():
        slices += 1
        # Every look at the clock takes a second, and a worker keeps the last twenty for handing over.
        left = iter(range(60, 0, -1))
        hub.engine(kind).handle(waiting[0], remaining=lambda: float(next(left, 0)))  # noqa: B023 - used at once
    assert slices > 1
    assert (hub.run(kind).status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))
