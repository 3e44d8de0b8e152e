"""Hints to a hub over the stand-in, from the sender's side to the worker's."""

from collections.abc import Callable
from typing import Any

from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.access.hints import AccessHints
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.pipelines.hints import PipelineHints
from gitlab_hub.sync.hints.handler import HintHandler, SupportsRefresh
from gitlab_hub.sync.hints.queue import HintQueue
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.store import RunStore
from tests.fakes.sync_worker import ID, SyncHub


def pipeline(hub: SyncHub, row: dict[str, Any]) -> None:
    """Tell a hub of a pipeline."""
    sender = PipelineHints(hub.rows[Kind.PIPELINES], hub.queues[Kind.PIPELINES], lambda: hub.now)
    sender.pipeline(ID, row["project_id"], row["id"])


def resource(hub: SyncHub, kind: str, number: int) -> None:
    """Tell a hub of a group or a project."""
    sender = AccessHints(hub.rows[Kind.ACCESS], hub.queues[Kind.ACCESS], lambda: hub.now)
    sends: dict[str, Callable[[str, int], None]] = {"group": sender.group, "project": sender.project}
    sends[kind](ID, number)


def handler(hub: SyncHub, kind: Kind) -> HintHandler:
    """A worker of its own."""
    state, table = hub.view(hub.state), hub.view(hub.rows[kind])
    feature: SupportsRefresh = AccessFeature(table) if kind is Kind.ACCESS else PipelinesFeature(table)
    hints = AccessHints if kind is Kind.ACCESS else PipelineHints
    hint_queue: HintQueue = hints(table, hub.queues[kind], lambda: hub.now).hint_queue
    return HintHandler(
        feature=feature,
        hint_queue=hint_queue,
        runs=RunStore(state),
        targets=hub.targets,
        connect=lambda _: hub._connect(state),
        clock=lambda: hub.now,
    )


def process(hub: SyncHub, kind: Kind, *, most: int = 400) -> int:
    """Work on all hints that wait, whatever they wait for; the answer is how many messages that took."""
    for done in range(most):
        waiting = hub.queues[kind].sent
        if not waiting:
            return done
        first, *rest = hub.queues[kind].take()
        hub._wait(waiting[0].delay_seconds)
        for body, sent in zip(rest, waiting[1:], strict=True):
            hub.queues[kind].send(body, delay_seconds=max(0, sent.delay_seconds - waiting[0].delay_seconds))
        handler(hub, kind).handle(first, remaining=hub.remaining)
    raise AssertionError("the hints come to no end")


def tell_everything(hub: SyncHub, kind: Kind) -> None:
    """Tell a hub of every single thing that GitLab has, as if something had happened to each."""
    if kind is Kind.PIPELINES:
        for row in hub.server.truth("pipelines"):
            pipeline(hub, row)
        return
    for name in ("group", "project"):
        for row in hub.server.truth(f"{name}s"):
            resource(hub, name, row["id"])
