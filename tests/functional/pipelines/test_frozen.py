"""A worker that is frozen inside any call to a table, and wakes when another one has finished, changes nothing."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from gitlab_hub.gitlab.errors import Unavailable
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.pipelines.keys import partitions
from gitlab_hub.pipelines.owed import OwedRows
from gitlab_hub.pipelines.projects import ProjectRows
from gitlab_hub.pipelines.read_states import ReadStates
from gitlab_hub.sync.history import history_partition
from gitlab_hub.sync.message import purge_message
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LEASE_SECONDS, RunStatus
from gitlab_hub.sync.store import RunStore
from gitlab_hub.sync.worker import Area, PurgeBook, Purger
from tests.fakes.engine import TARGET, Driver
from tests.fakes.faults import every_call, faulty
from tests.fakes.hints import HintWorker
from tests.unit.pipelines.pipelines_sync import SECOND, START, World
from tests.unit.pipelines.source_model import job

POISONED = "/projects/1/pipelines/2/jobs"
WAKES = START / SECOND + 10 * LEASE_SECONDS
"""The moment at which whatever the worker had is out of date."""

DOWN = Unavailable("GitLab answered 500.", http_status=500)


class Company:
    """Two projects whose pipelines were synced once, and workers on their table; its clock drives GitLab's."""

    def __init__(self) -> None:
        self.world = World()
        for number, project in ((1, 1), (2, 1), (3, 1), (4, 2)):
            self.world.add(number, project=project, status="success", jobs={number: job(number)})
        self.moved(1, "running", retried=False)
        gitlab: Any = self.world.gitlab
        self.driver = Driver(self.world.table, PipelinesFeature(self.world.table), cast("Any", gitlab))
        self.driver.now = self.world.now / SECOND
        gitlab.now = lambda: int(self.driver.now * SECOND)
        self.driver.work(self.driver.start("s0"))
        self.later()

    def later(self) -> None:
        """Let time pass."""
        self.driver.now += 60
        self.world.now = int(self.driver.now * SECOND)

    def moved(self, number: int, status: str, *, retried: bool) -> None:
        """Let a pipeline have moved on, with a job that was retried."""
        pipeline = self.world.project()[number]
        jobs = [job(number, status=status), *([job(number + 10, status=status)] if retried else [])]
        pipeline.jobs = {one["id"]: one for one in jobs}
        pipeline.status, pipeline.updated = status, self.world.now

    def stored(self) -> Any:
        """What is stored of GitLab, but for when that was."""
        table = self.world.table
        projects = (project for page in ProjectRows(table, "i1").listed(None) for project in page)
        states = {number: ReadStates(table, "i1").load(number) for number in (1, 2, 5)}
        return {
            "projects": {project["id"]: project["path_with_namespace"] for project in projects},
            "pipelines": {number: self.world.stored(number) for number in (1, 2, 5)},
            "owed": {number: set(OwedRows(table, "i1").of(number)) for number in (1, 2)},
            "read": {number: (one.error, one.owed, one.default_stored) for number, one in states.items()},
        }


Change = Callable[[Company], None]


def seen(company: Company) -> None:
    """What the worker gets to see: a pipeline that runs, one that is not shown, a new project."""
    company.moved(1, "running", retried=True)
    company.moved(2, "running", retried=False)
    company.world.gitlab.faults[POISONED] = DOWN
    company.world.add(5, project=5, status="running", jobs={5: job(5, status="running")})


def then(company: Company) -> None:
    """What is true when it wakes: all has ended, all is shown, another project has come and one was renamed."""
    company.driver.now = max(company.driver.now, WAKES)
    company.world.now = int(WAKES * SECOND)
    company.moved(1, "success", retried=False)
    company.moved(2, "failed", retried=True)
    company.world.gitlab.faults.clear()
    company.world.gitlab.group = "renamed"
    pipeline = company.world.project(5)[5]
    pipeline.status, pipeline.updated, pipeline.jobs = "failed", company.world.now, {5: job(5, status="failed")}


def start() -> tuple[Company, dict[str, Any]]:
    """A synced company in which something has changed, and a run that is about to begin."""
    company = Company()
    seen(company)
    return company, company.driver.start("s1")


