"""Sharing changes out over items and transactions: in their order, none lost, and never more than either takes."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from gitlab_hub.access.changes.feed import MOST_BYTES_TOLD, PACK_BYTES, Step, packs, portions
from gitlab_hub.access.changes.model import Change, ChangeKind
from gitlab_hub.storage.codec import size_of
from gitlab_hub.storage.ports import Put
from gitlab_hub.storage.rows import MOST_ACTIONS, MOST_BYTES


def change(number: int, size: int = 0) -> Change:
    return Change(kind=ChangeKind.ACCOUNT_ADDED, account_id=number, after={"name": "x" * size})


def step(number: int, sizes: list[int], *, marked: bool = False) -> Step:
    needs = ("i1#feed", f"unread#{number}") if marked else None
    return Step(Put({"pk": "p", "sk": str(number)}), [change(number, size) for size in sizes], needs)


SIZES = some.lists(some.integers(0, 40_000), max_size=120)


@given(SIZES)
def test_entries_are_packed_in_their_order(sizes: list[int]) -> None:
    packed = list(packs(change(number, size) for number, size in enumerate(sizes)))
    assert [one["account_id"] for pack in packed for one in pack] == list(range(len(sizes)))
    assert all(len(pack) == 1 or sum(map(size_of, pack)) <= PACK_BYTES for pack in packed)
    assert all(sum(map(size_of, [*one, *other])) > PACK_BYTES for one, other in pairwise(packed))


@given(some.lists(some.tuples(SIZES.filter(lambda sizes: sum(sizes) < 400_000), some.booleans()), max_size=40))
def test_no_transaction_is_too_large(steps: list[tuple[list[int], bool]]) -> None:
    wanted = [step(number, sizes, marked=marked) for number, (sizes, marked) in enumerate(steps)]
    shared = list(portions(wanted))
    assert [one for portion in shared for one in portion] == wanted
    for portion in shared:
        items = list(packs(change for one in portion for change in one.changes))
        marks = {one.needs for one in portion if one.needs}
        assert len(portion) + len(marks) + len(items) + 1 <= MOST_ACTIONS
        assert sum(size_of({"entries": pack}) for pack in items) <= MOST_BYTES


def test_small_changes_of_many_rows_share_few_transactions() -> None:
    assert len(list(portions(step(number, [100]) for number in range(94)))) == 1


def test_an_entry_that_no_item_holds_is_told_without_what_was_before() -> None:
    states = [{"identities": ["x" * (MOST_BYTES_TOLD // 2)]}, {"identities": ["y" * (MOST_BYTES_TOLD // 2)]}]
    [[told]] = packs([Change(kind=ChangeKind.ACCOUNT_CHANGED, account_id=5, before=states[0], after=states[1])])
    assert (told["before"], told["after"]) == ({}, states[1])
