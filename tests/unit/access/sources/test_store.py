"""What lists tell, read back account by account, however the rows fall on pages."""

import pytest

from gitlab_hub.access.model import Account
from gitlab_hub.access.sources.layers import place_of
from gitlab_hub.access.sources.store import READ, ListState, SourceStore, role_names
from gitlab_hub.gitlab.fields import padded
from tests.fakes.table import MemoryTable

SEATS, OTHER_SEATS, PROVIDER = (
    place_of("billable_members", 1),
    place_of("billable_members", 12),
    place_of("saml_users", 1),
)
TOLD = {SEATS: (1, 2, 3, 5, 8, 13), OTHER_SEATS: (2, 3, 4, 13, 14), PROVIDER: (8, 9)}


@pytest.fixture
def table() -> MemoryTable:
    return MemoryTable()


@pytest.fixture
def store(table: MemoryTable) -> SourceStore:
    made = SourceStore(table, "i1")
    for place, numbers in TOLD.items():
        made.put(place, {number: Account(id=number, username=f"u{number}") for number in numbers})
    return made


def every(store: SourceStore, limit: int) -> dict[int, set[str]]:
    """All accounts, page by page, each once."""
    found: dict[int, set[str]] = {}
    after: str | None = None
    while True:
        chunk = store.after(sorted(TOLD), after, limit)
        assert not found.keys() & chunk.told.keys()
        assert list(chunk.told) == sorted(chunk.told)
        found |= {number: set(told) for number, told in chunk.told.items()}
        if chunk.last is None:
            return found
        assert after is None or chunk.last > after
        after = chunk.last


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_every_account_comes_once_with_all_that_tells_of_it(store: SourceStore, limit: int) -> None:
    numbers = sorted({number for numbers in TOLD.values() for number in numbers})
    assert every(store, limit) == {
        number: {place for place, told in TOLD.items() if number in told} for number in numbers
    }


def test_what_is_told_comes_back_as_it_was_and_is_written_once(store: SourceStore) -> None:
    account = Account(id=1, username="u1", emails=[{"value": "a@x", "source": "account", "primary": True}])
    assert store.put(SEATS, {1: account}) == 1
    assert store.put(SEATS, {1: account}) == 0
    assert store.after([SEATS], None, 1).told == {1: {SEATS: account}}


def test_what_is_told_no_more_is_said_until_it_is_forgotten(store: SourceStore) -> None:
    assert store.told_of(PROVIDER) - {8} == {9}
    store.put(PROVIDER, {}, gone=[9])
    chunk = store.after([PROVIDER], None, 10)
    assert (chunk.told[9], len(chunk.gone), store.told_of(PROVIDER) - {8}) == ({}, 1, set())
    store.delete(chunk.gone)
    assert 9 not in store.after([PROVIDER], None, 10).told


def test_a_list_that_ends_is_left_when_all_of_it_is_forgotten(store: SourceStore) -> None:
    assert store.end(PROVIDER)
    store.delete(store.after([PROVIDER], None, 10).gone)
    assert not store.end(PROVIDER)
    assert store.after([SEATS], None, 100).told.keys() == set(TOLD[SEATS])


def test_the_mark_of_a_first_reading_lies_there_until_it_is_taken_over(store: SourceStore, table: MemoryTable) -> None:
    state = ListState(place=SEATS, status=READ, at=5, read_at=5, is_new=True)
    store.keep(state)
    assert table.get(*store.baseline_mark(SEATS)) is not None
    store.settle(state)
    assert table.get(*store.baseline_mark(SEATS)) is None
    assert not store.states()[SEATS].is_new
    store.drop(SEATS)
    assert store.states() == {}


def test_rows_sort_by_the_account_within_a_list(table: MemoryTable, store: SourceStore) -> None:
    keys = [row["sk"] for row in table.dump() if row["sk"].startswith(f"{SEATS}#")]
    assert keys == [f"{SEATS}#{padded(number)}" for number in TOLD[SEATS]]
    assert store.states() == {}


def test_names_of_roles_are_kept_by_their_ids(table: MemoryTable, store: SourceStore) -> None:
    assert role_names(table, "i1") == {}
    store.keep_roles({101: "Release captain", 7: "Auditor"}, 5)
    assert role_names(table, "i1") == {101: "Release captain", 7: "Auditor"}
