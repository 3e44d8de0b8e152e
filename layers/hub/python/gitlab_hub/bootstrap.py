"""What Lambda calls: one function per entry, each building just what that entry needs, out of `wiring`.

Imports stand inside the functions: a cold start pays for what its function uses, and nothing else.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Protocol

from gitlab_hub import routing, wiring, wiring_events
from gitlab_hub.wiring import Entry

if TYPE_CHECKING:
    from gitlab_hub.environment import Required
    from gitlab_hub.storage.dead_letters import DeadLetterWatch
    from gitlab_hub.storage.table import Table
    from gitlab_hub.sync.hint_box import HintBox
    from gitlab_hub.sync.hints import Heeding
    from gitlab_hub.sync.ports import Feature
    from gitlab_hub.sync.run import Run

    class SyncFeature(Feature, Heeding, Protocol):
        """What a sync function needs of a feature."""


_RECEIVING: "tuple[Required, ...]" = (
    "integrations_table", "deliveries_table", "deliveries_queue_url", "master_key_secret",
)  # fmt: skip

_PROMPT = 600.0
"""Seconds after which a webhook or a step of a build comes late: somebody waits for it."""


# ---- What Lambda calls


@cache
def authorizer() -> Entry:
    """Tells the gateway who calls."""
    from gitlab_hub.web.entry import authorizer_entry

    wiring.needed("owner_token_secret")
    return authorizer_entry(wiring.token_book().principal_of)


@cache
def integrations_api() -> Entry:
    """Serves integrations, their credentials, syncs and hooks."""
    return _seen(wiring.http(routing.integrations_routes()))


@cache
def oauth_api() -> Entry:
    """Serves the authorization of OAuth applications."""
    return _seen(wiring.http(routing.oauth_routes()))


@cache
def webhooks_api() -> Entry:
    """Takes GitLab's webhooks in; with nothing around it that this does not need."""
    from gitlab_hub.web.entry import http_entry
    from gitlab_hub.webhooks.front import Front

    # Found out now, not by the first delivery.
    for name in _RECEIVING:
        wiring.needed(name)
    return http_entry(Front(wiring_events.receiver()))


@cache
def builds_api() -> Entry:
    """Serves triggers, builds and the log of deliveries."""
    return wiring.http(routing.builds_routes())


@cache
def access_api() -> Entry:
    """Serves accounts, groups, projects and grants."""
    return wiring.http(routing.access_routes())


@cache
def pipelines_api() -> Entry:
    """Serves pipelines and jobs."""
    return wiring.http(routing.pipelines_routes())


@cache
def operations_api() -> Entry:
    """Serves health, hub tokens and the API's own description; and says so where there is no route."""
    return wiring.http(routing.operations_routes(), everywhere=routing.all_routes)


@cache
def sync_accounts() -> Entry:
    """Starts due access syncs, and works on their queue."""
    from gitlab_hub.access.feature import AccessFeature
    from gitlab_hub.access.hints import AccessHints
    from gitlab_hub.access.store import partitions
    from gitlab_hub.sync.history import history_partition
    from gitlab_hub.webhooks.purge import delivery_partitions

    table, others = (wiring.table(wiring.settings().need(name)) for name in ("access_table", "deliveries_table"))

    def ended(integration_id: str) -> Iterable[str]:
        yield history_partition(integration_id)

    def kept(integration_id: str) -> Iterable[str]:
        yield from delivery_partitions(others, integration_id)
        yield from wiring_events.builds().partitions(integration_id)

    queue = wiring.syncs().queues[AccessFeature.kind]
    work = _Work(
        feature=AccessFeature(table),
        box=AccessHints(table, queue, time.time).box,
        purges=[(table, partitions), (others, kept), (wiring.integrations_table(), ended)],
        minutes=wiring.settings().access_interval_minutes,
    )
    return _worker(work, wiring.integrations().life.sweep)


@cache
def sync_pipelines() -> Entry:
    """Starts due pipelines syncs, and works on their queue."""
    from gitlab_hub.incidents import IncidentStore
    from gitlab_hub.pipelines.feature import PipelinesFeature
    from gitlab_hub.pipelines.hints import PipelineHints
    from gitlab_hub.pipelines.purge import partitions

    table = wiring.table(wiring.settings().need("pipelines_table"))
    queue = wiring.syncs().queues[PipelinesFeature.kind]
    work = _Work(
        feature=PipelinesFeature(table, IncidentStore(wiring.integrations_table(), time.time)),
        box=PipelineHints(table, queue, time.time).box,
        purges=[(table, partial(partitions, table))],
        minutes=wiring.settings().pipelines_interval_minutes,
    )
    return _worker(work)


