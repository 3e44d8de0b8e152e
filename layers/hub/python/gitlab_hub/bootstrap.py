"""The only place that builds things: one function per Lambda entry, each building just what that entry needs.

Imports stand inside the functions: a cold start pays for what its function uses, and nothing else.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from gitlab_hub.gitlab.policy import NetworkPolicy
    from gitlab_hub.integrations.feature import IntegrationsFeature
    from gitlab_hub.integrations.targets import SyncTargets
    from gitlab_hub.settings import Settings
    from gitlab_hub.storage.dynamodb import DynamoTable
    from gitlab_hub.storage.table import Table
    from gitlab_hub.sync.engine import Connection
    from gitlab_hub.sync.ports import Feature, Kind, Target
    from gitlab_hub.sync.purge import Purger
    from gitlab_hub.sync.run import Run
    from gitlab_hub.sync.service import SyncService
    from gitlab_hub.web.cursors import Cursors
    from gitlab_hub.web.keys import MasterKey
    from gitlab_hub.web.public_url import PublicUrl
    from gitlab_hub.web.route import Route

Entry = Callable[[Mapping[str, Any], Any], dict[str, Any]]


# ---- What Lambda calls


@cache
def authorizer() -> Entry:
    """Tells the gateway who calls."""
    from gitlab_hub.storage.secretsmanager import SecretsManager
    from gitlab_hub.web.entry import authorizer_entry
    from gitlab_hub.web.tokens import OwnerToken, TokenBook, TokenStore

    owner = OwnerToken(SecretsManager(), _settings().need("owner_token_secret"), time.time)
    return authorizer_entry(TokenBook(TokenStore(_integrations_table()), owner, time.time).principal_of)


@cache
def integrations_api() -> Entry:
    """Serves integrations, their credentials and their syncs."""
    entry = _http(integrations_routes())

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        _public_url().see(event)
        return entry(event, context)

    return handler


@cache
def access_api() -> Entry:
    """Serves accounts, groups, projects and grants."""
    return _http(access_routes())


@cache
def pipelines_api() -> Entry:
    """Serves pipelines and jobs."""
    return _http(pipelines_routes())


@cache
def operations_api() -> Entry:
    """Serves health, hub tokens and the API's own description."""
    return _http(operations_routes())


@cache
def sync_accounts() -> Entry:
    """Starts due access syncs, and works on their queue."""
    from gitlab_hub.access.feature import AccessFeature
    from gitlab_hub.access.store import partitions

    table = _table(_settings().need("access_table"))
    purger = _purger(AccessFeature.kind, table, partitions)
    return _worker(AccessFeature(table), purger, _settings().access_interval_minutes, _integrations().life.sweep)


@cache
def sync_pipelines() -> Entry:
    """Starts due pipelines syncs, and works on their queue."""
    from gitlab_hub.pipelines.feature import PipelinesFeature
    from gitlab_hub.pipelines.purge import partitions

    table = _table(_settings().need("pipelines_table"))
    purger = _purger(PipelinesFeature.kind, table, partial(partitions, table))
    return _worker(PipelinesFeature(table), purger, _settings().pipelines_interval_minutes)


# ---- The routes of each HTTP function; building them touches nothing outside the process


def integrations_routes() -> list["Route"]:
    """Everything about connecting a GitLab."""
    parts = _integrations().routes(cursors=_cursors(), syncs=_syncs(), webhook_url=_public_url().webhook)
    return [route for part in parts for route in part.routes()]


def access_routes() -> list["Route"]:
    """Reading the access sync's rows back."""
    from gitlab_hub.access.reader import AccessReader
    from gitlab_hub.access.routes import AccessRoutes

    reader = AccessReader(_table(_settings().access_table), now=time.time)
    return list(AccessRoutes(reader, _cursors()).routes())


def pipelines_routes() -> list["Route"]:
    """Reading the pipelines sync's rows back."""
    from gitlab_hub.pipelines.reader import PipelineReader
    from gitlab_hub.pipelines.routes import PipelineRoutes

    return list(PipelineRoutes(PipelineReader(_table(_settings().pipelines_table)), _cursors()).routes())


def operations_routes() -> list["Route"]:
    """Health, tokens, and the description of everything."""
    from gitlab_hub.web.health import HealthRoutes
    from gitlab_hub.web.openapi import OpenApiRoutes
    from gitlab_hub.web.token_routes import TokenRoutes
    from gitlab_hub.web.tokens import TokenStore

    tokens = TokenRoutes(TokenStore(_integrations_table()), _master_key(), _cursors(), time.time)
    return [*HealthRoutes().routes(), *tokens.routes(), *OpenApiRoutes(all_routes).routes()]


def all_routes() -> Iterable["Route"]:
    """The routes of all functions together, as `/openapi.json` shows them."""
    return [*integrations_routes(), *access_routes(), *pipelines_routes(), *operations_routes()]


# ---- What they are built from


@cache
def _settings() -> "Settings":
    from gitlab_hub.settings import Settings

    return Settings.from_env(os.environ)


def _table(name: str) -> "DynamoTable":
    from gitlab_hub.storage.dynamodb import DynamoTable

    return DynamoTable(name)


@cache
def _integrations_table() -> "DynamoTable":
    return _table(_settings().integrations_table)


