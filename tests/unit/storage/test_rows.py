"""A partition is read to its end, and no further than it is asked for; a write says whether it was made."""

from itertools import islice

from gitlab_hub.storage.rows import at_version, is_written, query_all, query_pages
from tests.fakes.counting_table import CountedTable
from tests.fakes.table import MemoryTable

KEYS = [f"ROW#{number}" for number in range(5)]


def test_pages_follow_each_other_to_the_end_and_keep_what_was_asked() -> None:
    table = MemoryTable()
    table.write(puts=[{"pk": "p", "sk": sk, "more": 1} for sk in [*KEYS, "Z"]])

    pages = query_pages(table, "p", prefix="ROW#", after="ROW#0", limit=2, attributes=("sk",))

    assert [page for page in pages if page] == [
        [{"sk": "ROW#1"}, {"sk": "ROW#2"}],
        [{"sk": "ROW#3"}, {"sk": "ROW#4"}],
    ]
    assert [item["sk"] for item in query_all(table, "p", until="ROW#3", forward=True, limit=1)] == KEYS[:4]
    assert list(query_all(table, "other")) == []


def test_a_page_that_nobody_asks_for_is_not_read() -> None:
    table = CountedTable(MemoryTable())
    table.write(puts=[{"pk": "p", "sk": sk} for sk in KEYS])

    assert [item["sk"] for item in islice(query_all(table, "p", limit=2), 2)] == KEYS[:2]
    assert table.reads["query"] == 1


def test_a_write_says_whether_the_row_was_as_expected() -> None:
    table = MemoryTable()
    row = {"pk": "p", "sk": "s", "version": 1}

    assert is_written(table.put, row, at_version(0))
    assert not is_written(table.put, row | {"mine": True}, at_version(0))
    assert not is_written(table.put, row | {"version": 3}, at_version(2))
    assert is_written(table.put, row | {"version": 2}, at_version(1))
    assert table.get("p", "s") == row | {"version": 2}