def truth() -> Any:
    """What is stored where nobody was frozen."""
    company, message = start()
    then(company)
    company.driver.work(message)
    return company.stored()


def test_a_frozen_worker_of_a_run() -> None:
    expected = truth()
    assert expected["owed"] == {1: set(), 2: set()}
    for plan in every_call():
        company, message = start()
        driver = company.driver

        def another(company: Company = company, driver: Driver = driver, message: dict[str, Any] = message) -> None:
            then(company)
            driver.feature = PipelinesFeature(company.world.table)
            driver.work(message)
            if driver.run.succeeded_at is None or company.stored() != expected:
                # The frozen worker had not begun, or had read something already: the next run has the rest.
                company.later()
                driver.work(driver.start("s2"))
            assert company.stored() == expected, "before it woke"

        plan.meanwhile = another
        view = faulty(company.world.table, plan)
        driver.feature = PipelinesFeature(view)
        driver.engine(view).handle(message, remaining=driver.remaining)
        if not plan.struck:
            break
        assert (driver.run.status, company.stored()) == (RunStatus.IDLE, expected), plan
    assert plan.at > 40


def hinted(company: Company) -> tuple[HintWorker, dict[str, Any]]:
    """A hint about the pipeline that has moved on, and the worker that takes it."""
    world = company.world
    hint_worker = HintWorker(Kind.PIPELINES, world.table, world.gitlab, world.target, now=company.driver.now)
    hint_worker.state = world.table
    hint_worker.pipelines.pipeline("i1", 1, 1)
    [hint] = hint_worker.queue.take()
    return hint_worker, hint


def test_a_frozen_worker_of_a_hint() -> None:
    expected = truth()
    for plan in every_call():
        company, message = start()
        driver, (hint_worker, hint) = company.driver, hinted(company)

        def another(company: Company = company, driver: Driver = driver, message: dict[str, Any] = message) -> None:
            then(company)
            driver.work(message)
            if company.stored() != expected:
                company.later()
                driver.work(driver.start("s2"))
            assert company.stored() == expected, "before it woke"

        plan.meanwhile = another
        view = faulty(company.world.table, plan)
        hint_worker.handler(table=view).handle(hint, remaining=hint_worker.remaining)
        if not plan.struck:
            break
        # The hint may have been postponed: then it is processed again, and reads what is true by now.
        hint_worker.work()
        assert company.stored() == expected, plan
    assert plan.at > 6


def removed(company: Company) -> None:
    """Remove all that is left of the integration."""
    table, driver = company.world.table, company.driver
    driver.now += LEASE_SECONDS
    RunStore(table).delete(TARGET.integration_id)
    areas = [Area(table, lambda one: partitions(table, one)), Area(table, lambda one: [history_partition(one)])]
    purger = Purger(areas=areas, queue=driver.queue, book=PurgeBook(table, Kind.PIPELINES), now=lambda: 0.0)
    purger.handle(purge_message(TARGET.integration_id), remaining=lambda: 900.0)


def left(company: Company) -> set[str]:
    """Where something of an integration is, but for what holds workers back."""
    rows = (row["pk"] for row in company.world.table.dump())
    return {pk for pk in rows if not pk.startswith("BUDGET#")} - {"i1#fence"}


def test_a_frozen_worker_of_an_integration_that_is_gone() -> None:
    for plan in every_call():
        company, message = start()
        plan.meanwhile = partial(removed, company)
        view = faulty(company.world.table, plan)
        company.driver.feature = PipelinesFeature(view)
        company.driver.engine(view).handle(message, remaining=company.driver.remaining)
        if not plan.struck:
            break
        assert left(company) == set(), plan
    assert plan.at > 40


def test_a_frozen_worker_of_a_hint_to_an_integration_that_is_gone() -> None:
    for plan in every_call():
        company, _ = start()
        hint_worker, hint = hinted(company)

        def remove(company: Company = company, hint_worker: HintWorker = hint_worker) -> None:
            hint_worker.targets.only = None
            removed(company)

        plan.meanwhile = remove
        view = faulty(company.world.table, plan)
        hint_worker.handler(table=view).handle(hint, remaining=hint_worker.remaining)
        if not plan.struck:
            break
        assert left(company) <= {"i1#hints"}, plan
    assert plan.at > 6
