"""Kinds that one function works on: each message goes to its own engine, and a removal is asked for once."""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import pytest

from gitlab_hub.audit.log import AuditLog
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.rows import is_live
from gitlab_hub.storage.ports import UnknownMessage
from gitlab_hub.sync.due import delete_due_runs, due_subject, run_of_subject
from gitlab_hub.sync.engine import Engine
from gitlab_hub.sync.message import purge_message, work_message
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run
from gitlab_hub.sync.service import SyncService
from gitlab_hub.sync.store import RunStore
from gitlab_hub.sync.worker import PurgeBook, Purger, Worker
from tests.fakes.queue import MemoryQueue
from tests.fakes.table import MemoryTable

NOW = 1_000_000.0


class Heard:
    """Stands for an engine, and counts the messages that come to it."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()

    def handle(self, message: Mapping[str, Any], *, remaining: Any) -> None:
        self.kinds[message["kind"]] += 1
        assert remaining() > 0


def test_a_message_goes_to_the_engine_of_its_kind() -> None:
    table, queue = MemoryTable(), MemoryQueue()
    own, beside = Heard(), Heard()
    purger = Purger(areas=[], queue=queue, book=PurgeBook(table, Kind.ACCESS), now=lambda: NOW)
    worker = Worker(cast("Engine", own), purger, None, {str(Kind.CREDENTIALS): cast("Engine", beside)})
    for kind in (Kind.ACCESS, Kind.CREDENTIALS):
        worker(work_message(Run(integration_id="i1", kind=kind, sync_id="s1")), remaining=lambda: 60.0)
    assert (own.kinds, beside.kinds) == ({"access": 1}, {"credentials": 1})
    with pytest.raises(UnknownMessage):
        worker({"schema": 2, "kind": "credentials"}, remaining=lambda: 60.0)


def test_a_removal_is_asked_for_once_of_each_function() -> None:
    table, accounts, pipelines = MemoryTable(), MemoryQueue(), MemoryQueue()
    queues = {Kind.ACCESS: accounts, Kind.PIPELINES: pipelines, Kind.CREDENTIALS: accounts}
    service = SyncService(
        runs=RunStore(table), queues=queues, purges=partial(PurgeBook, table), audit=AuditLog(table, lambda: NOW),
        incidents=IncidentStore(table, lambda: NOW, is_live), now=lambda: NOW, new_id=lambda: "s1",
    )  # fmt: skip
    service.delete("i1")
    assert (accounts.take(), pipelines.take()) == ([purge_message("i1")], [purge_message("i1")])
    assert list(PurgeBook(table, Kind.CREDENTIALS).due(int(2 * NOW))) == []


@pytest.mark.parametrize("kind", list(Kind))
def test_a_look_names_its_run_and_goes_with_its_integration(kind: Kind) -> None:
    table = MemoryTable()
    subject = due_subject("int_0a", kind)
    assert run_of_subject(subject, kind.worked_with) == ("int_0a", kind)
    RunStore(table).save_all([Run(integration_id=one, kind=kind, sync_id="s1") for one in ("int_0a", "int_0ab")])
    delete_due_runs(table, "int_0a")
    left = [one.subject for page in RunStore(table).due(kind).pages(int(2 * NOW)) for one in page]
    assert left == [due_subject("int_0ab", kind)]


def test_a_look_at_a_kind_of_a_later_release_is_not_taken_for_another() -> None:
    assert run_of_subject("int_0a@unheard_of", Kind.ACCESS) == ("int_0a", None)
