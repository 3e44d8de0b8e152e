"""Waits that GitLab asks for and a table that is away, in one run: only what lasts ends it."""

import itertools
from typing import Any, cast

from gitlab_hub.gitlab.errors import RateLimited
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.storage.ports import StorageUnavailable, Table
from gitlab_hub.sync.run import MOST_SETBACKS, RunStatus
from tests.fakes.faults import Plan, faulty
from tests.functional.pipelines.test_run import Estate


def limited_at_first(estate: Estate, waits: int) -> None:
    """Let GitLab put off that many requests before it answers any."""
    requests = itertools.count(1)

    def fail(_: str) -> None:
        if next(requests) <= waits:
            raise RateLimited("later", retry_after=60)

    estate.world.gitlab.before = fail


def test_a_table_that_is_away_for_a_moment_does_not_end_a_run_that_has_waited_for_gitlab() -> None:
    estate = Estate()
    limited_at_first(estate, MOST_SETBACKS + 2)
    plan = Plan(at=1, error=lambda: StorageUnavailable("throttled", retry_after=5))

    class Throttled:
        """The first transaction with rows of the feature does not get through."""

        def __getattr__(self, name: str) -> Any:
            return getattr(faulty(estate.world.table, plan) if name == "transact" else estate.world.table, name)

    estate.driver.feature = PipelinesFeature(cast("Table", Throttled()))
    run = estate.driver.work(estate.driver.start())
    assert len(plan.calls) > 1
    assert (run.status, run.last_error, estate.equal()) == (RunStatus.IDLE, None, [True] * 5)
