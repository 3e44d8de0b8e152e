"""What a table refuses for good, or for a long time, ends a run visibly, whichever row it is and whoever writes it."""

from typing import Any, cast

import pytest

from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.storage.ports import REFUSED, StorageRefused, StorageUnavailable, Table
from gitlab_hub.sync.run import RunStatus
from tests.fakes.faults import Plan, faulty
from tests.functional.pipelines.test_frozen import seen
from tests.functional.pipelines.test_frozen import start as started

WRITES = ("put", "write", "delete", "transact")


class Refusing:
    """A table whose n-th write is refused, or from then on every write; reads go through."""

    def __init__(self, table: Table, plan: Plan) -> None:
        self._table, self._faulty = table, faulty(table, plan)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._faulty if name in WRITES else self._table, name)


def run_with(plan: Plan) -> Any:
    """A run of a company that has changed, over a table that refuses its feature's rows by a plan."""
    company, message = started()
    seen(company)
    view = cast("Table", Refusing(company.world.table, plan))
    company.driver.feature = PipelinesFeature(view)
    return company.driver.work(message, slices=200)


def writes_of_a_run() -> int:
    plan = Plan()
    assert run_with(plan).status is RunStatus.IDLE
    return len(plan.calls)


@pytest.mark.parametrize("repeat", [False, True], ids=["one row", "every row from then on"])
def test_a_row_that_is_refused_for_good_is_told_of_and_the_run_ends(*, repeat: bool) -> None:
    most = writes_of_a_run()
    assert most >= 6
    for at in range(1, most + 1):
        plan = Plan(at=at, error=lambda: StorageRefused(REFUSED), repeat=repeat)
        run = run_with(plan)
        told = run.last_error is not None or run.incomplete > 0
        assert (run.status.at_rest, told) == (True, True), f"write {at}: {plan.calls[at - 1]}"
        assert len(plan.calls) <= 3 * most, "a bounded number of tries"


@pytest.mark.parametrize("repeat", [False, True], ids=["once", "for ever"])
def test_a_table_that_is_away_delays_a_run_or_ends_it_visibly(*, repeat: bool) -> None:
    most = writes_of_a_run()
    for at in range(1, most + 1):
        plan = Plan(at=at, error=lambda: StorageUnavailable("down", retry_after=5), repeat=repeat)
        run = run_with(plan)
        told = run.last_error is not None or run.incomplete > 0
        assert (run.status.at_rest, told or not repeat) == (True, True), f"write {at}: {plan.calls[at - 1]}"
        assert len(plan.calls) <= 20 * most, "a bounded number of tries"
