"""Several workers, repeated messages and storms of ticks: one run, with one run's effect."""

import threading
from typing import Any

import httpx
import pytest

from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.dispatcher import LOST_AFTER_SECONDS
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LEASE_SECONDS, RunStatus
from tests.fakes.sync_worker import ID, SyncHub
from tests.fakes.threads import together
from tests.integration.sync.conftest import KINDS
from tests.integration.sync.stored_rows import mirrored, stored, truth

MOST_ON_THE_WAY = 2


def requested(hub: SyncHub, kind: Kind) -> dict[str, Any]:
    """The message of a run that was just queued."""
    hub.service.request(ID, [kind])
    [message] = hub.queues[kind].take()
    return message


@KINDS
def test_workers_that_get_the_same_message_at_once_make_one_run(hub: SyncHub, kind: Kind) -> None:
    alone = hub.clone()
    alone.sync(kind)
    message = requested(hub, kind)
    outcomes = together(4, lambda _: hub.engine(kind).handle(message, remaining=hub.remaining))
    assert outcomes == [None] * 4
    assert (hub.run(kind).status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))
    assert len(hub.requests) == len(alone.requests)
    assert hub.targets.verdicts == ["accepted"]


@KINDS
def test_a_message_that_comes_again_has_no_effect(hub: SyncHub, kind: Kind) -> None:
    message = requested(hub, kind)
    for _ in range(3):
        hub.engine(kind).handle(message, remaining=hub.remaining)
    once, rows = len(hub.requests), mirrored(hub, kind)
    assert hub.run(kind).counts["requests"] == once
    newer = requested(hub, kind)
    hub.engine(kind).handle(message, remaining=hub.remaining)
    assert len(hub.requests) == once
    hub.engine(kind).handle(newer, remaining=hub.remaining)
    assert (hub.run(kind).counts["rows_written"], mirrored(hub, kind)) == (0, rows)


@KINDS
def test_a_storm_of_ticks_starts_one_run(hub: SyncHub, kind: Kind) -> None:
    ticks = [tick for tick in together(8, lambda _: hub.dispatcher(kind).tick()) if isinstance(tick, dict)]
    assert (len(ticks), sum(tick["started"] for tick in ticks)) == (8, 1)
    assert len(hub.queues[kind].sent) == 1

    def another_tick(request: httpx.Request) -> httpx.Request:
        assert hub.dispatcher(kind).tick()["started"] == 0
        return request

    hub.watch = another_tick
    assert hub.work(kind).status is RunStatus.IDLE
    assert hub.dispatcher(kind).tick()["started"] == 0
    assert hub.queues[kind].sent == []
    hub.now += 300
    assert hub.dispatcher(kind).tick()["started"] == 1


@KINDS
def test_a_run_whose_worker_and_message_were_lost_is_pushed_on(hub: SyncHub, kind: Kind) -> None:
    hub.dispatcher(kind).tick()
    hub.queues[kind].take()
    hub.now += LOST_AFTER_SECONDS
    assert hub.dispatcher(kind).tick() == {"started": 0, "nudged": 1, "seen": 1, "unreadable": 0}
    assert (hub.work(kind).status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))


class Watched:
    """A table that tells which writes were begun after a certain moment."""

    def __init__(self, table: Table) -> None:
        self._table, self.late, self.over = table, list[str](), False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._table, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if self.over and name in {"put", "write", "transact", "delete"}:
                self.late.append(name)
            return method(*args, **kwargs)

        return call


@KINDS
@pytest.mark.parametrize("at", [2, 6, 11])
def test_a_worker_that_overslept_its_lease_writes_nothing_more(hub: SyncHub, kind: Kind, at: int) -> None:
    message = requested(hub, kind)
    rows, alone = Watched(hub.rows[kind]), len(hub.requests)
    slow = {id(hub.rows[kind]): rows}

    def take_over(request: httpx.Request) -> httpx.Request:
        if len(hub.requests) - alone == at and not rows.over:
            hub.now += LEASE_SECONDS
            hub.view, hub.watch = (lambda table: table), (lambda request: request)
            heir = threading.Thread(target=lambda: hub.engine(kind).handle(message, remaining=hub.remaining))
            heir.start()
            heir.join()
            rows.over = True
        return request

    hub.view = lambda table: slow.get(id(table), table)
    hub.watch = take_over
    hub.engine(kind).handle(message, remaining=hub.remaining)
    assert rows.over
    # What had asked for the lease just before may still be on its way; whoever asks afterwards writes nothing.
    assert len(rows.late) <= MOST_ON_THE_WAY
    run = hub.run(kind)
    assert (run.status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))
    assert hub.work(kind) == run


@KINDS
def test_an_integration_deleted_during_its_run_stays_deleted(hub: SyncHub, kind: Kind) -> None:
    message = requested(hub, kind)
    rows = Watched(hub.rows[kind])
    whole = id(hub.rows[kind])

    def delete_run(request: httpx.Request) -> httpx.Request:
        if len(hub.requests) == 6:
            hub.service.delete(ID)
            rows.over = True
        return request

    hub.view = lambda table: rows if id(table) == whole else table
    hub.watch = delete_run
    hub.engine(kind).handle(message, remaining=hub.remaining)
    # What had asked for the lease just before may still be on its way; the purge comes behind it and takes it, too.
    assert len(rows.late) <= MOST_ON_THE_WAY
    assert hub.run(kind).version == 0
    assert {sent["purge"] for sent in hub.queues[kind].bodies} == {ID}
