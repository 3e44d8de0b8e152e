"""What Lambda calls: one function per entry, each building just what that entry needs, out of the container.

Imports stand inside the functions: a cold start pays for what its function uses, and nothing else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Protocol

from gitlab_hub.composition.container import Container, QuickContainer

if TYPE_CHECKING:
    from gitlab_hub.environment import Required
    from gitlab_hub.storage.ports import Table
    from gitlab_hub.storage.sqs import DeadLetterWatch
    from gitlab_hub.sync.hints.handler import TargetedRefresh
    from gitlab_hub.sync.hints.queue import HintQueue
    from gitlab_hub.sync.ports import Feature
    from gitlab_hub.sync.run import Run
    from gitlab_hub.web.route import Route

    class SyncFeature(Feature, TargetedRefresh, Protocol):
        """What a sync function needs of a feature."""


Entry = Callable[[Mapping[str, Any], Any], dict[str, Any]]

_RECEIVING: "tuple[Required, ...]" = (
    "integrations_table", "deliveries_table", "deliveries_queue_url", "master_key_secret",
)  # fmt: skip

_PROMPT = 600.0
"""Seconds after which a webhook or a step of a build comes late: somebody waits for it."""


@cache
def container() -> Container:
    """What this process is built from."""
    return Container()


# ---- What the gateway calls


@cache
def authorizer() -> Entry:
    """Tells the gateway who calls."""
    from gitlab_hub.web.entry import authorizer_entry

    container().require_env("owner_token_secret")
    return authorizer_entry(container().token_authenticator.principal_of)


@cache
def integrations_api() -> Entry:
    """Serves integrations, their credentials, syncs and hooks."""
    from gitlab_hub.composition.routes import integrations_routes

    return _learning_its_address(_http(integrations_routes(container())))


@cache
def oauth_api() -> Entry:
    """Serves the authorization of OAuth applications."""
    from gitlab_hub.composition.routes import oauth_routes

    return _learning_its_address(_http(oauth_routes(container())))


@cache
def webhooks_api() -> Entry:
    """Takes GitLab's webhooks in; with nothing around it that this does not need."""
    from gitlab_hub.web.entry import http_entry
    from gitlab_hub.webhooks.receiving.receiver import WebhookApp

    quick = QuickContainer()
    # Found out now, not by the first delivery.
    for name in _RECEIVING:
        quick.require_env(name)
    return http_entry(WebhookApp(quick.receiver()))


@cache
def builds_api() -> Entry:
    """Serves triggers, builds and the log of deliveries."""
    from gitlab_hub.composition.routes import builds_routes

    return _http(builds_routes(container()))


@cache
def access_api() -> Entry:
    """Serves accounts, groups, projects and grants."""
    from gitlab_hub.composition.routes import access_routes

    return _http(access_routes(container()))


@cache
def pipelines_api() -> Entry:
    """Serves pipelines and jobs."""
    from gitlab_hub.composition.routes import pipelines_routes

    return _http(pipelines_routes(container()))


@cache
def operations_api() -> Entry:
    """Serves health, hub tokens and the API's own description; and says so where there is no route."""
    from gitlab_hub.composition.routes import all_routes, operations_routes

    return _http(operations_routes(container()), everywhere=partial(all_routes, container()))


# ---- What queues and schedules call


@cache
def sync_accounts() -> Entry:
    """Starts due access syncs, and works on their queue."""
    from gitlab_hub.access.feature import AccessFeature
    from gitlab_hub.access.hints import AccessHints
    from gitlab_hub.access.store import partitions
    from gitlab_hub.builds.runs.store import BuildStore
    from gitlab_hub.builds.runs.store import partitions as build_partitions
    from gitlab_hub.sync.history import history_partition
    from gitlab_hub.webhooks.deliveries.store import delivery_partitions

    box = container()
    table, others = (_required_table(name) for name in ("access_table", "deliveries_table"))

    def ended(integration_id: str) -> Iterable[str]:
        yield history_partition(integration_id)

    def kept(integration_id: str) -> Iterable[str]:
        yield from delivery_partitions(others, integration_id)
        yield from build_partitions(BuildStore(others), integration_id)

    queue = box.syncs.queues[AccessFeature.kind]
    work = _Work(
        feature=AccessFeature(table),
        hints=AccessHints(table, queue, box.now).box,
        purges=[(table, partitions), (others, kept), (box.integrations_table, ended)],
        minutes=box.settings.access_interval_minutes,
    )
    return _worker(work, box.lifecycle.cleanup_orphans)


@cache
def sync_pipelines() -> Entry:
    """Starts due pipelines syncs, and works on their queue."""
    from gitlab_hub.pipelines.feature import PipelinesFeature
    from gitlab_hub.pipelines.hints import PipelineHints
    from gitlab_hub.pipelines.keys import partitions

    box, table = container(), _required_table("pipelines_table")
    queue = box.syncs.queues[PipelinesFeature.kind]
    work = _Work(
        feature=PipelinesFeature(table, box.incidents),
        hints=PipelineHints(table, queue, box.now).box,
        purges=[(table, partial(partitions, table))],
        minutes=box.settings.pipelines_interval_minutes,
    )
    return _worker(work)


