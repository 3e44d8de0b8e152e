"""The entry of a sync function, built out of the container and of what the function works on.

Imports stand inside the functions: a cold start pays for what its function uses, and nothing else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gitlab_hub.composition.container import Container
    from gitlab_hub.storage.ports import Table
    from gitlab_hub.sync.hints.handler import SupportsRefresh
    from gitlab_hub.sync.hints.queue import HintQueue
    from gitlab_hub.sync.ports import Feature
    from gitlab_hub.sync.run import Run
    from gitlab_hub.sync.worker import EmptiedBeside, MessageHandler
    from gitlab_hub.web.entry import Handler

    class SyncFeature(Feature, SupportsRefresh, Protocol):
        """What a sync function needs of a feature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncWork:
    """What a sync function works on: runs, hints, other messages, and what it removes of integrations that are gone."""

    feature: "SyncFeature"
    hints: "HintQueue"
    purges: "Sequence[tuple[Table, Callable[[str], Iterable[str]]]]"
    minutes: int
    beside: "Sequence[tuple[Feature, int]]" = ()
    """Further kinds that the function syncs, and every how many minutes."""
    others: "Mapping[str, MessageHandler]" = field(default_factory=dict)
    emptied_beside: "Sequence[EmptiedBeside]" = ()


def sync_entry(container: "Container", work: SyncWork, *jobs: Callable[[], object]) -> "Handler":
    """The entry of a sync function: a tick starts what is due and does the jobs, messages are worked on."""
    from gitlab_hub.sync.dispatcher import Dispatcher
    from gitlab_hub.sync.engine import Engine, Runtime
    from gitlab_hub.sync.hints.handler import HintHandler
    from gitlab_hub.sync.worker import Area, PurgeBook, Purger, Worker
    from gitlab_hub.web.entry import worker_entry

    feature, runs, targets, connect = work.feature, container.syncs.runs, container.targets, container.connect
    queue = container.syncs.queues[feature.kind]
    purger = Purger(
        areas=[Area(table, of) for table, of in work.purges],
        queue=queue,
        book=PurgeBook(container.integrations_table, feature.kind),
        now=container.now,
        beside=work.emptied_beside,
    )
    runtime = Runtime(worker=container.new_id, ended=partial(_report, container))
    worker = Worker(
        Engine(feature, runs, targets, connect, queue, runtime),
        purger,
        HintHandler(
            feature=feature, hint_queue=work.hints, runs=runs, targets=targets, connect=connect, clock=container.now
        ),
        beside={str(one.kind): Engine(one, runs, targets, connect, queue, runtime) for one, _ in work.beside},
        others=work.others,
    )
    dispatcher = Dispatcher(
        kind=feature.kind,
        runs=runs,
        targets=targets,
        queue=queue,
        every_seconds=work.minutes * 60,
        now=container.now,
        new_id=container.new_id,
        beside={one.kind: minutes * 60 for one, minutes in work.beside},
    )
    return worker_entry(on_message=worker, jobs=[dispatcher.tick, purger.tick, *jobs])


def _report(container: "Container", run: "Run") -> None:
    from gitlab_hub.sync.incidents import keeps_failing, note
    from gitlab_hub.web.telemetry import run_ended

    run_ended(
        container.function_name,
        kind=run.kind,
        status=run.status,
        integration_id=run.integration_id,
        counts=run.counts,
        keeps_failing=keeps_failing(run),
    )
    note(container.incidents, run)
