"""A project that deploys a hundred times a day has tens of thousands of deployments in the time that is counted."""

import random
import tracemalloc
from collections.abc import Iterator

import pytest

from gitlab_hub.pipelines.deployments import counting
from gitlab_hub.pipelines.deployments.history import History
from gitlab_hub.pipelines.deployments.state import DAY
from gitlab_hub.pipelines.deployments.store import COUNTED, DeploymentStore
from gitlab_hub.storage.ports import Item
from tests.fakes.table import MemoryTable

NOW = 1_790_000_000
ENVIRONMENTS: dict[int, Item] = {4: {"id": 4, "tier": "production"}, 6: {"id": 6, "tier": "staging"}}


def stored(number: int, *, where: int = 4, at: int = NOW, merged: int | None = 20) -> Item:
    """A deployment as its row is stored; `merged`: of how many merge requests it is known when they were merged."""
    known = {} if merged is None else {"merged": [at - 60 * one for one in range(merged)]}
    texts = {"environment": f"e{where}", "ref": "main", "username": "ada", "sha": f"{number:040x}", "hash": "h" * 24}
    numbers = {"id": number, "iid": number, "project_id": 1, "environment_id": where, "job_id": number}
    moments = {"created_at": at - 60, "updated_at": at, "finished_at": at, "changed_at": at * 1000}
    return {**texts, **numbers, **moments, **known, "status": "success", "pipeline_id": number, "schema_version": 1}


def taken(pages: Iterator[list[Item]] | list[list[Item]], *, since: int = NOW) -> History:
    history = History(ENVIRONMENTS, merged_from=since)
    for page in pages:
        history.add(page, now=NOW)
    return history


def test_a_long_history_is_not_held_whole() -> None:
    """270 days of ten deployments, of which one goes to production."""

    def pages() -> Iterator[list[Item]]:
        for day in range(270):
            yield [
                stored(day * 10 + number, where=4 if number < 1 else 6, at=NOW - day * DAY + number, merged=60)
                for number in range(10)
            ]

    tracemalloc.start()
    history = taken(pages())
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(len(some) for some in history.by_environment.values()) == 270
    assert peak < 500_000, f"{held:,} bytes held, {peak:,} at most"


def test_only_what_counts_is_read_and_page_by_page() -> None:
    table = MemoryTable(page_bytes=20_000)
    store = DeploymentStore(table, "i1")
    about = {"pk": "i1#deployments#1", "schema_version": 1}
    store.put({**about, "sk": f"{one:012d}", **stored(one, at=NOW - one)} for one in range(1, 200))
    table.bill.clear()
    pages = store.since(1, NOW - DAY)
    first = next(pages)
    assert (table.bill["requests"], {*first[0]} <= {*COUNTED}) == (1, True)
    assert len(first) + sum(len(page) for page in pages) == 199
    assert table.bill["requests"] > 3


def test_reading_ends_where_all_that_follows_is_too_old() -> None:
    table = MemoryTable(page_bytes=20_000)
    store = DeploymentStore(table, "i1")
    about = {"pk": "i1#deployments#1", "schema_version": 1}
    store.put({**about, "sk": f"{one:012d}", **stored(one, at=NOW - (200 - one) * 10 * DAY)} for one in range(1, 200))
    table.bill.clear()
    found = [row["id"] for page in store.since(1, NOW - 180 * DAY) for row in page]
    assert (found, table.bill["requests"]) == ([*range(199, 173, -1)], 1)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_left_out_changes_no_count(seed: int) -> None:
    """Against all rows at once, whatever is known of merge requests and environments when they are read."""
    chance = random.Random(seed)  # noqa: S311 - a test
    rows = [
        stored(number, where=chance.choice([4, 4, 5, 6]), at=NOW - chance.randrange(300 * DAY),
               merged=chance.choice([None, 0, 3])) | {"status": chance.choice(["success", "failed", "canceled"])}
        for number in range(80)
    ]  # fmt: skip
    since = NOW - chance.randrange(100 * DAY)
    known: dict[int, Item] = {**ENVIRONMENTS, 5: {"id": 5, "tier": "production"}}
    history = taken([rows[start : start + 7] for start in range(0, len(rows), 7)], since=since)
    lean = counting.counted(history.in_production(known), known, since)
    assert lean == counting.counted(counting.ended(rows, known), known, since)
