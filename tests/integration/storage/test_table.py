from collections.abc import Callable
from typing import Any

import pytest

from gitlab_hub.storage.ports import (
    ABSENT,
    PRESENT,
    Check,
    Condition,
    ConditionFailed,
    Delete,
    Item,
    Put,
    StorageRefused,
    Table,
)
from tests.fakes.threads import together
from tests.integration.storage.backends import Stores


@pytest.fixture
def table(stores: Stores) -> Table:
    return stores.table


def row(sk: str, **more: object) -> Item:
    return {"pk": "p", "sk": sk, **more}


def keys(table: Table, **how: Any) -> list[str]:
    return [item["sk"] for item in table.query("p", **how).items]


def test_every_kind_of_value_comes_back_as_it_was(table: Table) -> None:
    item = row(
        "a", text="ä€😀", empty="", number=-(10**37), yes=True, one=1, none=None, data=b"\0\xff", size="reserved word",
        deep={"list": [1, "x", None, [True]], "empty": {}, "none": []},
    )  # fmt: skip
    table.put(item)
    assert table.get("p", "a") == item
    assert [type(value) for value in (table.get("p", "a") or {}).values()] == [type(value) for value in item.values()]


def test_a_missing_item_is_none(table: Table) -> None:
    assert table.get("p", "nothing") is None


