"""A worker's memory does not grow with the estate: pages go to storage as they come."""

import gc
import tracemalloc
from collections.abc import Iterator, Sequence

import pytest

from gitlab_hub.storage.ports import Check, Delete, Put
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running, running
from tests.fakes.sync_worker import SyncHub
from tests.fakes.table import MemoryTable
from tests.integration.sync.conftest import EPOCH

USERS = 4_000
MOST_BYTES = 8_000_000
"""Held as pages, so many users are 20 MB; what a run must know of them (their ids) is one."""


class Sink(MemoryTable):
    """A table that only counts what is written: storage is not the worker's memory."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0

    def transact(self, actions: Sequence[Put | Delete | Check]) -> None:
        """Count, and keep nothing but groups and projects, which later stages list."""
        self.written += sum(isinstance(action, Put) for action in actions)
        super().transact([action for action in actions if not _is_large(action)])


def _is_large(action: Put | Delete | Check) -> bool:
    return isinstance(action, Put) and any(name in action.item["pk"] for name in ("#accounts", "#grants#"))


@pytest.fixture(scope="module")
def large() -> Iterator[Running]:
    with running(
        "--frozen", "--epoch", EPOCH, "--users", str(USERS), "--groups", "2", "--projects", "2", "--pipelines", "0"
    ) as stand_in:
        yield stand_in


def test_a_long_list_is_never_held(large: Running) -> None:
    hub = SyncHub(large)
    sink = Sink()
    hub.rows[Kind.ACCESS] = sink
    gc.collect()
    tracemalloc.start()
    try:
        run = hub.sync(Kind.ACCESS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (run.status, run.counts["accounts"]) == (RunStatus.IDLE, len(large.truth("users")))
    assert sink.written >= USERS
    assert peak < MOST_BYTES
