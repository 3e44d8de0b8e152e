import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.pipelines.attempts import with_attempts
from gitlab_hub.pipelines.freshness import StoredPipeline
from gitlab_hub.pipelines.keys import changed_pk
from gitlab_hub.pipelines.model import job_of, pipeline_of
from gitlab_hub.pipelines.store import Copy, PipelineStore
from gitlab_hub.storage.ports import ConditionFailed, Item, Key
from gitlab_hub.storage.rows import Action, content_hash, key_of
from tests.unit.pipelines.pipelines_sync import CountingTable
from tests.unit.pipelines.source_model import job

PK, JOBS = "i1#pipelines#7", "i1#jobs#7"


def copy(*, jobs: int = 1, settled: bool = True, **fields: Any) -> Copy:
    body = {"id": 5, "status": "success", "created_at": "1970-01-01T00:00:09Z", "updated_at": "x", "ref": "main"}
    made = [job_of(job(number, f"job {number}", runner={"id": 1, "token": "no"})) for number in range(1, jobs + 1)]
    return Copy(pipeline=pipeline_of({**body, **fields}, 7), jobs=made, bridges=[], settled=settled)


@pytest.fixture
def table() -> CountingTable:
    return CountingTable()


@pytest.fixture
def store(table: CountingTable) -> PipelineStore:
    return PipelineStore(table, "i1")


def known(store: PipelineStore) -> StoredPipeline | None:
    return store.known(7, [5, 6]).get(5)


def row(table: CountingTable) -> Item:
    item = table.get(PK, "000000000005")
    assert item is not None
    return item


def test_rows_lie_where_others_look_for_them(store: PipelineStore, table: CountingTable) -> None:
    assert store.save(copy(), None, now=1_700_000_000_123)
    item = row(table)
    assert (item["by_change_pk"], item["by_change_sk"]) == ("i1", "1700000000123#000000000007#000000000005")
    assert (item["schema_version"], item["created_at"], item["ref"]) == (1, 9, "main")
    assert [item["sk"] for item in table.query(JOBS).items] == ["000000000005#jobs#000"]


def test_an_unchanged_pipeline_is_not_written(store: PipelineStore, table: CountingTable) -> None:
    store.save(copy(), None, now=1)
    table.written = 0
    assert not store.save(copy(), known(store), now=2)
    assert table.written == 0


def times_at(moment: str) -> dict[str, Any]:
    names = ("created_at", "started_at", "finished_at", "updated_at", "committed_at")
    return dict.fromkeys(names, f"2026-01-01T{moment}")


@pytest.mark.parametrize("moments", [("10:00:00.123Z", "10:00:00Z"), ("10:00:00Z", "10:00:00.123Z")])
def test_parts_of_seconds_are_no_change(store: PipelineStore, table: CountingTable, moments: tuple[str, str]) -> None:
    before, after = map(times_at, moments)
    store.save(copy(**before), None, now=1)
    table.written = 0
    assert not store.save(copy(**after), known(store), now=2)
    assert (table.written, row(table)["changed_at"]) == (0, 1)
    assert store.save(copy(**{**after, "finished_at": "2026-01-01T10:00:01Z"}), known(store), now=3)


def test_what_the_release_before_has_stored_is_no_change(store: PipelineStore, table: CountingTable) -> None:
    times = times_at("10:00:00.123Z")
    store.save(copy(**times), None, now=1)
    item, jobs = row(table), with_attempts(copy().jobs)
    body = {**copy(**times).pipeline, "job_count": 1, "bridge_count": 0, "failure_class": None}
    table.put({**item, "digest": content_hash({"pipeline": body, "jobs": jobs, "bridges": []})})
    table.written = 0
    assert row(table)["digest"] != item["digest"]
    assert not store.save(copy(**times), known(store), now=2)
    assert table.written == 0


def test_settling_alone_is_no_change_for_followers(store: PipelineStore, table: CountingTable) -> None:
    store.save(copy(settled=False), None, now=1)
    table.written = 0
    assert not store.save(copy(settled=True), known(store), now=2)
    assert (table.written, row(table)["changed_at"], row(table)["settled"]) == (1, 1, True)


@pytest.mark.parametrize("changed", [copy(jobs=2), copy(status="failed")])
def test_a_changed_pipeline_moves_in_the_feed(store: PipelineStore, table: CountingTable, changed: Copy) -> None:
    store.save(copy(), None, now=1)
    assert store.save(changed, known(store), now=2)
    assert row(table)["changed_at"] == 2


class Watching(CountingTable):
    """Remembers the partitions that every call wrote to."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[str]] = []

    def put(self, item: Item, *args: Any, **kwargs: Any) -> None:
        self.calls.append([item["pk"]])
        super().put(item, *args, **kwargs)

    def transact(self, actions: Sequence[Action]) -> None:
        self.calls.append([key_of(action)[0] for action in actions])
        super().transact(actions)


def test_a_pipeline_is_one_transaction_with_its_jobs_and_what_says_that_figures_are_late() -> None:
    table = Watching()
    PipelineStore(table, "i1").save(copy(), None, now=1)
    assert table.calls == [[PK, changed_pk("i1"), JOBS]]


def test_jobs_too_many_for_a_transaction_are_durable_before_the_pipeline_that_promises_them() -> None:
    table, chance = Watching(), random.Random(1)  # noqa: S311 - jobs that do not compress
    noise = [job_of(job(number, chance.randbytes(490).hex())) for number in range(1, 6_500)]
    large = replace(copy(), jobs=noise)
    PipelineStore(table, "i1").save(large, None, now=1)
    *chunks, last = table.calls
    assert last == [PK, changed_pk("i1")]
    assert {pk for call in chunks for pk in call} == {JOBS}


def test_whoever_comes_too_late_leaves_the_jobs_of_others_alone(store: PipelineStore, table: CountingTable) -> None:
    store.save(copy(jobs=2), None, now=1)
    before = table.query(JOBS).items
    with pytest.raises(ConditionFailed):
        store.save(copy(jobs=1), None, now=2)
    assert table.query(JOBS).items == before


def test_chunks_that_are_no_longer_needed_go(store: PipelineStore, table: CountingTable) -> None:
    store.save(copy(jobs=6000), None, now=1)
    assert len(table.query(JOBS).items) > 1
    store.save(copy(jobs=1), known(store), now=2)
    assert len(table.query(JOBS).items) == 1


class Overtaken(CountingTable):
    """Lets another writer in before whatever is removed by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] = lambda: None

    def write(self, puts: Iterable[Item] = (), deletes: Iterable[Key] = ()) -> None:
        gone = list(deletes)
        if gone:
            self.meanwhile()
        super().write(puts, gone)


def test_chunks_that_another_writer_needs_again_stay() -> None:
    table = Overtaken()
    store = PipelineStore(table, "i1")
    store.save(copy(jobs=1), None, now=1)
    # GitLab's answer is short for a moment, and whoever reads the pipeline next gets all of it.
    table.meanwhile = lambda: store.save(copy(jobs=1), known(store), now=3)
    store.save(copy(jobs=0), known(store), now=2, hinted=True)
    store.save(copy(jobs=1), known(store), now=4)
    promised = row(table)["job_chunks"]
    assert len(table.query(JOBS).items) == promised == 1


def test_a_pipeline_that_is_back_is_no_longer_deleted(store: PipelineStore, table: CountingTable) -> None:
    store.save(copy(), None, now=1)
    table.put({**row(table), "deleted_at_source": 77})
    assert store.save(copy(), known(store), now=2)
    assert row(table)["deleted_at_source"] is None
