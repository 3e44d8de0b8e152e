"""How much may change at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.provisioning.limits import (
    MOST_OPERATIONS,
    WINDOW_SECONDS,
    Spent,
    Touch,
    beyond,
    in_window,
    spending,
)

PLACE = "group#1"


def touches(count: int, *, members: int, first: int = 0, changes: bool = True) -> list[Touch]:
    return [
        Touch(index=one, place=PLACE, member_count=members, accounts=frozenset({one} if changes else ()))
        for one in range(first, first + count)
    ]


@pytest.mark.parametrize(("members", "most"), [(1, 1), (9, 1), (10, 1), (19, 1), (20, 2), (100, 10)], ids=str)
def test_a_tenth_may_change_and_one_where_there_are_few(members: int, most: int) -> None:
    assert beyond(touches(most, members=members), []) == set()
    assert beyond(touches(most + 1, members=members), []) == set(range(most + 1))


def test_whoever_was_changed_before_counts_once() -> None:
    spent = [spending(touches(2, members=20), plan_id="p", at=0)]
    assert beyond(touches(2, members=20), spent) == set()
    assert beyond(touches(1, members=20, first=2), spent) == {2}


def test_additions_count_as_operations_alone() -> None:
    assert beyond(touches(MOST_OPERATIONS, members=1, changes=False), []) == set()
    over = touches(MOST_OPERATIONS + 1, members=1, changes=False)
    assert beyond(over, []) == set(range(MOST_OPERATIONS + 1))


def test_what_is_a_day_old_counts_no_more() -> None:
    spent = [Spent(at=0, plan_id="old", operations=9), Spent(at=1, plan_id="new", operations=9)]
    assert [one.plan_id for one in in_window(spent, WINDOW_SECONDS)] == ["new"]


@given(st.lists(st.lists(st.integers(1, 12), max_size=6), max_size=8), st.integers(1, 40))
def test_plans_that_were_let_through_never_change_more_than_a_tenth_together(
    plans: list[list[int]], members: int
) -> None:
    spent: list[Spent] = []
    for accounts in plans:
        wanted = [
            Touch(index=number, place=PLACE, member_count=members, accounts=frozenset({account}))
            for number, account in enumerate(accounts)
        ]
        if wanted and not beyond(wanted, spent):
            spent.append(spending(wanted, plan_id="p", at=0))
    changed = {account for one in spent for account in one.members.get(PLACE, ())}
    assert len(changed) <= max(1, members // 10)
    assert sum(one.operations for one in spent) <= MOST_OPERATIONS
