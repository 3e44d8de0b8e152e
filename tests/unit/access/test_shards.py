"""Where rows lie, and how they are read from there, in the form of today and in that of the release before."""

from collections import Counter
from collections.abc import Sequence

import pytest

from gitlab_hub.access.shards import SHARDS, FormerRows, ShardReader, Shards
from gitlab_hub.storage.ports import Check, ConditionFailed, Delete, Item, Put
from gitlab_hub.sync.errors import Overtaken
from gitlab_hub.sync.table_rows import HASH
from tests.fakes.table import MemoryTable

GRANTS = Shards("i1", "grants")
SCOPES = [f"project#{number:012}" for number in range(40)]


def row(scope: str, key: str, *, former: bool) -> Item:
    pk, sk = (GRANTS.former, f"{scope}#{key}") if former else GRANTS.key(scope, key)
    return {"pk": pk, "sk": sk, HASH: f"h{key}"}


def filled(*, former: bool) -> MemoryTable:
    table = MemoryTable()
    table.write(row(scope, key, former=former) for scope in SCOPES for key in ("1", "2", "3"))
    return table


def read(table: MemoryTable, limit: int, after: str | None = None) -> list[str]:
    """All rows, in pages of a size; each page begins anew with what the position says."""
    found: list[str] = []
    while True:
        rows = ShardReader(table).listing(GRANTS).query(after, limit)
        found += [item["sk"] for item in rows.items]
        if rows.last is None:
            return found
        after = rows.last[1]


EVERY = sorted(f"{scope}#{key}" for scope in SCOPES for key in ("1", "2", "3"))


def test_a_scope_has_the_place_that_earlier_releases_gave_it() -> None:
    places = {scope: GRANTS.of(scope) for scope in ("group#000000000001", "project#000000000008")}
    assert places == {"group#000000000001": "i1#grants#11", "project#000000000008": "i1#grants#09"}


def test_scopes_are_shared_out_evenly() -> None:
    counts = Counter(GRANTS.of(f"project#{number:012}") for number in range(16_000))
    assert sorted(counts) == GRANTS.every
    assert len(GRANTS.every) == SHARDS
    assert 800 < min(counts.values()) <= max(counts.values()) < 1_200


def test_a_partition_belongs_to_one_collection() -> None:
    assert GRANTS.holds(GRANTS.former)
    assert all(GRANTS.holds(pk) for pk in GRANTS.every)
    assert not any(GRANTS.holds(pk) for pk in ("i1#outside_grants", "i1#grants_of", "i11#grants", "i1#invitations#03"))


@pytest.mark.parametrize("limit", [1, 2, 7, 500])
@pytest.mark.parametrize("former", [True, False])
def test_every_row_is_listed_once(*, former: bool, limit: int) -> None:
    found = read(filled(former=former), limit)
    assert sorted(found) == EVERY
    scopes = [sk.rpartition("#")[0] for sk in found]
    begins = [one for one, before in zip(scopes, ["", *scopes], strict=False) if one != before]
    assert len(begins) == len(SCOPES), "what is about one project stands together"


def test_a_position_of_the_release_before_goes_on_where_it_was() -> None:
    assert read(filled(former=True), 10, after=EVERY[59]) == EVERY[60:]


def test_rows_that_move_while_they_are_listed_are_not_missed() -> None:
    table = filled(former=True)
    first = ShardReader(table).listing(GRANTS).query(None, 50)
    assert first.last is not None
    FormerRows(table, GRANTS).move_all()
    rest = read(table, 50, after=first.last[1])
    assert sorted({item["sk"] for item in first.items} | set(rest)) == EVERY


def test_rows_that_move_under_one_reading_are_taken_once() -> None:
    table = filled(former=True)
    pages = ShardReader(table).pages(GRANTS, "pk")
    found = [item["sk"] for item in next(pages)]
    FormerRows(table, GRANTS).move_all()
    found += [item["sk"] for page in pages for item in page]
    assert sorted(found) == EVERY


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_a_scope_of_which_some_rows_have_moved_reads_as_one(limit: int) -> None:
    table, scope = filled(former=True), SCOPES[5]
    table.put(row(scope, "2", former=False) | {"level": 40})
    table.put(row(scope, "4", former=False))
    found: list[Item] = []
    reader, after = ShardReader(table), None
    while True:
        rows = reader.page(GRANTS, scope, prefix=f"{scope}#", after=after, limit=limit)
        found += rows.items
        if rows.last is None:
            break
        after = rows.last[1]
    assert [(item["sk"][-1], item.get("level")) for item in found] == [("1", None), ("2", 40), ("3", None), ("4", None)]
    many = reader.get_many(GRANTS, [(scope, key) for key in ("1", "2", "4", "5")])
    assert {item["sk"][-1]: item.get("level") for item in many} == {"1": None, "2": 40, "4": None}


def test_reading_one_scope_reads_one_partition_once_the_former_one_is_known_to_be_empty() -> None:
    table, now = filled(former=False), [0.0]
    reader = ShardReader(table, clock=lambda: now[0])
    list(reader.of_scope(GRANTS, SCOPES[0], after=None, limit=50))
    table.bill.clear()
    assert len(list(reader.of_scope(GRANTS, SCOPES[1], after=None, limit=50))) == 3
    assert table.bill == {"requests": 1, "items": 3}
    # A worker of the release before may go on for a while.
    table.put(row(SCOPES[2], "9", former=True))
    now[0] += 61
    assert len(list(reader.of_scope(GRANTS, SCOPES[2], after=None, limit=50))) == 4


def test_moving_keeps_every_attribute_and_leaves_nothing_behind() -> None:
    table = filled(former=True)
    before = {item["sk"]: {**item, "pk": ""} for item in table.dump()}
    former = FormerRows(table, GRANTS)
    former.move(SCOPES[3:5])
    assert len(table.query(GRANTS.former).items) == len(EVERY) - 6
    former.move_all()
    assert table.query(GRANTS.former).items == []
    assert {item["sk"]: {**item, "pk": ""} for item in table.dump()} == before
    assert all(item["pk"] == GRANTS.of(item["sk"].rpartition("#")[0]) for item in table.dump())


def test_what_was_written_since_is_not_replaced_by_what_the_release_before_has_left() -> None:
    table = filled(former=True)
    table.put(row(SCOPES[0], "1", former=False) | {"level": 40})
    FormerRows(table, GRANTS).move_all()
    assert table.get(*GRANTS.key(SCOPES[0], "1")) == row(SCOPES[0], "1", former=False) | {"level": 40}
    assert table.query(GRANTS.former).items == []


class Contested(MemoryTable):
    """A table in which a rival comes first, some times."""

    rivals = 0

    def transact(self, actions: Sequence[Put | Delete | Check]) -> None:
        if self.rivals:
            self.rivals -= 1
            raise ConditionFailed
        super().transact(actions)


@pytest.mark.parametrize(("rivals", "moved"), [(1, True), (4, True), (100, False)])
def test_a_rival_is_given_way_to_a_few_times(rivals: int, *, moved: bool) -> None:
    table = Contested()
    table.put(row(SCOPES[0], "1", former=True))
    table.rivals = rivals
    if moved:
        FormerRows(table, GRANTS).move_all()
    else:
        with pytest.raises(Overtaken):
            FormerRows(table, GRANTS).move([SCOPES[0]])
    assert (table.get(*GRANTS.key(SCOPES[0], "1")) is not None) is moved
