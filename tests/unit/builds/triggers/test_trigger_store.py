"""Keeping triggers: what is read back, who wins, and what a lost answer does."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.builds.triggers.model import ReportStatus, Trigger
from gitlab_hub.builds.triggers.store import (
    TriggerLimitReached,
    TriggerNotFound,
    TriggerStore,
    trigger_item,
    trigger_of,
)
from gitlab_hub.errors import Conflict
from gitlab_hub.storage.ports import ConditionFailed
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, faulty
from tests.fakes.table import MemoryTable
from tests.fakes.triggers import INTEGRATION, including, rules, trigger

FULL = trigger(
    group="a/b",
    project_id=None,
    branches=including("main", "release/*", exclude=["x"]),
    tags=including("v*"),
    paths=including("**"),
    merge_requests=rules(drafts=False, labels=("a", "b"), target_branches=("main",), forks="allow"),
    on_branch_create=False,
    on_branch_delete=True,
    skip_ci=False,
    cancel_previous=True,
    target={"type": "codebuild", "project": "p"},
    report_status=ReportStatus(enabled=False, name="x"),
    enabled=False,
    version=3,
)


def numbered(number: int, **changes: Any) -> Trigger:
    return trigger(id=f"trg_0a1b_{number:03}", **changes)


def disabled(found: Trigger) -> Trigger:
    return replace(found, enabled=False, version=found.version + 1)


@pytest.mark.parametrize("one", [trigger(), FULL])
def test_a_trigger_is_read_back_as_it_was(one: Trigger) -> None:
    store = TriggerStore(MemoryTable())
    store.add(one)
    assert store.get(one.id) == one


def test_a_row_of_a_later_release_is_read_as_far_as_it_is_known() -> None:
    row = trigger_item(FULL) | {"schema_version": 2, "approvers": ["ada"]}
    row["merge_requests"] = row["merge_requests"] | {"authors": []}
    row["branches"] = row["branches"] | {"regex": []}
    assert trigger_of(row) == FULL


def test_a_change_leaves_what_a_later_release_has_added() -> None:
    table = MemoryTable()
    store = TriggerStore(table)
    store.add(FULL)
    table.put(trigger_item(FULL) | {"schema_version": 2, "approvers": ["ada"]})
    store.change(FULL.id, disabled)
    row = table.get(trigger_item(FULL)["pk"], trigger_item(FULL)["sk"])
    assert row is not None
    assert (row["schema_version"], row["approvers"], row["enabled"]) == (2, ["ada"], False)


@pytest.mark.parametrize("unknown", ["trg_0a1b_9", "trg_ffff_1", "trg_", "", "bld_0a1b_1", "trg_0a1b_1/x"])
def test_an_unknown_id_is_no_trigger(unknown: str) -> None:
    store = TriggerStore(MemoryTable())
    store.add(trigger())
    assert store.get(unknown) is None
    with pytest.raises(TriggerNotFound):
        store.require(unknown)
    with pytest.raises(TriggerNotFound):
        store.change(unknown, disabled)
    with pytest.raises(TriggerNotFound):
        store.remove(unknown)


def test_triggers_are_listed_in_order_over_all_pages() -> None:
    store = TriggerStore(MemoryTable())
    ids = [store.add(numbered(number)).id for number in reversed(range(450))]
    assert [one.id for one in store.after(INTEGRATION)] == sorted(ids)
    assert [one.id for one in store.after(INTEGRATION, "trg_0a1b_447")] == ["trg_0a1b_448", "trg_0a1b_449"]
    assert list(store.after("int_other")) == []


def test_every_write_moves_the_revision_of_its_integration_only() -> None:
    store = TriggerStore(MemoryTable())
    store.add(trigger(id="trg_ffff_1", integration_id="int_ffff"))
    seen = [store.revision(INTEGRATION)]
    for write in (
        lambda: store.add(trigger()),
        lambda: store.change("trg_0a1b_1", disabled),
        lambda: store.remove("trg_0a1b_1"),
    ):
        write()
        seen.append(store.revision(INTEGRATION))
    assert seen == [0, 1, 2, 3]
    assert store.revision("int_ffff") == 1


def test_an_integration_has_so_many_triggers_and_no_more() -> None:
    store = TriggerStore(MemoryTable(), limit=2)
    store.add(numbered(1))
    store.add(numbered(2))
    with pytest.raises(TriggerLimitReached):
        store.add(numbered(3))
    assert store.add(numbered(2)).id == "trg_0a1b_002"
    store.remove("trg_0a1b_001")
    store.add(numbered(3))
    assert len(list(store.after(INTEGRATION))) == 2


def test_a_trigger_made_again_is_the_first_one() -> None:
    store = TriggerStore(MemoryTable())
    first = store.add(trigger())
    assert store.add(trigger(created_at=99)) == first
    assert store.revision(INTEGRATION) == 1


def rival(table: MemoryTable, act: Callable[[], object], *, repeat: bool = False) -> MemoryTable:
    """A table where somebody else writes before the first transaction, or before every one."""
    return faulty(table, Plan(at=1, only=["transact"], meanwhile=act, repeat=repeat))


def test_a_change_is_decided_anew_where_another_was_faster() -> None:
    table = MemoryTable()
    calm = TriggerStore(table)
    calm.add(trigger())

    def rename() -> None:
        calm.change("trg_0a1b_1", lambda found: replace(found, cancel_previous=True, version=found.version + 1))

    after = TriggerStore(rival(table, rename)).change("trg_0a1b_1", disabled)
    assert (after.enabled, after.cancel_previous, after.version) == (False, True, 3)
    assert calm.get("trg_0a1b_1") == after


def test_a_change_of_what_is_removed_meanwhile_brings_nothing_back() -> None:
    table = MemoryTable()
    calm = TriggerStore(table)
    calm.add(trigger())
    store = TriggerStore(rival(table, lambda: calm.remove("trg_0a1b_1")))
    with pytest.raises(TriggerNotFound):
        store.change("trg_0a1b_1", disabled)
    assert calm.get("trg_0a1b_1") is None


def test_the_limit_holds_against_a_rival() -> None:
    table = MemoryTable()
    calm = TriggerStore(table, limit=2)
    calm.add(numbered(1))
    with pytest.raises(TriggerLimitReached):
        TriggerStore(rival(table, lambda: calm.add(numbered(2))), limit=2).add(numbered(3))


def test_endless_rivals_are_a_conflict_that_may_be_tried_again() -> None:
    table = MemoryTable()
    calm, numbers = TriggerStore(table), iter(range(2, 100))
    calm.add(trigger())
    busy = TriggerStore(rival(table, lambda: calm.add(numbered(next(numbers))), repeat=True))
    for write in (
        lambda: busy.add(numbered(999)),
        lambda: busy.change("trg_0a1b_1", disabled),
        lambda: busy.remove("trg_0a1b_1"),
    ):
        with pytest.raises(Conflict):
            write()
    assert calm.get("trg_0a1b_1") == trigger()


def test_a_write_whose_answer_was_lost_is_done_once() -> None:
    table = MemoryTable()

    def lossy() -> TriggerStore:
        plan = Plan(at=1, only=["transact"], error=lambda: ConditionFailed("lost"), applied=True)
        return TriggerStore(faulty(table, plan))

    assert lossy().add(trigger()) == trigger()
    assert lossy().change("trg_0a1b_1", disabled).version == 2
    assert lossy().get("trg_0a1b_1") == disabled(trigger())
    lossy().remove("trg_0a1b_1")
    assert lossy().get("trg_0a1b_1") is None
    assert lossy().revision(INTEGRATION) == 3


def test_nothing_is_left_of_an_integration_that_is_gone() -> None:
    table = MemoryTable()
    store = TriggerStore(table)
    for number in range(3):
        store.add(numbered(number))
    store.add(trigger(id="trg_ffff_1", integration_id="int_ffff"))
    store.purge(INTEGRATION)
    assert {row["pk"] for row in table.dump()} == {"INTEGRATION#int_ffff"}


@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", range(1, 10))
def test_wherever_a_worker_ends_the_next_one_finishes(at: int, applied: bool) -> None:
    table = MemoryTable()
    writes: list[Callable[[TriggerStore], object]] = [
        lambda store: store.add(trigger()),
        lambda store: store.change("trg_0a1b_1", lambda found: found if not found.enabled else disabled(found)),
    ]
    for write in writes:
        with suppress(Crash):
            write(TriggerStore(faulty(table, Plan(at=at, applied=applied))))
        write(TriggerStore(table))
    assert TriggerStore(table).get("trg_0a1b_1") == disabled(trigger())
    row = table.get("INTEGRATION#int_0a1b", "TRIGGERS")
    assert row is not None
    assert row["count"] == 1