@cache
def _master_key() -> "MasterKey":
    from gitlab_hub.storage.secretsmanager import SecretsManager
    from gitlab_hub.web.keys import MasterKey

    return MasterKey(SecretsManager(), _settings().master_key_secret)


@cache
def _cursors() -> "Cursors":
    from gitlab_hub.web.cursors import Cursors

    return Cursors(lambda: _master_key().derive("cursors"))


@cache
def _public_url() -> "PublicUrl":
    from gitlab_hub.web.public_url import PublicUrl

    return PublicUrl(_settings().public_url, os.environ.get("AWS_REGION", ""))


@cache
def _policy() -> "NetworkPolicy":
    from gitlab_hub.gitlab.policy import NetworkPolicy

    settings = _settings()
    return NetworkPolicy(
        allowed_private_cidrs=settings.allowed_private_cidrs,
        allowed_hosts=settings.allowed_hosts,
        allowed_ports=settings.allowed_ports,
        allow_loopback=settings.allow_loopback,
        allow_http=settings.allow_insecure_http,
    )


@cache
def _integrations() -> "IntegrationsFeature":
    from gitlab_hub.integrations.connector import QUICK, GitLabConnector
    from gitlab_hub.integrations.feature import IntegrationsFeature
    from gitlab_hub.integrations.verifier import Verifier
    from gitlab_hub.storage.secretsmanager import SecretsManager

    connector = GitLabConnector(_policy(), replace(QUICK, ca_bundle=_settings().ca_bundle or None))
    return IntegrationsFeature(
        table=_integrations_table(),
        secrets=SecretsManager(_settings().secret_prefix),
        connector=connector,
        verifier=Verifier(connector),
        purge=_syncs().forget,
        now=time.time,
    )


def _http(routes: Iterable["Route"]) -> Entry:
    from gitlab_hub.integrations.store import IntegrationStore
    from gitlab_hub.storage.secretsmanager import SecretsManager
    from gitlab_hub.web.api import Api
    from gitlab_hub.web.entry import http_entry
    from gitlab_hub.web.idempotency import Idempotency

    table = _integrations_table()
    guard = IntegrationStore(table, SecretsManager(_settings().secret_prefix))
    return http_entry(Api(routes, guard=guard, idempotency=Idempotency(table), now=time.time))


# ---- The sync engine


@cache
def _syncs() -> "SyncService":
    from gitlab_hub.storage.sqs import SqsQueue
    from gitlab_hub.sync.ports import Kind
    from gitlab_hub.sync.service import SyncService
    from gitlab_hub.sync.store import RunStore

    settings = _settings()
    urls = {Kind.ACCESS: settings.sync_accounts_queue_url, Kind.PIPELINES: settings.sync_pipelines_queue_url}
    return SyncService(
        runs=RunStore(_integrations_table()),
        queues={kind: SqsQueue(url) for kind, url in urls.items() if url},
        now=time.time,
        new_id=_new_id,
    )


def _purger(kind: "Kind", table: "Table", partitions: Callable[[str], Iterable[str]]) -> "Purger":
    from gitlab_hub.sync.purge import Purger

    return Purger(table=table, partitions=partitions, queue=_syncs().queues[kind])


def _worker(feature: "Feature", purger: "Purger", minutes: int, *chores: Callable[[], object]) -> Entry:
    """The entry of a sync function: a tick starts what is due and does the chores, messages are worked on."""
    from gitlab_hub.sync.dispatch import Dispatcher
    from gitlab_hub.sync.engine import Engine, Outside
    from gitlab_hub.sync.worker import Worker
    from gitlab_hub.web.entry import worker_entry

    runs, queue = _syncs().runs, purger.queue
    engine = Engine(feature, runs, _targets(), _connect, queue, Outside(worker=_new_id, ended=_report))
    dispatcher = Dispatcher(
        kind=feature.kind,
        runs=runs,
        targets=_targets(),
        queue=queue,
        every_seconds=minutes * 60,
        now=time.time,
        new_id=_new_id,
    )
    tick = [dispatcher.tick, *chores]
    return worker_entry(on_message=Worker(engine, purger), on_tick=lambda: [step() for step in tick])


@cache
def _targets() -> "SyncTargets":
    from gitlab_hub.integrations.targets import SyncTargets

    return SyncTargets(_integrations().store, time.time)


def _connect(target: "Target") -> "Connection":
    """A client for one target, held back by the budget that all workers share."""
    from gitlab_hub.gitlab.address import Address
    from gitlab_hub.gitlab.client import ClientOptions, GitLab
    from gitlab_hub.sync.engine import Connection
    from gitlab_hub.sync.limiter import SharedLimiter

    policy, options = _policy(), ClientOptions(ca_bundle=_settings().ca_bundle or None)
    address = Address.vetted(target.base_url, policy)
    limiter = SharedLimiter(_integrations_table(), host=address.origin, user_id=target.user_id, now=time.time)
    gitlab = GitLab(address, _targets().tokens(target), policy=policy, limiter=limiter, options=options)
    return Connection(gitlab, limiter)


def _report(run: "Run") -> None:
    from gitlab_hub.web.telemetry import run_ended

    name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "unknown")
    run_ended(name, kind=run.kind, status=run.status, integration_id=run.integration_id, counts=run.counts)


def _new_id() -> str:
    return uuid4().hex