@cache
def deliveries() -> Entry:
    """Works on kept deliveries; every minute it looks for those that were forgotten."""
    from gitlab_hub import joints
    from gitlab_hub.access.hints import AccessHints
    from gitlab_hub.pipelines.hints import PipelineHints
    from gitlab_hub.storage.sqs import SqsQueue
    from gitlab_hub.web.entry import worker_entry
    from gitlab_hub.webhooks.notices import LoggedNotices

    settings = wiring.settings()
    tables = {name: wiring.table(settings.need(name)) for name in ("access_table", "pipelines_table")}
    hints = joints.SyncHints(
        PipelineHints(tables["pipelines_table"], SqsQueue(settings.sync_pipelines_queue_url), time.time),
        AccessHints(tables["access_table"], SqsQueue(settings.sync_accounts_queue_url), time.time),
    )
    worker = wiring_events.deliveries().worker(
        scopes=wiring_events.hook_scopes(),
        builds=wiring_events.builds().builds,
        hints=hints,
        standing=joints.Standings(wiring.integration_store()),
    )
    sweeper = wiring_events.deliveries().sweeper(LoggedNotices(wiring.name()))
    return worker_entry(on_message=worker, on_tick=sweeper.tick, late_after=_PROMPT)


@cache
def builder() -> Entry:
    """Starts builds, follows them and reports them; every minute it pushes those that were left."""
    import random

    from gitlab_hub import joints
    from gitlab_hub.builds.targets.every import every_target
    from gitlab_hub.web.entry import worker_entry

    targets = every_target(
        bus=wiring.settings().builds_bus,
        policy=wiring_events.target_policy(),
        sign=wiring_events.builds().signer(wiring_events.signing_key),
        ca_bundle=wiring.settings().ca_bundle or None,
    )
    made = wiring_events.builds().builder(targets, draw=random.random)
    return worker_entry(on_message=joints.BuilderQueues(made), on_tick=made.tick, late_after=_PROMPT)


@cache
def caretaker() -> Entry:
    """Looks after what ages: tokens, hooks, deliveries and pushes that were missed."""
    from gitlab_hub import joints
    from gitlab_hub.pipelines.project_store import ProjectRows
    from gitlab_hub.web.entry import chores_entry
    from gitlab_hub.web.time_left import time_left

    pipelines = wiring.table(wiring.settings().need("pipelines_table"))
    everybody = joints.Everybody(wiring.integration_store()).ids
    care = wiring.integrations().caretaker(rotate=wiring.settings().auto_rotate_tokens)
    hooks = wiring_events.hooks().care(everybody)
    watch = wiring_events.hooks().ref_watch(
        integrations=everybody,
        built_projects=joints.BuiltProjects(wiring_events.builds().triggers, partial(ProjectRows, pipelines)),
        announce=wiring_events.deliveries().found,
    )
    return chores_entry([*(partial(chore.tick, time_left) for chore in (care, hooks, watch)), _dead_letters().tick])


# ---- Parts of these


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What a sync function works on: its runs, its hints, and what it removes of integrations that are gone."""

    feature: "SyncFeature"
    box: "HintBox"
    purges: "Sequence[tuple[Table, Callable[[str], Iterable[str]]]]"
    minutes: int


def _worker(work: _Work, *chores: Callable[[], object]) -> Entry:
    """The entry of a sync function: a tick starts what is due and does the chores, messages are worked on."""
    from gitlab_hub.sync.dispatch import Dispatcher
    from gitlab_hub.sync.engine import Engine, Outside
    from gitlab_hub.sync.hints import HintHandler
    from gitlab_hub.sync.purge import Area, Purger
    from gitlab_hub.sync.purge_book import PurgeBook
    from gitlab_hub.sync.worker import Worker
    from gitlab_hub.web.entry import worker_entry

    feature, runs, targets, connect = work.feature, wiring.syncs().runs, wiring.targets(), wiring.connect
    queue = wiring.syncs().queues[feature.kind]
    purger = Purger(
        areas=[Area(table, of) for table, of in work.purges],
        queue=queue,
        book=PurgeBook(wiring.integrations_table(), feature.kind),
        now=time.time,
    )
    worker = Worker(
        Engine(feature, runs, targets, connect, queue, Outside(worker=wiring.new_id, ended=_report)),
        purger,
        HintHandler(feature=feature, box=work.box, runs=runs, targets=targets, connect=connect, clock=time.time),
    )
    dispatcher = Dispatcher(
        kind=feature.kind,
        runs=runs,
        targets=targets,
        queue=queue,
        every_seconds=work.minutes * 60,
        now=time.time,
        new_id=wiring.new_id,
    )
    return worker_entry(on_message=worker, chores=[dispatcher.tick, purger.tick, *chores])


def _dead_letters() -> "DeadLetterWatch":
    from gitlab_hub.storage.dead_letters import DeadLetterWatch
    from gitlab_hub.storage.sqs import SqsDepth
    from gitlab_hub.web.telemetry import dead_letters

    queues = [SqsDepth(url) for url in wiring.settings().dead_letters_queue_urls]
    return DeadLetterWatch(queues, partial(dead_letters, wiring.name()))


def _report(run: "Run") -> None:
    from gitlab_hub.incidents import IncidentStore
    from gitlab_hub.sync.incidents import note
    from gitlab_hub.web.telemetry import run_ended

    run_ended(wiring.name(), kind=run.kind, status=run.status, integration_id=run.integration_id, counts=run.counts)
    note(IncidentStore(wiring.integrations_table(), time.time), run)


def _seen(entry: Entry) -> Entry:
    """Let the hub learn its own address from what the gateway says."""

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        wiring.public_url().see(event)
        return entry(event, context)

    return handler
