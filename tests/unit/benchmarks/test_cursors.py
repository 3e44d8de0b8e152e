"""The simulator counts which pipelines and jobs a cursor loses."""

import re
import runpy
from pathlib import Path
from typing import cast

import pytest

from benchmarks.cursors import HUB, LOSSES, Lists, PipelineCopy, compared, followed, losses
from benchmarks.naive_cursors import HighestId, LastUpdate, Naive, PageNumbers
from gitlab_hub.gitlab.errors import ResourceNotFound
from tests.unit.pipelines.pipelines_sync import World
from tests.unit.pipelines.source_model import job

SEEDS = range(2)
PAGE = Path(__file__).parents[3] / "docs/simulator.md"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_hub_loses_nothing(seed: int) -> None:
    found = followed(None, seed)
    assert found["pipelines"]
    assert not any(found[loss] for loss in LOSSES)


@pytest.mark.parametrize("cursor", [PageNumbers, LastUpdate, HighestId])
def test_a_naive_cursor_loses_more_than_child_pipelines(cursor: type[PageNumbers | LastUpdate | HighestId]) -> None:
    found = followed(cursor, 3)
    assert found["missing"] + found["stale"] + found["stale jobs"] > found["missing children"]


def test_every_difference_is_counted() -> None:
    world = World()
    for number in (1, 2, 3):
        world.add(number, status="success", jobs={number: job(number), 10 + number: job(10 + number)})
    copy = {
        1: PipelineCopy("success", {1: "success", 11: "success"}),
        2: PipelineCopy("running", {2: "failed", 99: "success"}),
        4: PipelineCopy("success"),
    }
    found = {name: count for name, count in losses(world, copy).items() if count}
    assert found == {
        "pipelines": 3, "jobs": 6, "missing": 1, "stale": 1, "extra": 1, "missing jobs": 3, "stale jobs": 1,
        "extra jobs": 1,
    }  # fmt: skip


def test_a_cursor_of_your_own_is_loaded_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine_of_test.py").write_text(
        "class Lazy:\n    name = 'lazy'\n\n    def __init__(self):\n        self.copy = {}\n\n"
        "    async def sync(self, gitlab):\n        pass\n"
    )
    hub, lazy = compared([f"{tmp_path}/mine_of_test.py:Lazy"], [5])
    assert (hub[0], hub[2]) == (HUB, "0")
    assert (lazy[0], lazy[2], lazy[3]) == ("lazy", "1", lazy[4]), "it misses all pipelines"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_example_of_the_page_runs_as_printed(seed: int, tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "mine.py").write_text(example)
    assert followed(runpy.run_path(str(tmp_path / "mine.py"))["Mine"], seed)["missing children"]


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SystemExit, match=r"nowhere\.py is not a file"):
        next(compared(["nowhere.py:Mine"], []))


async def test_what_is_deleted_while_it_is_read_is_no_error() -> None:
    class Gone:
        async def jobs(self, _: int) -> list[dict[str, object]]:
            raise ResourceNotFound("no such pipeline", http_status=404)

    naive = Naive()
    await naive.take(cast("Lists", Gone()), {"id": 1, "status": "success"})
    assert not naive.copy
