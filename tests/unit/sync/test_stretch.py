"""Rows that lie beside each other are read beside each other: by its key each would cost a read unit of its own."""

from collections.abc import Sequence

import pytest

from gitlab_hub.storage.ports import Item, Key
from gitlab_hub.sync.table_rows import HASH, PASSED_OVER, TableRows, stretch
from tests.fakes.table import MemoryTable


class ByKey(MemoryTable):
    """A table that counts what was asked for by its key."""

    asked = 0

    def get_many(self, keys: Sequence[Key], *, attributes: Sequence[str] = ()) -> list[Item]:
        self.asked += len(keys)
        return super().get_many(keys, attributes=attributes)


def filled(rows: int, page_bytes: int = 1_000_000) -> ByKey:
    table = ByKey(page_bytes=page_bytes)
    table.write({"pk": "p", "sk": f"{n:05}", "size": n} for n in range(rows))
    return table


def keys(*numbers: int) -> list[Key]:
    return [("p", f"{number:05}") for number in numbers]


def test_a_page_of_a_list_by_id_is_read_in_one_stretch() -> None:
    table = filled(500)
    found = stretch(table, keys(*range(100, 200)), attributes=("sk", "size"))
    assert [item["size"] for item in found] == list(range(100, 200))
    assert (table.asked, table.bill["requests"]) == (1, 2)


@pytest.mark.parametrize("page_bytes", [1_000_000, 300])
def test_keys_far_apart_are_all_found_and_little_is_passed_over(page_bytes: int) -> None:
    wanted = (3, 4, 900, 1_700, 2_500, 4_999)
    table = filled(5_000, page_bytes)
    assert sorted(item["size"] for item in stretch(table, keys(*wanted))) == list(wanted)
    assert table.bill["items"] <= (PASSED_OVER + 1) * len(wanted)


def test_what_is_not_there_is_left_out() -> None:
    assert stretch(filled(10), []) == []
    assert stretch(filled(10), keys(77)) == []
    assert [item["sk"] for item in stretch(filled(10), keys(5, 77, 78))] == ["00005"]
    assert [item["sk"] for item in stretch(filled(10), [("p", "00001x"), ("p", "00004")])] == ["00004"]


def grants(table: MemoryTable, sizes: dict[str, int]) -> TableRows:
    """Rows in scopes of these sizes, and one that has no hash."""
    table.write(
        {"pk": "p", "sk": f"{scope}#{n:05}", HASH: f"{scope}{n}"} for scope in sizes for n in range(sizes[scope])
    )
    table.put({"pk": "p", "sk": "a#99999"})
    return TableRows(
        table,
        key=lambda scope, key: ("p", f"{scope}#{key}"),
        scope_range=lambda scope: ("p", f"{scope}#"),
        row_key=lambda sk: sk.rpartition("#")[2],
    )


@pytest.mark.parametrize("page_bytes", [1_000_000, 300])
@pytest.mark.parametrize("sizes", [{"a": 2, "b": 0, "c": 3, "d": 1}, {"a": 1, "b": 40, "c": 1, "d": 2}])
def test_scopes_that_were_looked_ahead_at_say_what_they_say_by_themselves(
    sizes: dict[str, int], page_bytes: int
) -> None:
    table = MemoryTable(page_bytes=page_bytes)
    rows = grants(table, sizes)
    alone = {scope: list(rows.stored(scope)) for scope in sizes}
    assert {scope: len(found) for scope, found in alone.items()} == sizes
    rows.look_ahead(list(sizes))
    assert {scope: list(rows.stored(scope)) for scope in sizes} == alone


def test_small_scopes_are_read_together_and_each_but_once() -> None:
    table = MemoryTable()
    rows = grants(table, {"a": 2, "b": 0, "c": 3})
    table.bill.clear()
    rows.look_ahead(["a", "b", "c"])
    assert [len(list(rows.stored(scope))) for scope in "abc"] == [2, 0, 3]
    assert table.bill["requests"] == 1
    table.put({"pk": "p", "sk": "a#00007", HASH: "new"})
    assert ("00007", "new") in list(rows.stored("a"))


def test_what_was_looked_ahead_at_before_is_forgotten() -> None:
    table = MemoryTable()
    rows = grants(table, {"a": 2})
    rows.look_ahead(["a"])
    table.delete("p", "a#00000")
    rows.look_ahead([])
    assert [key for key, _ in rows.stored("a")] == ["00001"]
