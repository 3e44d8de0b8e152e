"""The pipelines sync under the real engine: slices, faults and scopes that fail on their own."""

import itertools
from typing import Any, cast

from gitlab_hub.gitlab.errors import Forbidden, RateLimited, Unavailable
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.pipelines.figures.store import FigureStore
from gitlab_hub.sync.run import CLAIMS_WITHOUT_PROGRESS
from tests.fakes.engine import Driver
from tests.unit.pipelines.pipelines_sync import World
from tests.unit.pipelines.source_model import job

DAY = 86_400_000_000


class Estate:
    """Five projects and an engine; its clock drives GitLab's."""

    def __init__(self) -> None:
        self.world = World(page=5)
        for number in range(1, 101):
            project = number % 5 + 1
            self.world.add(number, project=project, status="success", jobs={number: job(number)})
        gitlab: Any = self.world.gitlab
        self.driver = Driver(self.world.table, PipelinesFeature(self.world.table), cast("Any", gitlab))
        self.driver.now = self.world.now / 1e6
        # Storing is faster than asking; a fake that answers at once would turn this around.
        gitlab.delay = 0.002
        gitlab.now = lambda: int(self.driver.now * 1e6)

    def every(self, count: int, fault: Exception) -> None:
        """Let every so many requests fail."""
        requests = itertools.count(1)

        def fail(_: str) -> None:
            if next(requests) % count == 0:
                raise fault

        self.world.gitlab.before = fail

    def equal(self) -> list[bool]:
        """Say for every project whether what is stored is what GitLab has."""
        return [self.world.stored(project) == self.world.source(project) for project in range(1, 6)]


def test_a_run_brings_everything_and_counts_it() -> None:
    estate = Estate()
    run = estate.driver.work(estate.driver.start())
    assert estate.equal() == [True] * 5
    assert (run.counts["projects"], run.counts["pipelines_read"], run.counts["jobs_read"]) == (5, 100, 100)
    assert (run.done, run.total) == (8, 8)


def test_a_run_in_many_slices_brings_the_same() -> None:
    estate = Estate()
    asked = 0

    def remaining() -> float:
        nonlocal asked
        asked += 1
        return 0.0 if asked % 60 == 0 else 900.0

    estate.driver.remaining = remaining
    estate.driver.work(estate.driver.start(), slices=200)
    assert estate.equal() == [True] * 5


def slowly_from(estate: Estate, stage: str, checks: int) -> list[int]:
    """Let each worker that comes to a stage do but a little of it; the answer counts those workers as they end."""
    ended: list[int] = []
    asked = 0

    def remaining() -> float:
        nonlocal asked
        asked += estate.driver.run.checkpoint.stage == stage
        if asked < checks:
            return 900.0
        asked = 0
        ended.append(len(ended))
        return 0.0

    estate.driver.remaining = remaining
    return ended


def test_figures_of_many_days_are_made_by_many_workers() -> None:
    estate = Estate()
    for number in range(101, 201):
        project, updated = number % 5 + 1, estate.world.now - number // 5 * DAY
        estate.world.add(number, project=project, updated=updated, status="success", jobs={number: job(number)})
    workers = slowly_from(estate, "figures", 40)
    run = estate.driver.work(estate.driver.start(), slices=200)
    assert (run.status, run.last_error) == ("idle", None)
    assert len(workers) > CLAIMS_WITHOUT_PROGRESS
    assert not FigureStore(estate.world.table, "i1").has_changed()


def test_pipelines_of_a_project_that_is_gone_are_marked_by_many_workers() -> None:
    estate = Estate()
    for number in range(101, 301):
        estate.world.add(number, status="success", jobs={number: job(number)})
    estate.driver.work(estate.driver.start())
    del estate.world.gitlab.projects[1]
    workers = slowly_from(estate, "sweep", 8)
    run = estate.driver.work(estate.driver.start("s2"), slices=200)
    assert (run.status, run.last_error, run.counts["pipelines_deleted"]) == ("idle", None, 220)
    assert len(workers) > CLAIMS_WITHOUT_PROGRESS


def test_a_forbidden_project_costs_only_itself() -> None:
    estate = Estate()
    estate.world.gitlab.faults["/projects/2/pipelines"] = Forbidden("no", http_status=403)
    run = estate.driver.work(estate.driver.start())
    assert estate.equal() == [True, False, True, True, True]
    assert (run.incomplete, run.counts["scopes_forbidden"]) == (1, 1)


def test_a_small_rate_budget_only_delays() -> None:
    estate = Estate()
    estate.every(40, RateLimited("later", retry_after=60))
    run = estate.driver.work(estate.driver.start(), slices=200)
    assert estate.equal() == [True] * 5
    assert run.last_error is None


def test_a_failing_gitlab_leaves_the_rest_to_the_next_run() -> None:
    estate = Estate()
    estate.every(40, Unavailable("busy"))
    for number in range(3):
        estate.driver.work(estate.driver.start(f"s{number}"), slices=200)
    assert estate.equal() == [True] * 5
