"""`python -m benchmarks.cursors`: how many pipelines and jobs a way to follow GitLab's lists loses.

Random histories of a project (pipelines begin, end, are retried and deleted; rows share a moment, become visible late,
and change between any two requests; requests fail) are followed by the hub's sync and by other cursors, each over a
GitLab of its own that begins with the same history. When nothing happens any more, what each has kept is compared with
what GitLab has. docs/simulator.md says how to try a cursor of your own.
"""

import argparse
import asyncio
import importlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from benchmarks.tables import table
from gitlab_hub.gitlab.fields import iso
from gitlab_hub.pipelines.store import CHILD_SOURCE
from tests.unit.pipelines.pipelines_sync import LIST, World
from tests.unit.pipelines.random_history import ENDS, History, HubCursor, live_through, world_of

Row = dict[str, Any]
HUB = "gitlab-hub"
NAIVE = tuple(f"benchmarks.naive_cursors:{name}" for name in ("PageNumbers", "LastUpdate", "HighestId"))
COLUMNS = ("cursor", "histories", "with losses", "pipelines", "missing", "missing children", "stale", "extra", "jobs",
           "missing jobs", "stale jobs", "extra jobs", "requests")  # fmt: skip


@dataclass(frozen=True, slots=True)
class PipelineCopy:
    """A cursor's copy of a pipeline: its status, and that of every attempt of its jobs by id."""

    status: str
    jobs: Mapping[int, str] = field(default_factory=dict)


class Lists:
    """One project of a GitLab, as its REST API shows it. Every call may raise `Unavailable`, and time passes in it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> str:
        """The client's clock, as GitLab writes times."""
        return iso(self._world.now // 1000)

    async def page(self, number: int = 1, **params: Any) -> list[Row]:
        """A page of three of the project's pipelines; parameters are GitLab's, those that are None are left out."""
        asked = {name: value for name, value in params.items() if value is not None}
        return await self._rows(LIST, asked, number)

    async def pipeline(self, pipeline_id: int) -> Row:
        """One pipeline. Raises ResourceNotFound where there is none."""
        row: Row = (await self._world.gitlab.get(f"{LIST}/{pipeline_id}")).body
        return row

    async def jobs(self, pipeline_id: int) -> list[Row]:
        """All attempts of a pipeline's jobs. Raises ResourceNotFound where there is no such pipeline."""
        found, number = list[Row](), 1
        while rows := await self._rows(f"{LIST}/{pipeline_id}/jobs", {"include_retried": True}, number):
            found += rows
            number += 1
        return found

    async def _rows(self, path: str, params: Row, number: int) -> list[Row]:
        page = await anext(self._world.gitlab.pages(path, params, cursor=str(number)))
        return [dict(row) for row in page.rows]


class Cursor(Protocol):
    """A way to keep a copy of a project. It is made anew for each history."""

    name: str
    copy: dict[int, PipelineCopy]
    """The pipelines that it believes GitLab to have, by id."""

    async def sync(self, gitlab: Lists) -> None:
        """Bring the copy up to date; called again and again, also after it has raised."""


def followed(make: Callable[[], Cursor] | None, seed: int) -> Counter[str]:
    """Let a cursor follow one history (None: the hub's sync); what is wrong in its copy when all is quiet."""
    world = world_of(seed)
    history = History(world, seed)
    if make is None:
        asyncio.run(live_through(history, HubCursor(history).sync))
        rows = {number: world.row(number) or {} for number in world.stored()}
        stored = {number: found for number, found in world.stored().items() if not rows[number]["deleted_at_source"]}
        copy = {number: PipelineCopy(str(status), jobs) for number, (status, _, jobs) in stored.items()}
    else:
        cursor, lists = make(), Lists(world)
        asyncio.run(live_through(history, lambda: cursor.sync(lists)))
        copy = cursor.copy
    return Counter(requests=world.gitlab.requests) + losses(world, copy)


def losses(world: World, copy: Mapping[int, PipelineCopy]) -> Counter[str]:
    """Compare a copy with what GitLab has. Jobs are compared of pipelines that have ended."""
    source = {number: PipelineCopy(str(status), jobs) for number, (status, _, jobs) in world.source().items()}
    found = Counter(pipelines=len(source), extra=len(copy.keys() - source.keys()))
    for number, true in source.items():
        mine = copy.get(number)
        found["missing"] += mine is None
        found["missing children"] += mine is None and world.project()[number].source == CHILD_SOURCE
        found["stale"] += mine is not None and mine.status != true.status
        if true.status in ENDS:
            jobs = {} if mine is None else mine.jobs
            found["jobs"] += len(true.jobs)
            found["missing jobs"] += len(true.jobs.keys() - jobs.keys())
            found["stale jobs"] += sum(jobs[one] != true.jobs[one] for one in true.jobs.keys() & jobs.keys())
            found["extra jobs"] += len(jobs.keys() - true.jobs.keys())
    return found


LOSSES = ("missing", "stale", "extra", "missing jobs", "stale jobs", "extra jobs")


def compared(cursors: Sequence[str], seeds: Sequence[int]) -> Iterator[list[str]]:
    """One row for the hub, and one for each cursor (`module:class`, or `file.py:class`)."""
    for name, make in ((HUB, None), *((made.name, made) for made in map(_loaded, cursors))):
        found = [followed(make, seed) for seed in seeds]
        total, lossy = sum(found, Counter[str]()), sum(any(one[loss] for loss in LOSSES) for one in found)
        yield [name, f"{len(seeds):,}", f"{lossy:,}", *(f"{total[column]:,}" for column in COLUMNS[3:])]


def cursors_table(*, quick: bool) -> str:
    """The hub beside the naive cursors."""
    return table(COLUMNS, list(compared(NAIVE, range(20 if quick else 1_000))))


def _loaded(name: str) -> Any:
    module, _, attribute = name.rpartition(":")
    if module.endswith(".py"):
        if not Path(module).is_file():
            raise SystemExit(f"{module} is not a file.")
        sys.path.insert(0, str(Path(module).resolve().parent))
        module = Path(module).stem
    return getattr(importlib.import_module(module), attribute)


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.cursors",
        description="Count the pipelines and jobs that cursors over GitLab's lists lose.",
    )
    options.add_argument("--histories", type=int, default=100, help="how many histories (default 100)")
    options.add_argument("--seed", type=int, default=0, help="the first history's number (default 0)")
    options.add_argument(
        "--cursor",
        action="append",
        metavar="FILE.py:CLASS",
        help="compare with this one instead of the three naive ones; may be repeated",
    )
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, and print a table."""
    chosen = parser().parse_args(arguments)
    seeds = range(chosen.seed, chosen.seed + chosen.histories)
    print(table(COLUMNS, list(compared(chosen.cursor or NAIVE, seeds))))


if __name__ == "__main__":
    main()
