"""What a table refuses for good, or for a long time, ends a run visibly, whichever row it is and whoever writes it."""

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from gitlab_hub.errors import HubError
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.storage.ports import REFUSED, StorageRefused, StorageUnavailable, Table
from gitlab_hub.sync.fence import Fence
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from tests.fakes.faults import Plan, faulty
from tests.functional.pipelines.test_frozen import start as started

WRITES = ("put", "write", "delete", "transact")


class Refusing:
    """A table whose n-th write is refused, or from then on every write; reads go through."""

    def __init__(self, table: Table, plan: Plan) -> None:
        self._table, self._faulty = table, faulty(table, plan)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._faulty if name in WRITES else self._table, name)


class Disturbed:
    """A run of a company that has changed, over a table that refuses its feature's rows by a plan."""

    def __init__(self, plan: Plan) -> None:
        self.company, message = started()
        self.before = self.company.stored()
        view = cast("Table", Refusing(self.company.world.table, plan))
        self.company.driver.feature = PipelinesFeature(view)
        self.run: Run = self.company.driver.work(message, slices=200)
        self.after = self.company.stored()
        self.fence = Fence(self.company.world.table, "i1", Kind.PIPELINES).number()
        self.plan = plan

    def healed(self) -> tuple[Run, Any]:
        """The next run, over a table that takes everything, and what is stored then."""
        self.plan.heal()
        self.company.later()
        return self.company.driver.work(self.company.driver.start("s2"), slices=200), self.company.stored()


@pytest.fixture(scope="module")
def undisturbed() -> Disturbed:
    whole = Disturbed(Plan())
    assert (whole.run.status, whole.run.last_error, whole.run.incomplete) == (RunStatus.IDLE, None, 1)
    assert whole.before != whole.after
    assert len(whole.plan.calls) >= 6
    return whole


def is_between(stored: Any, before: Any, after: Any) -> bool:
    """Whether everything that is stored is as it was, or as it is where nothing was refused.

    Jobs are written before their pipeline, whose row says that it is whole.
    """
    if isinstance(stored, tuple) and isinstance(before, tuple) and isinstance(after, tuple):
        return all(map(is_between, stored, before, after))
    if isinstance(stored, dict) and isinstance(before, dict) and isinstance(after, dict):
        names = stored.keys() | before.keys() | after.keys()
        return all(is_between(stored.get(name), before.get(name), after.get(name)) for name in names)
    return stored in (before, after)


def disturbed_at_each(undisturbed: Disturbed, error: Callable[[], HubError], *, repeat: bool) -> Iterator[Disturbed]:
    """A run for each write that may fail; of each it holds that nothing is stored that GitLab has not shown."""
    for at in range(1, len(undisturbed.plan.calls) + 1):
        found = Disturbed(Plan(at=at, error=error, repeat=repeat))
        where = f"write {at}: {found.plan.calls[at - 1]}"
        assert found.run.status in {RunStatus.IDLE, RunStatus.FAILED}, where
        rows = ("projects", "pipelines", "owed")
        assert all(is_between(found.after[row], found.before[row], undisturbed.after[row]) for row in rows), where
        if found.run.status is RunStatus.IDLE:
            assert (found.after, found.run.incomplete) == (undisturbed.after, undisturbed.run.incomplete), where
            assert found.fence == found.run.fence, f"{where}: a worker that is late is not shut out"
        yield found


def test_a_run_without_trouble_shuts_its_worker_out(undisturbed: Disturbed) -> None:
    assert undisturbed.fence == undisturbed.run.fence


@pytest.mark.parametrize("repeat", [False, True], ids=["one row", "every row from then on"])
def test_a_row_that_is_refused_for_good_is_told_of_and_the_run_ends(undisturbed: Disturbed, *, repeat: bool) -> None:
    most, failed = len(undisturbed.plan.calls), []
    for found in disturbed_at_each(undisturbed, lambda: StorageRefused(REFUSED), repeat=repeat):
        at = found.plan.at
        assert len(found.plan.calls) <= 3 * most, "a bounded number of tries"
        if found.run.last_error is not None:
            failed.append(at)
            assert found.run.last_error["code"] == "storage_refused"
        run, stored = found.healed()
        assert (run.status, stored) == (RunStatus.IDLE, undisturbed.after), f"after write {at}"
    # A scope whose row was refused is read again; the fence, the first and the last write, is not raised again.
    assert failed == (list(range(1, most + 1)) if repeat else [1, most])


@pytest.mark.parametrize("repeat", [False, True], ids=["once", "for ever"])
def test_a_table_that_is_away_delays_a_run_or_ends_it_visibly(undisturbed: Disturbed, *, repeat: bool) -> None:
    for found in disturbed_at_each(undisturbed, lambda: StorageUnavailable("down", retry_after=5), repeat=repeat):
        at = found.plan.at
        assert len(found.plan.calls) <= 20 * len(undisturbed.plan.calls), "a bounded number of tries"
        code = (found.run.last_error or {}).get("code")
        assert code == ("service_unavailable" if repeat else None), f"write {at}"
        if repeat:
            run, stored = found.healed()
            assert (run.status, stored) == (RunStatus.IDLE, undisturbed.after), f"after write {at}"