@cache
def deliveries() -> Entry:
    """Works on kept deliveries; every minute it looks for those that were forgotten."""
    from gitlab_hub.access.hints import AccessHints
    from gitlab_hub.composition import adapters
    from gitlab_hub.pipelines.hints import PipelineHints
    from gitlab_hub.web.entry import worker_entry
    from gitlab_hub.webhooks.deliveries.metrics import WebhookMetrics

    box = container()
    pipelines, access = (_required_table(name) for name in ("pipelines_table", "access_table"))
    hints = adapters.SyncHints(
        PipelineHints(pipelines, box.queue("sync_pipelines_queue_url"), box.now),
        AccessHints(access, box.queue("sync_accounts_queue_url"), box.now),
    )
    worker = box.deliveries.worker(
        scopes=box.hook_scopes(),
        builds=box.builds.builds,
        hints=hints,
        standing=adapters.IntegrationStates(box.integration_store),
    )
    requeue = box.deliveries.sweeper(WebhookMetrics(box.function_name))
    return worker_entry(on_message=worker, on_tick=requeue.tick, late_after=_PROMPT)


@cache
def builder() -> Entry:
    """Starts builds, follows them and reports them; every minute it pushes those that were left."""
    from gitlab_hub.composition.adapters import BuilderMessageRouter
    from gitlab_hub.web.entry import worker_entry

    made = container().builder()
    return worker_entry(on_message=BuilderMessageRouter(made), on_tick=made.tick, late_after=_PROMPT)


@cache
def caretaker() -> Entry:
    """Looks after what ages: tokens, hooks, deliveries and pushes that were missed."""
    from gitlab_hub.composition import adapters
    from gitlab_hub.pipelines.projects import ProjectRows
    from gitlab_hub.web.entry import chores_entry
    from gitlab_hub.web.time_left import time_left

    box, pipelines = container(), _required_table("pipelines_table")
    everybody = adapters.AllIntegrations(box.integration_store).ids
    monitor = box.tokens.monitor(rotate=box.settings.auto_rotate_tokens)
    hooks = box.hooks.health_check(everybody)
    pushes = box.hooks.missed_pushes(
        integrations=everybody,
        built_projects=adapters.TriggeredProjects(box.builds.triggers, partial(ProjectRows, pipelines)),
        announce=box.deliveries.found,
    )
    return chores_entry([*(partial(job.tick, time_left) for job in (monitor, hooks, pushes)), _dead_letters().tick])


# ---- Parts of these


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What a sync function works on: its runs, its hints, and what it removes of integrations that are gone."""

    feature: "SyncFeature"
    hints: "HintQueue"
    purges: "Sequence[tuple[Table, Callable[[str], Iterable[str]]]]"
    minutes: int


def _worker(work: _Work, *chores: Callable[[], object]) -> Entry:
    """The entry of a sync function: a tick starts what is due and does the chores, messages are worked on."""
    from gitlab_hub.sync.dispatcher import Dispatcher
    from gitlab_hub.sync.engine import Engine, Runtime
    from gitlab_hub.sync.hints.handler import HintHandler
    from gitlab_hub.sync.worker import Area, PurgeBook, Purger, Worker
    from gitlab_hub.web.entry import worker_entry

    box = container()
    feature, runs, targets, connect = work.feature, box.syncs.runs, box.targets, box.connect
    queue = box.syncs.queues[feature.kind]
    purger = Purger(
        areas=[Area(table, of) for table, of in work.purges],
        queue=queue,
        book=PurgeBook(box.integrations_table, feature.kind),
        now=box.now,
    )
    worker = Worker(
        Engine(feature, runs, targets, connect, queue, Runtime(worker=box.new_id, ended=_report)),
        purger,
        HintHandler(feature=feature, box=work.hints, runs=runs, targets=targets, connect=connect, clock=box.now),
    )
    dispatcher = Dispatcher(
        kind=feature.kind,
        runs=runs,
        targets=targets,
        queue=queue,
        every_seconds=work.minutes * 60,
        now=box.now,
        new_id=box.new_id,
    )
    return worker_entry(on_message=worker, chores=[dispatcher.tick, purger.tick, *chores])


def _http(routes: "Iterable[Route]", everywhere: "Callable[[], Iterable[Route]] | None" = None) -> Entry:
    """The entry of an HTTP function; `everywhere`: all routes, for the one that answers where there is none."""
    from gitlab_hub.web.api import Api
    from gitlab_hub.web.entry import http_entry
    from gitlab_hub.web.idempotency import Idempotency

    box = container()
    idempotency = Idempotency(box.integrations_table)
    return http_entry(
        Api(routes, guard=box.integration_store, idempotency=idempotency, now=box.now, everywhere=everywhere)
    )


def _learning_its_address(entry: Entry) -> Entry:
    """Let the hub learn its own address from what the gateway says."""

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        container().public_url.see(event)
        return entry(event, context)

    return handler


def _required_table(name: "Required") -> "Table":
    """A table without which this function is of no use. Raises MissingSettingError."""
    container().require_env(name)
    return container().table(name)


def _dead_letters() -> "DeadLetterWatch":
    from gitlab_hub.storage.sqs import DeadLetterWatch, SqsDepth
    from gitlab_hub.web.telemetry import dead_letters

    queues = [SqsDepth(url) for url in container().settings.dead_letters_queue_urls]
    return DeadLetterWatch(queues, partial(dead_letters, container().function_name))


def _report(run: "Run") -> None:
    from gitlab_hub.sync.incidents import note
    from gitlab_hub.web.telemetry import run_ended

    run_ended(
        container().function_name,
        kind=run.kind,
        status=run.status,
        integration_id=run.integration_id,
        counts=run.counts,
    )
    note(container().incidents, run)
