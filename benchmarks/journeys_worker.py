"""Journeys of workers over the stand-in for AWS, with GitLabs in memory: `python -m benchmarks.journeys_worker`."""

import json
from collections.abc import Callable
from typing import cast

from benchmarks.children import Dynamo
from benchmarks.journeys import IDLE_SYNC, REFRESH
from benchmarks.quiet import logging_to_nowhere
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.storage.dynamodb import DynamoTable
from gitlab_hub.storage.secretsmanager import SecretsManager
from gitlab_hub.sync.engine import Connection, Engine, Runtime
from gitlab_hub.sync.rate_limit import SharedLimiter
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.store import RunStore
from tests.fakes.engine import Driver
from tests.fakes.oauth import LIFE
from tests.functional.integrations.oauth_hub import OAuthHub
from tests.functional.pipelines.test_run import Estate


def refresh() -> int:
    """Renew a pair that has expired."""
    hub = OAuthHub()
    hub.use(DynamoTable("integrations"), SecretsManager())
    one = hub.connected()
    credential_id = hub.loaded(one).credential.id
    hub.now += LIFE
    hub.gitlab.expire()
    return _calls(lambda: hub.feature.tokens.refresher.get_credential(one, credential_id))


def idle_sync() -> int:
    """Run a sync for the third time; the token is read besides (four calls)."""
    gitlab, table = Estate().driver.gitlab, DynamoTable("pipelines")
    driver = Driver(table, PipelinesFeature(table), gitlab)
    for sync_id in ("s1", "s2"):
        driver.work(driver.start(sync_id))
    message, limiter = driver.start("s3"), SharedLimiter(table, host="gitlab", user_id=7, now=lambda: driver.now)
    outside = Runtime(worker=lambda: "w", clock=lambda: driver.now)
    connection = Connection(cast("GitLab", gitlab), limiter)
    engine = Engine(driver.feature, RunStore(table), driver.targets, lambda _: connection, driver.queue, outside)
    calls = _calls(lambda: engine.handle(message, remaining=driver.remaining))
    if driver.run.status is not RunStatus.IDLE:
        raise ValueError("The sync has not come to its end.")
    return calls


def _calls(work: Callable[[], object]) -> int:
    store = Dynamo.named()
    before = sum(store.bills()["calls"].values())
    work()
    return sum(store.bills()["calls"].values()) - before


if __name__ == "__main__":
    with logging_to_nowhere():
        counts = {REFRESH: refresh(), IDLE_SYNC: idle_sync()}
    print(json.dumps(counts))
