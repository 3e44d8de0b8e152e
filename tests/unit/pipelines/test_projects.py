import re
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import Forbidden
from gitlab_hub.pipelines.keys import figures_version_key, partitions
from gitlab_hub.pipelines.read_states import ReadState
from gitlab_hub.storage.ports import Item
from tests.unit.pipelines.pipelines_sync import Stopped, World
from tests.unit.pipelines.source_model import job

DAY = 86_400


@pytest.fixture
def world() -> World:
    made = World(page=3)
    for number in range(1, 8):
        made.project(number)
    return made


def projects(world: World) -> dict[int, Item]:
    return {item["id"]: item for item in world.table.query("i1#projects").items}


async def test_every_project_is_known_and_its_pipelines_are_read(world: World) -> None:
    world.add(70, project=7, status="success")
    await world.sync()
    assert sorted(projects(world)) == list(range(1, 8))
    assert projects(world)[7]["path_with_namespace"] == "g/p7"
    assert world.stored(7) == world.source(7)


@pytest.mark.parametrize("stop_after", [None, 1])
async def test_a_gitlab_without_keyset_is_read_by_numbered_pages(world: World, stop_after: int | None) -> None:
    cursors: dict[Any, Any] = {}
    if stop_after is not None:
        with pytest.raises(Stopped):
            await world.sync(stop_after=stop_after, resume=cursors)
    world.gitlab.has_keyset = False
    await world.sync(resume=cursors)
    assert sorted(projects(world)) == list(range(1, 8))


async def test_a_run_that_finds_nothing_new_reads_no_project_by_its_key() -> None:
    world = World()
    for number in range(1, 51):
        world.project(number)
    await world.sync()
    before = world.table.reads
    await world.sync()
    assert world.table.reads - before <= 1, "the version of the figures"


async def test_a_vanished_project_is_marked_and_keeps_its_pipelines(world: World) -> None:
    world.add(70, project=7, status="success")
    await world.sync()
    world.gitlab.log.clear()
    gone = world.gitlab.projects.pop(7)
    await world.sweep()
    assert "gone_at" in projects(world)[7]
    assert world.row(70, 7) is not None
    await world.sync()
    assert world.gitlab.asked("/projects/7/pipelines") == 0, "it is not asked for any more"
    world.gitlab.projects[7] = gone
    await world.sync()
    assert "gone_at" not in projects(world)[7]


async def test_a_project_that_only_slipped_through_the_list_stays(world: World) -> None:
    await world.sync()
    world.gitlab.unlisted.add(7)
    await world.sweep()
    assert "gone_at" not in projects(world)[7]
    world.gitlab.faults["/projects/7"] = Forbidden("no", http_status=403)
    await world.sweep()
    assert "gone_at" not in projects(world)[7]


async def test_listing_a_project_again_keeps_how_far_it_was_read(world: World) -> None:
    world.add(70, project=7, status="success")
    await world.sync()
    before = world.table.get("i1#cursors", "000000000007")
    world.table.write(deletes=[("i1#projects", "000000000007")])
    await world.sweep()
    assert projects(world)[7]
    assert before is not None
    assert world.table.get("i1#cursors", "000000000007") == before


@pytest.mark.parametrize(
    ("state", "due"),
    [
        (ReadState(), True),
        (ReadState(child_probed_at=100 * DAY), False),
        (ReadState(child_probed_at=99 * DAY), True),
        (ReadState(child_probed_at=100 * DAY, child_seen_at=71 * DAY), True),
        (ReadState(child_probed_at=100 * DAY, child_seen_at=70 * DAY), False),
    ],
)
def test_children_are_asked_for_where_there_were_some_lately(state: ReadState, due: bool) -> None:
    assert state.wants_children(100 * DAY) is due


def test_notes_about_children_do_not_cost_a_write_per_run() -> None:
    state = ReadState().with_children_read(seen=True, now=10_000)
    assert state.with_children_read(seen=True, now=13_599) == state
    assert state.with_children_read(seen=True, now=13_600).child_seen_at == 13_600


async def test_a_purge_finds_everything_of_the_integration_and_nothing_else(world: World) -> None:
    for number in range(1, 8):
        world.add(number * 10, project=number, status="success", jobs={number: job(number)})
    await world.sync()
    named = list(partitions(world.table, "i1"))
    assert {item["pk"] for item in world.table.dump()} <= set(named)
    assert all(name.startswith("i1#") for name in named)
    assert named[-1] == "i1#projects", "it leads to the others, so it is emptied last"


async def test_no_key_holds_a_name(world: World) -> None:
    world.add(70, project=7, status="success", jobs={1: job(1)})
    await world.sync()
    rows = [item for item in world.table.dump() if (item["pk"], item["sk"]) != figures_version_key("i1")]
    assert all(re.fullmatch(r"[\w#-]+", item["pk"]) and item["sk"][0].isdigit() for item in rows)
