"""What Lambda calls: one function per entry, each building just what that entry needs, out of the container.

Imports stand inside the functions: a cold start pays for what its function uses, and nothing else.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from gitlab_hub.composition.container import Container

if TYPE_CHECKING:
    from pathlib import Path

    from gitlab_hub.composition.core import Required
    from gitlab_hub.storage.ports import Table
    from gitlab_hub.storage.sqs import DeadLetterWatch
    from gitlab_hub.web.route import Route


Entry = Callable[[Mapping[str, Any], Any], dict[str, Any]]

_REQUIRED: "tuple[Required, ...]" = (
    "integrations_table", "deliveries_table", "deliveries_queue_url", "master_key_secret",
)  # fmt: skip

LATE_AFTER_SECONDS = 600.0
"""Seconds after which a webhook or a step of a build comes late: somebody waits for it."""


@cache
def get_container() -> Container:
    """What this process is built from."""
    return Container()


# ---- What the gateway calls


@cache
def authorizer() -> Entry:
    """Tells the gateway who calls."""
    from gitlab_hub.web.entry import authorizer_entry

    get_container().require_env("owner_token_secret")
    return authorizer_entry(get_container().token_authenticator.principal_of)


@cache
def integrations_api() -> Entry:
    """Serves integrations, their credentials, syncs and hooks."""
    from gitlab_hub.composition.routes import integrations_routes

    return _with_public_url(_http(integrations_routes(get_container())))


@cache
def oauth_api() -> Entry:
    """Serves the authorization of OAuth applications."""
    from gitlab_hub.composition.routes import oauth_routes

    return _with_public_url(_http(oauth_routes(get_container())))


@cache
def webhooks_api() -> Entry:
    """Takes GitLab's webhooks in; with nothing around it that this does not need."""
    from gitlab_hub.composition.quick_container import QuickContainer
    from gitlab_hub.web.entry import http_entry
    from gitlab_hub.webhooks.receiving.receiver import WebhookApp

    quick = QuickContainer()
    # Found out now, not by the first delivery.
    for name in _REQUIRED:
        quick.require_env(name)
    return http_entry(WebhookApp(quick.receiver()))


@cache
def builds_api() -> Entry:
    """Serves triggers, builds and the log of deliveries."""
    from gitlab_hub.composition.routes import builds_routes

    return _http(builds_routes(get_container()))


@cache
def access_api() -> Entry:
    """Serves accounts, groups, projects and grants."""
    from gitlab_hub.composition.routes import access_routes

    return _http(access_routes(get_container()))


@cache
def provisioning_api() -> Entry:
    """Serves plans to change access."""
    from gitlab_hub.composition.routes import provisioning_routes

    get_container().require_env("access_table")
    return _http(provisioning_routes(get_container()))


@cache
def pipelines_api() -> Entry:
    """Serves pipelines and jobs."""
    from gitlab_hub.composition.routes import pipelines_routes

    return _http(pipelines_routes(get_container()))


@cache
def operations_api() -> Entry:
    """Serves health, hub tokens and the API's own description; and says so where there is no route."""
    from gitlab_hub.composition.routes import all_routes, operations_routes

    routes = operations_routes(get_container())
    return _with_public_url(_http(routes, all_routes=partial(all_routes, get_container())))


@cache
def console_pages(folder: "Path") -> Entry:
    """Serves the web console; `folder` holds its templates and assets."""
    from gitlab_hub.composition.console import console_of
    from gitlab_hub.web.entry import http_entry

    get_container().require_env("owner_token_secret")
    console = console_of(get_container(), folder)
    return http_entry(console, failure=console.failure)


# ---- What queues and schedules call


@cache
def sync_accounts() -> Entry:
    """Starts due access syncs, and the provisioner where plans are due; works on the queue of the syncs."""
    from gitlab_hub.composition.access_work import access_work
    from gitlab_hub.composition.sync_entry import sync_entry

    table, others = (_required_table(name) for name in ("access_table", "deliveries_table"))
    work, jobs = access_work(get_container(), table, others)
    return sync_entry(get_container(), work, *jobs)


@cache
def sync_pipelines() -> Entry:
    """Starts due pipelines syncs, tells the bus of alerts, and works on the queue of the syncs."""
    from gitlab_hub.composition.sync_entry import SyncWork, sync_entry
    from gitlab_hub.pipelines.feature import PipelinesFeature
    from gitlab_hub.pipelines.figures.alert_events import AlertEvents
    from gitlab_hub.pipelines.hints import PipelineHints
    from gitlab_hub.pipelines.keys import partitions

    container, table = get_container(), _required_table("pipelines_table")
    queue, settings = container.syncs.queues[PipelinesFeature.kind], container.settings
    work = SyncWork(
        feature=PipelinesFeature(
            table, container.incidents, alerts=settings.pipeline_alerts, deployments=settings.read_deployments
        ),
        hints=PipelineHints(table, queue, container.now).hint_queue,
        purges=[(table, partial(partitions, table))],
        minutes=settings.pipelines_interval_minutes,
    )
    container.require_env("builds_bus")
    # Also where alerts are off: what opened while they were on closes some time.
    return sync_entry(container, work, AlertEvents(container.incidents, container.bus("builds_bus")).tick)


