"""What Lambda calls: one function per entry, each building just what that entry needs, out of `wiring`.

Imports stand inside the functions: a cold start pays for what its function uses, and nothing else.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from gitlab_hub import wiring
from gitlab_hub.wiring import Entry

if TYPE_CHECKING:
    from gitlab_hub.storage.table import Table
    from gitlab_hub.sync.ports import Feature, Kind
    from gitlab_hub.sync.purge import Purger
    from gitlab_hub.sync.run import Run
    from gitlab_hub.web.route import Route


# ---- What Lambda calls


@cache
def authorizer() -> Entry:
    """Tells the gateway who calls."""
    from gitlab_hub.storage.secretsmanager import SecretsManager
    from gitlab_hub.web.entry import authorizer_entry
    from gitlab_hub.web.tokens import OwnerToken, TokenBook, TokenStore

    owner = OwnerToken(SecretsManager(), wiring.settings().need("owner_token_secret"), time.time)
    return authorizer_entry(TokenBook(TokenStore(wiring.integrations_table()), owner, time.time).principal_of)


@cache
def integrations_api() -> Entry:
    """Serves integrations, their credentials and their syncs."""
    entry = wiring.http(integrations_routes())

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        wiring.public_url().see(event)
        return entry(event, context)

    return handler


@cache
def access_api() -> Entry:
    """Serves accounts, groups, projects and grants."""
    return wiring.http(access_routes())


@cache
def pipelines_api() -> Entry:
    """Serves pipelines and jobs."""
    return wiring.http(pipelines_routes())


@cache
def operations_api() -> Entry:
    """Serves health, hub tokens and the API's own description."""
    return wiring.http(operations_routes())


@cache
def sync_accounts() -> Entry:
    """Starts due access syncs, and works on their queue."""
    from gitlab_hub.access.feature import AccessFeature
    from gitlab_hub.access.store import partitions

    table = wiring.table(wiring.settings().need("access_table"))
    purger = _purger(AccessFeature.kind, table, partitions)
    return _worker(
        AccessFeature(table), purger, wiring.settings().access_interval_minutes, wiring.integrations().life.sweep
    )


@cache
def sync_pipelines() -> Entry:
    """Starts due pipelines syncs, and works on their queue."""
    from gitlab_hub.pipelines.feature import PipelinesFeature
    from gitlab_hub.pipelines.purge import partitions

    table = wiring.table(wiring.settings().need("pipelines_table"))
    purger = _purger(PipelinesFeature.kind, table, partial(partitions, table))
    return _worker(PipelinesFeature(table), purger, wiring.settings().pipelines_interval_minutes)


# ---- The routes of each HTTP function; building them touches nothing outside the process


def integrations_routes() -> list["Route"]:
    """Everything about connecting a GitLab."""
    parts = wiring.integrations().routes(
        cursors=wiring.cursors(), syncs=wiring.syncs(), webhook_url=wiring.public_url().webhook
    )
    return [route for part in parts for route in part.routes()]


def access_routes() -> list["Route"]:
    """Reading the access sync's rows back."""
    from gitlab_hub.access.reader import AccessReader
    from gitlab_hub.access.routes import AccessRoutes

    reader = AccessReader(wiring.table(wiring.settings().access_table), now=time.time)
    return list(AccessRoutes(reader, wiring.cursors()).routes())


def pipelines_routes() -> list["Route"]:
    """Reading the pipelines sync's rows back."""
    from gitlab_hub.pipelines.reader import PipelineReader
    from gitlab_hub.pipelines.routes import PipelineRoutes

    return list(
        PipelineRoutes(PipelineReader(wiring.table(wiring.settings().pipelines_table)), wiring.cursors()).routes()
    )


def operations_routes() -> list["Route"]:
    """Health, tokens, and the description of everything."""
    from gitlab_hub.web.health import HealthRoutes
    from gitlab_hub.web.openapi import OpenApiRoutes
    from gitlab_hub.web.token_routes import TokenRoutes
    from gitlab_hub.web.tokens import TokenStore

    tokens = TokenRoutes(TokenStore(wiring.integrations_table()), wiring.master_key(), wiring.cursors(), time.time)
    return [*HealthRoutes().routes(), *tokens.routes(), *OpenApiRoutes(all_routes).routes()]


def all_routes() -> Iterable["Route"]:
    """The routes of all functions together, as `/openapi.json` shows them."""
    return [*integrations_routes(), *access_routes(), *pipelines_routes(), *operations_routes()]


def _purger(kind: "Kind", table: "Table", partitions: Callable[[str], Iterable[str]]) -> "Purger":
    from gitlab_hub.sync.purge import Purger

    return Purger(table=table, partitions=partitions, queue=wiring.syncs().queues[kind])


def _worker(feature: "Feature", purger: "Purger", minutes: int, *chores: Callable[[], object]) -> Entry:
    """The entry of a sync function: a tick starts what is due and does the chores, messages are worked on."""
    from gitlab_hub.sync.dispatch import Dispatcher
    from gitlab_hub.sync.engine import Engine, Outside
    from gitlab_hub.sync.worker import Worker
    from gitlab_hub.web.entry import worker_entry

    runs, queue = wiring.syncs().runs, purger.queue
    engine = Engine(
        feature, runs, wiring.targets(), wiring.connect, queue, Outside(worker=wiring.new_id, ended=_report)
    )
    dispatcher = Dispatcher(
        kind=feature.kind,
        runs=runs,
        targets=wiring.targets(),
        queue=queue,
        every_seconds=minutes * 60,
        now=time.time,
        new_id=wiring.new_id,
    )
    tick = [dispatcher.tick, *chores]
    return worker_entry(on_message=Worker(engine, purger), on_tick=lambda: [step() for step in tick])


def _report(run: "Run") -> None:
    from gitlab_hub.web.telemetry import run_ended

    name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "unknown")
    run_ended(name, kind=run.kind, status=run.status, integration_id=run.integration_id, counts=run.counts)