@pytest.mark.parametrize("value", [1.5, {1, 2}, (1,), object(), [1.0], {"a": 0.1}, "\ud800", 10**38, {1: 2}])
def test_what_would_not_come_back_the_same_is_refused(table: Table, value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        table.put(row("a", value=value))


def test_what_is_given_out_is_a_copy(table: Table) -> None:
    item = row("a", names=["x"])
    table.put(item)
    item["names"].append("y")
    (table.get("p", "a") or {})["names"].append("z")
    assert table.get("p", "a") == row("a", names=["x"])


def test_absent_lets_only_the_first_write_through(table: Table) -> None:
    table.put(row("a", n=1), ABSENT)
    with pytest.raises(ConditionFailed):
        table.put(row("a", n=2), ABSENT)
    assert table.get("p", "a") == row("a", n=1)


@pytest.mark.parametrize("way", ["put", "write", "transact"])
def test_an_item_of_more_than_400_kb_is_refused_for_good(table: Table, way: str) -> None:
    # Each part is as large as an item may be, so that the backends need not count alike.
    item = row("a", data=b"x" * 300_000, text="y" * 120_000)
    ways: dict[str, Callable[[], None]] = {
        "put": lambda: table.put(item),
        "write": lambda: table.write([item]),
        "transact": lambda: table.transact([Put(item)]),
    }
    with pytest.raises(StorageRefused):
        ways[way]()
    assert table.get("p", "a") is None


def test_an_attribute_that_has_to_be_missing_is_missing_from_what_is_not_there(table: Table) -> None:
    without = Condition(lacks=("hash",))
    table.transact([Put(row("a", n=1), without)])
    table.put(row("a", hash="h"), without)
    with pytest.raises(ConditionFailed):
        table.put(row("a", n=3), without)
    with pytest.raises(ConditionFailed):
        table.transact([Delete(("p", "a"), without), Check(("p", "b"), without)])
    assert table.get("p", "a") == row("a", hash="h")


def test_the_same_write_again_is_taken_for_a_lost_answer(table: Table) -> None:
    table.put(row("a", n=1), ABSENT)
    table.put(row("a", n=1), ABSENT)
    table.put(row("a", n=1, owner="me"), Condition(equals={"n": 1}))
    table.put(row("a", n=1, owner="me"), Condition(equals={"owner": "somebody"}))
    assert table.get("p", "a") == row("a", n=1, owner="me")


def test_present_does_not_make_an_item(table: Table) -> None:
    with pytest.raises(ConditionFailed):
        table.put(row("a"), PRESENT)
    assert table.get("p", "a") is None


@pytest.mark.parametrize(
    ("equals", "holds"),
    [
        ({"n": 1}, True), ({"n": 1, "s": "x"}, True), ({"none": None}, True), ({"data": b"\1"}, True),
        ({"n": 2}, False), ({"n": "1"}, False), ({"n": True}, False), ({"n": 1, "s": "y"}, False),
        ({"missing": None}, False), ({"missing": 1}, False),
    ],
)  # fmt: skip
def test_equals_compares_value_and_type(stores: Stores, equals: Item, holds: bool) -> None:
    if stores.name == "moto" and not holds and any(value is None or value is True for value in equals.values()):
        pytest.skip("moto takes 1 for true, and what is missing for null")
    table = stores.table
    table.put(row("a", n=1, s="x", none=None, data=b"\1"))
    try:
        table.put(row("a", n=9), Condition(equals=equals))
    except ConditionFailed:
        assert not holds
    else:
        assert holds


def test_equals_fails_where_there_is_no_item(table: Table) -> None:
    with pytest.raises(ConditionFailed):
        table.put(row("a", n=1), Condition(equals={"n": 1}))


def test_delete_keeps_to_its_condition(table: Table) -> None:
    table.put(row("a", n=1))
    with pytest.raises(ConditionFailed):
        table.delete("p", "a", Condition(equals={"n": 2}))
    table.delete("p", "a", Condition(equals={"n": 1}))
    table.delete("p", "a")
    with pytest.raises(ConditionFailed):
        table.delete("p", "a", PRESENT)


def test_batches_have_no_limit_and_no_trouble_with_repeated_keys(table: Table) -> None:
    table.write([row(f"{n:03}", n=n) for n in range(120)] + [row("000", n=500)], [("p", "001"), ("p", "001")])
    found = table.get_many([("p", f"{n:03}") for n in range(130)] * 2)
    assert len(found) == 119
    assert {item["n"] for item in found} == {*range(2, 120), 500}


def test_get_many_reads_only_what_is_named(table: Table) -> None:
    table.put(row("a", size=1, name="x"))
    assert table.get_many([("p", "a")], attributes=["size", "sk"]) == [{"sk": "a", "size": 1}]
    assert table.get_many([]) == []


def test_a_transaction_does_all_or_nothing(table: Table) -> None:
    table.put(row("lease", fence=1))
    table.transact(
        [Put(row("a"), ABSENT), Delete(("p", "gone")), Check(("p", "lease"), Condition(equals={"fence": 1}))]
    )
    with pytest.raises(ConditionFailed):
        table.transact([Put(row("b")), Delete(("p", "a")), Check(("p", "lease"), Condition(equals={"fence": 2}))])
    assert keys(table) == ["a", "lease"]


def test_a_transaction_has_its_limits(table: Table) -> None:
    with pytest.raises(ValueError, match="100"):
        table.transact([Put(row(str(n))) for n in range(101)])
    with pytest.raises(ValueError, match="1 to 100"):
        table.transact([])
    table.transact([Put(row(f"{n:03}")) for n in range(100)])
    assert len(keys(table)) == 100


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, "a a#1 a#2 a#3 b c"),
        ({"prefix": "a#"}, "a#1 a#2 a#3"),
        ({"after": "a#1"}, "a#2 a#3 b c"),
        ({"after": "a#1x"}, "a#2 a#3 b c"),
        ({"prefix": "a#", "after": "a#1"}, "a#2 a#3"),
        ({"prefix": "a#", "after": "0"}, "a#1 a#2 a#3"),
        ({"prefix": "a#", "after": "b"}, ""),
        ({"until": "a#2"}, "a a#1 a#2"),
        ({"after": "a", "until": "b"}, "a#1 a#2 a#3 b"),
        ({"prefix": "a#", "until": "a#2"}, "a#1 a#2"),
        ({"after": "c", "until": "b"}, ""),
        ({"limit": 2}, "a a#1"),
        ({"forward": False}, "c b a#3 a#2 a#1 a"),
        ({"forward": False, "after": "b"}, "a#3 a#2 a#1 a"),
        ({"forward": False, "after": "b", "limit": 2}, "a#3 a#2"),
        ({"forward": False, "prefix": "a#", "after": "a#3"}, "a#2 a#1"),
        ({"forward": False, "prefix": "a#", "after": "z", "limit": 1}, "a#3"),
        ({"forward": False, "until": "a#2"}, "c b a#3 a#2"),
        ({"forward": False, "after": "c", "until": "a#3"}, "b a#3"),
        ({"prefix": "nothing"}, ""),
    ],
)
def test_a_query_keeps_to_its_bounds(table: Table, how: dict[str, Any], expected: str) -> None:
    table.write([row(sk) for sk in ("c", "a#3", "a", "b", "a#1", "a#2")] + [{"pk": "other", "sk": "a#2"}])
    assert keys(table, **how) == expected.split()


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_join_without_gap_or_repetition(table: Table, limit: int, forward: bool) -> None:
    names = ["x#1", "x#10", "x#2", "x#ä", "x#😀", "x#￿", "x#"]
    table.write([row(sk) for sk in (*names, "w", "y")])
    seen, pages, after = [], 0, None
    while pages == 0 or after is not None:
        rows = table.query("p", prefix="x#", after=after, limit=limit, forward=forward)
        seen += [item["sk"] for item in rows.items]
        after, pages = (rows.last[1] if rows.last else None), pages + 1
    assert seen == sorted(names, reverse=not forward)
    assert pages == -(-len(names) // limit)


def test_an_index_is_sparse_and_sorted_by_its_own_key(table: Table) -> None:
    table.write(
        [row(sk, by_change_pk="i1", by_change_sk=changed, n=1) for sk, changed in (("a", "3"), ("b", "1"), ("c", "2"))]
        + [row("d"), row("e", by_change_pk="i2", by_change_sk="1")]
    )
    rows = table.query("i1", index="by_change", limit=2)
    assert [item["sk"] for item in rows.items] == ["b", "c"]
    assert rows.last == ("i1", "2")
    rest = table.query("i1", index="by_change", after="2", attributes=["sk"])
    assert (rest.items, rest.last) == ([{"sk": "a"}], None)


def test_a_page_names_where_it_ended_even_where_the_sort_key_is_not_shown(table: Table) -> None:
    table.write([row(sk, size=1) for sk in "abc"])
    rows = table.query("p", limit=2, attributes=["size"])
    assert (rows.items, rows.last) == ([{"size": 1}, {"size": 1}], ("p", "b"))


def test_a_large_partition_comes_in_pages_of_its_own(table: Table, stores: Stores) -> None:
    table.write([row(f"{n:02}", data=b"x" * 300_000) for n in range(6)])
    seen, after = [], None
    while True:
        rows = table.query("p", after=after)
        seen += [item["sk"] for item in rows.items]
        if rows.last is None:
            break
        after = rows.last[1]
    assert seen == [f"{n:02}" for n in range(6)]


@pytest.mark.parametrize("sk", ["", None, 5])
def test_a_key_is_a_text(table: Table, sk: object) -> None:
    with pytest.raises(Exception, match=r"."):
        table.put({"pk": "p", "sk": sk})


def test_one_of_many_concurrent_writers_wins(stores: Stores) -> None:
    if stores.name == "moto":
        pytest.skip("moto decides conditions without a lock")
    claim: Callable[[int], None] = lambda n: stores.table.put(row("lease", owner=n), ABSENT)  # noqa: E731 used once
    results = together(12, claim)
    assert results.count(None) == 1
    assert sum(isinstance(result, ConditionFailed) for result in results) == 11


def test_concurrent_transactions_count_exactly(stores: Stores) -> None:
    if stores.name == "moto":
        pytest.skip("moto decides conditions without a lock")
    stores.table.put(row("count", n=0))

    def add(_: int) -> int:
        tries = 0
        while True:
            tries += 1
            n = (stores.table.get("p", "count") or {})["n"]
            try:
                stores.table.transact([Put(row("count", n=n + 1), Condition(equals={"n": n}))])
            except ConditionFailed:
                continue
            return tries

    assert all(isinstance(result, int) for result in together(8, add))
    assert stores.table.get("p", "count") == row("count", n=8)