@cache
def deliveries() -> Entry:
    """Works on kept deliveries; every minute it looks for those that nobody has queued."""
    from gitlab_hub.access.hints import AccessHints
    from gitlab_hub.composition import adapters
    from gitlab_hub.pipelines.hints import PipelineHints
    from gitlab_hub.web.entry import worker_entry
    from gitlab_hub.webhooks.deliveries.metrics import WebhookMetrics

    container = get_container()
    pipelines, access = (_required_table(name) for name in ("pipelines_table", "access_table"))
    hints = adapters.SyncHints(
        PipelineHints(pipelines, container.queue("sync_pipelines_queue_url"), container.now),
        AccessHints(access, container.queue("sync_accounts_queue_url"), container.now),
    )
    worker = container.deliveries.worker(
        scopes=container.hook_scopes(),
        builds=container.builds.builds,
        hints=hints,
        states=adapters.IntegrationStates(container.integration_store),
    )
    requeue = container.deliveries.requeue_job(WebhookMetrics(container.function_name))
    return worker_entry(on_message=worker, on_tick=requeue.tick, late_after=LATE_AFTER_SECONDS)


@cache
def builder() -> Entry:
    """Starts builds, follows them and reports them; every minute it pushes those that were left."""
    from gitlab_hub.composition.adapters import BuilderMessageRouter
    from gitlab_hub.web.entry import worker_entry

    worker = get_container().builder()
    return worker_entry(on_message=BuilderMessageRouter(worker), on_tick=worker.tick, late_after=LATE_AFTER_SECONDS)


@cache
def provisioner() -> Entry:
    """Carries out plans that are being applied, and has the access sync read what they change."""
    import time

    from gitlab_hub.access.changes.own_changes import OwnChanges
    from gitlab_hub.access.hints import AccessHints
    from gitlab_hub.web.entry import jobs_entry, work_time_left

    container, table = get_container(), _required_table("access_table")
    hints = AccessHints(table, container.queue("sync_accounts_queue_url"), container.now)
    own_changes = OwnChanges(table, container.now)
    worker = container.provisioning.worker(hints, own_changes, container.new_id, time.sleep)
    return jobs_entry([partial(worker.tick, work_time_left)])


@cache
def exporter() -> Entry:
    """Makes exports."""
    from gitlab_hub.composition.export_sources import exporter_of
    from gitlab_hub.web.entry import jobs_entry, work_time_left

    get_container().require_env("exports_bucket")
    worker = exporter_of(get_container(), *(_required_table(name) for name in ("access_table", "pipelines_table")))
    return jobs_entry([partial(worker.tick, work_time_left)])


@cache
def caretaker() -> Entry:
    """Looks after what ages: tokens, hooks, deliveries and pushes that were missed; starts exports that were left."""
    from gitlab_hub.composition import adapters
    from gitlab_hub.exports.keys import start_where_due
    from gitlab_hub.pipelines.projects import ProjectRows
    from gitlab_hub.web.entry import jobs_entry, time_left

    container, pipelines = get_container(), _required_table("pipelines_table")
    all_integrations = adapters.AllIntegrations(container.integration_store).ids
    monitor = container.tokens.monitor(rotate=container.settings.auto_rotate_tokens)
    hooks = container.hooks.health_check(all_integrations)
    pushes = container.hooks.missed_pushes(
        integrations=all_integrations,
        built_projects=adapters.TriggeredProjects(container.builds.triggers, partial(ProjectRows, pipelines)),
        announce=container.deliveries.synthesized_pushes,
    )
    # A schedule of the exporter's own, or a queue, would cost an idle hub more than a look from here.
    exports = partial(
        start_where_due, container.integrations_table, container.function("exporter_function"), container.now
    )
    return jobs_entry(
        [*(partial(job.tick, time_left) for job in (monitor, hooks, pushes)), exports, _dead_letters().tick]
    )


# ---- Parts of these


def _http(routes: "Iterable[Route]", all_routes: "Callable[[], Iterable[Route]] | None" = None) -> Entry:
    """The entry of an HTTP function; `all_routes`: all routes, for the one that answers where there is none."""
    from gitlab_hub.web.api import Api
    from gitlab_hub.web.entry import http_entry
    from gitlab_hub.web.idempotency import Idempotency

    container = get_container()
    idempotency = Idempotency(container.integrations_table)
    return http_entry(
        Api(
            routes, guard=container.integration_store, idempotency=idempotency, now=container.now, all_routes=all_routes
        )
    )


def _with_public_url(entry: Entry) -> Entry:
    """Let the hub learn its own address from what the gateway says."""

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        get_container().public_url.learn_from(event)
        return entry(event, context)

    return handler


def _required_table(name: "Required") -> "Table":
    """A table without which this function is of no use. Raises MissingSettingError."""
    get_container().require_env(name)
    return get_container().table(name)


def _dead_letters() -> "DeadLetterWatch":
    from gitlab_hub.storage.sqs import DeadLetterWatch, SqsDepth
    from gitlab_hub.web.telemetry import dead_letters

    queues = [SqsDepth(url) for url in get_container().settings.dead_letters_queue_urls]
    return DeadLetterWatch(queues, partial(dead_letters, get_container().function_name))
