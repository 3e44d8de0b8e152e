"""Two workers that store one pipeline: only who knows what is stored may replace it."""

from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.pipelines.freshness import StoredPipeline
from gitlab_hub.pipelines.store import PipelineStore, unpack
from gitlab_hub.storage.ports import ConditionFailed, Item
from tests.unit.pipelines.pipelines_sync import CountingTable
from tests.unit.pipelines.test_pipeline_store import JOBS, PK, copy, known, row


@pytest.fixture
def table() -> CountingTable:
    return CountingTable()


@pytest.fixture
def store(table: CountingTable) -> PipelineStore:
    return PipelineStore(table, "i1")


def found(store: PipelineStore) -> StoredPipeline:
    """What is known of the pipeline, which is stored."""
    one = known(store)
    assert one is not None
    return one


def names(table: CountingTable) -> list[Any]:
    return [job["name"] for chunk in table.query(JOBS).items for job in unpack(chunk["data"])]


def test_a_pipeline_that_is_there_already_is_not_taken_for_new(store: PipelineStore, table: CountingTable) -> None:
    store.save(copy(status="success"), None, now=1)
    with pytest.raises(ConditionFailed):
        store.save(copy(status="running"), None, now=2)
    assert row(table)["status"] == "success"


def test_a_row_that_has_moved_on_is_left_alone(store: PipelineStore, table: CountingTable) -> None:
    store.save(copy(status="running"), None, now=1)
    before = found(store)
    store.save(copy(status="success"), before, now=2, hinted=True)
    with pytest.raises(ConditionFailed):
        store.save(copy(status="failed"), before, now=3)
    assert row(table)["status"] == "success"


def test_a_row_that_was_written_again_as_it_was_has_moved_on_too(store: PipelineStore) -> None:
    store.save(copy(), None, now=1)
    before = found(store)
    store.save(copy(), before, now=2, hinted=True)
    after = found(store)
    assert replace(after, hinted=False, written_at=before.written_at) == before
    with pytest.raises(ConditionFailed):
        store.save(copy(status="failed"), before, now=3)


def test_a_pipeline_of_an_earlier_release_is_replaced_like_any_other(
    store: PipelineStore, table: CountingTable
) -> None:
    store.save(copy(status="running"), None, now=1)
    old: Item = {name: value for name, value in row(table).items() if name not in {"hinted", "written_at"}}
    table.put(old)
    before = found(store)
    assert (before.hinted, before.written_at) == (False, None)
    assert not store.save(copy(status="running"), before, now=2), "nothing has changed"
    assert store.save(copy(status="success"), before, now=3)
    with pytest.raises(ConditionFailed):
        store.save(copy(status="failed"), before, now=4)


def test_a_hint_writes_all_of_a_pipeline_and_followers_see_no_change(
    store: PipelineStore, table: CountingTable
) -> None:
    store.save(copy(), None, now=1)
    [chunk] = table.query(JOBS).items
    table.put({**chunk, "data": b"of another writer"})
    assert not store.save(copy(), found(store), now=2, hinted=True)
    assert (names(table), row(table)["changed_at"], row(table)["hinted"]) == (["job 1"], 1, True)


def test_a_run_after_a_hint_writes_all_of_it_once_more_and_then_no_more(
    store: PipelineStore, table: CountingTable
) -> None:
    store.save(copy(), None, now=1, hinted=True)
    [chunk] = table.query(JOBS).items
    table.put({**chunk, "data": b"of another writer"})
    assert not store.save(copy(), found(store), now=2)
    assert (names(table), row(table)["changed_at"], row(table)["hinted"]) == (["job 1"], 1, False)
    table.written = 0
    assert not store.save(copy(), found(store), now=3)
    assert table.written == 0


def test_marks_of_writers_do_not_show(store: PipelineStore, table: CountingTable) -> None:
    store.save(copy(), None, now=1, hinted=True)
    assert row(table)["pk"] == PK
    body = unpack(row(table)["body"])
    assert not {"hinted", "written_at", "digest"} & body.keys()
