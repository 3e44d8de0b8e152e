"""How figures follow what is stored: what is counted, when, and what is left for the next worker."""

from typing import Any

import pytest

from gitlab_hub.pipelines.figures.day import MOST_NAMES, REST
from gitlab_hub.pipelines.figures.store import FigureStore
from gitlab_hub.pipelines.keys import changed_pk, figures_version_key, partitions
from gitlab_hub.storage.ports import Item
from tests.unit.pipelines.figures.figure_world import FigureWorld, attempt, pipeline


@pytest.fixture
def world() -> FigureWorld:
    world = FigureWorld()
    world.project(7)
    return world


def marks(world: FigureWorld) -> list[Item]:
    return world.table.query(changed_pk("i1")).items


def test_what_is_stored_is_pending_until_it_is_counted(world: FigureWorld) -> None:
    world.save(pipeline(1), [attempt(1)])
    assert world.get("summary")["pipelines"] == 0
    assert world.get("summary")["completeness"]["pending"]
    world.count()
    shown = world.get("summary")
    assert (shown["pipelines"], shown["completeness"]["pending"], marks(world)) == (1, False, [])


def test_a_late_job_is_counted_once_and_on_the_day_of_its_pipeline(world: FigureWorld) -> None:
    world.save(pipeline(1, at=1), [attempt(1)])
    world.count()
    for _ in range(2):
        world.save(pipeline(1, at=1), [attempt(1), attempt(2, "late")])
        world.count()
    assert [(row["key"], row["count"]) for row in world.get("duration", group_by="job")["rows"]] == [
        ("late", 1),
        ("rspec", 1),
    ]


def test_nothing_is_counted_where_nothing_changed(world: FigureWorld) -> None:
    world.save(pipeline(1), [attempt(1)])
    world.count()
    before = world.table.dump()
    world.save(pipeline(1), [attempt(1)])
    assert marks(world) == []
    world.count()
    assert world.table.dump() == before


def test_what_changes_while_its_day_is_counted_is_counted_again(world: FigureWorld) -> None:
    world.save(pipeline(1), [])
    store = FigureStore(world.table, "i1")
    ((day,),) = store.changed()
    world.save(pipeline(1, "failed"), [])
    store.count(day, "main")
    assert len(marks(world)) == 1, "the mark that was set meanwhile stays"
    world.count()
    assert world.get("summary")["by_status"]["success"] == 1, "its first end"
    assert marks(world) == []


@pytest.mark.parametrize("stop_after", range(6))
def test_a_worker_may_be_stopped_anywhere(world: FigureWorld, stop_after: int) -> None:
    for number in range(1, 21):
        world.save(pipeline(number, at=number * 5), [attempt(number)])
    world.try_count(stop_after=stop_after)
    world.count()
    assert world.get("summary")["pipelines"] == 20
    assert sum(row["pipelines"] for row in world.get("summary", group_by="project")["rows"]) == 20


def test_what_an_earlier_release_has_stored_is_counted_too(world: FigureWorld) -> None:
    world.save(pipeline(1), [attempt(1)])
    for mark in marks(world):
        world.table.delete(mark["pk"], mark["sk"])
    world.count()
    assert world.get("summary")["pipelines"] == 1


def test_figures_by_other_rules_are_made_again(world: FigureWorld) -> None:
    world.save(pipeline(1), [attempt(1)])
    world.count()
    pk, sk = figures_version_key("i1")
    world.table.put({"pk": pk, "sk": sk, "version": 0, "schema_version": 1})
    world.project(7, default_branch="trunk")
    assert world.get("summary")["completeness"]["pending"]
    world.count()
    assert [row["key"] for row in world.get("summary", group_by="ref_class")["rows"]] == ["other"]


def test_a_pipeline_that_gitlab_has_deleted_has_run_all_the_same(world: FigureWorld) -> None:
    world.save(pipeline(1), [attempt(1)])
    stored = world.table.get("i1#pipelines#7", f"{1:012d}")
    assert stored is not None
    world.table.put({**stored, "deleted_at_source": 5})
    world.save(pipeline(2), [])
    world.count()
    assert world.get("summary")["pipelines"] == 2


def test_names_beyond_the_most_frequent_ones_are_counted_together(world: FigureWorld) -> None:
    jobs: list[dict[str, Any]] = [attempt(number, f"matrix {number}") for number in range(1, MOST_NAMES + 11)]
    world.save(pipeline(1), [*jobs, attempt(9_000, "matrix 5", duration=None)])
    world.count()
    rows = {row["key"]: row["count"] for row in world.get("duration", group_by="job")["rows"]}
    assert rows[REST] == 10, "their values are all there"
    assert world.get("cost")["minutes"] == (MOST_NAMES + 10) * 0.5


def test_figures_go_with_their_integration(world: FigureWorld) -> None:
    world.save(pipeline(1), [attempt(1)])
    world.count()
    world.save(pipeline(2, at=30), [attempt(2)])
    for pk in partitions(world.table, "i1"):
        world.table.write(deletes=[(item["pk"], item["sk"]) for item in world.table.query(pk).items])
    assert world.table.dump() == []
