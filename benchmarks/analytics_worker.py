"""Figures and exports of a million jobs: `python -m benchmarks.analytics_worker STEP GIVEN`.

| step | given | prints |
|---|---|---|
| `store` | the share of the estate | seconds that adding up one day of all projects took |
| `ask` | how often | p50 and p95 in milliseconds of each question, with its requests and items |
| `export` | a format | seconds, those of the processor, MB, peak memory in MB, rows |
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.analytics_estate import DAY, DAYS, GROUPS, NOW, ONE, PROJECTS, Estate, days
from benchmarks.children import Dynamo
from benchmarks.history_worker import FolderObjects
from benchmarks.measure import Usage
from benchmarks.quiet import logging_to_nowhere
from gitlab_hub.composition.export_sources import export_sources
from gitlab_hub.exports.model import Asked, Dataset, Export, Format, Status
from gitlab_hub.exports.store import ExportStore, subject_of
from gitlab_hub.exports.worker import Exporter
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.rows import is_live
from gitlab_hub.inventory.model import partition
from gitlab_hub.pipelines.deployments.dora import DoraReader
from gitlab_hub.pipelines.figures.completeness import completeness_of
from gitlab_hub.pipelines.figures.reader import FigureReader
from gitlab_hub.pipelines.figures.routes import FigureRoutes
from gitlab_hub.pipelines.figures.store import FigureStore
from gitlab_hub.pipelines.selection import ProjectSelection
from gitlab_hub.storage.due import AT_ONCE, Due
from gitlab_hub.storage.dynamodb import DynamoTable
from gitlab_hub.sync.scope_list import ScopeList
from gitlab_hub.web.api import Api
from tests.fakes.events import Context, answered, http_event

LATENCY_MS = 5
LONGEST = 20
"""Days of 1,000 projects that an answer may read project by project (`MOST_ROWS` of the reader)."""

LIFE_SECONDS = 870.0
"""What an exporter has: Lambda's 15 minutes less its reserve."""

BY_DAY: Mapping[str, str | None] = {
    "summary": "ref_class", "trend": "day", "queue": "runner", "duration": "job", "failures": None, "mttr": None,
    "cost": "job",
}  # fmt: skip
"""Routes, and by what they are asked, that read one row a day for all projects together."""

BY_PROJECT = (
    ("flaky", None), ("dora", "week"), ("summary", "project"), ("queue", "project"), ("duration", "project"),
    ("mttr", "project"), ("cost", "project"),
)  # fmt: skip
"""Those that read a row for each project and day."""


class Everything:
    """Knows every integration."""

    def exists(self, _: str) -> bool:
        """There is one."""
        return True


def store(share: float) -> float:
    """Store the estate, and add up its days as the step of a sync does."""
    estate, table = Estate(share), DynamoTable("pipelines")
    table.write(estate.known())
    table.write(estate.rows())
    pk = partition(ONE, "groups")
    DynamoTable("access").write(
        {"pk": pk, "sk": padded(number), "id": number, "full_path": f"group{number}"} for number in range(GROUPS)
    )  # fmt: skip
    figures, started = FigureStore(table, ONE), time.process_time()
    for day in days():
        figures.add_up(day)
    figures.mark_current()
    return (time.process_time() - started) / len(days())


def ask(times: int) -> dict[str, Any]:
    """Ask every route over the whole estate, for one group and for one project."""
    table, dynamo = DynamoTable("pipelines"), Dynamo.named()
    selection = ProjectSelection(table, DynamoTable("access"))
    reader, dora = FigureReader(table, selection, lambda: {"default": 0.01}), DoraReader(table, selection)
    routes = FigureRoutes(reader, partial(completeness_of, table, selection), dora, lambda: float(NOW))
    api = Api(routes.routes(), guard=Everything(), idempotency=None, now=lambda: float(NOW))
    dynamo.take(LATENCY_MS)

    def answer(route: str, query: Mapping[str, Any]) -> None:
        event = http_event("GET", f"/v1/integrations/{ONE}/analytics/{route}", query=dict(query))
        status, body = answered(api.resolve(event, Context()))
        assert status == HTTPStatus.OK, body

    questions: dict[str, Callable[[], None]] = {}
    for route, by in BY_DAY.items():
        questions[f"{_named(route, by)}, all projects, {DAYS} days"] = partial(answer, route, _grouped(by))
    since = {"from": days()[-LONGEST]}
    for route, by in BY_PROJECT:
        questions[f"{_named(route, by)}, all projects, {LONGEST} days"] = partial(answer, route, _grouped(by) | since)
    for route in ("summary", "flaky", "cost"):
        questions[f"{route}, a group of {PROJECTS // GROUPS} projects"] = partial(answer, route, {"group_id": 1})
        questions[f"{route}, one project"] = partial(answer, route, {"project_id": 7})
    return {name: _timed(question, dynamo, times) for name, question in questions.items()}


def export(format_: str) -> dict[str, float]:
    """Export all jobs in one format within one worker's life, in two ranges: one export has 20,000 files at most."""
    state, now = DynamoTable("integrations"), lambda: float(NOW)
    exports, middle = ExportStore(state), NOW - DAY * DAYS // 2
    for number, (since, until) in enumerate(((None, middle), (middle, None))):
        asked = Asked(
            integration_id=ONE, dataset=Dataset.JOBS, format=Format(format_), since=since, until=until
        )  # fmt: skip
        name = f"exp_{format_}_{number}"
        wanted = Export(id=name, asked=asked, created_at=NOW, created_by="bench", expires_at=NOW + 30 * DAY)
        exports.save(wanted)
        exports.due.add([Due(subject_of(wanted), AT_ONCE, wanted.id)])
    sources = export_sources(DynamoTable("access"), DynamoTable("pipelines"), ScopeList(state), now)
    with TemporaryDirectory() as path:
        exporter = Exporter(
            store=exports, sources=sources, objects=FolderObjects(Path(path)), exists=lambda _: True, now=now,
            incidents=IncidentStore(state, now, is_live),
        )  # fmt: skip
        before = Usage.now()
        end = time.monotonic() + LIFE_SECONDS
        exporter.tick(lambda: end - time.monotonic())
        after = Usage.now()
    done = [one for one in exports.of(ONE) if one.asked.format == format_]
    assert all(one.status is Status.DONE for one in done), [(one.status, one.done, one.total) for one in done]
    return {
        "seconds": after.wall - before.wall,
        "cpu": after.cpu - before.cpu,
        "mb": sum(one.size for one in done) / 1e6,
        "peak": after.peak_mib,
        "rows": sum(one.rows for one in done),
        "files": sum(one.files for one in done),
    }


def _named(route: str, by: str | None) -> str:
    return route if by is None else f"{route} by {by}"


def _grouped(by: str | None) -> dict[str, str]:
    return {} if by is None else {"group_by": by}


def _timed(question: Callable[[], None], dynamo: Dynamo, times: int) -> dict[str, float]:
    question()
    before, taken, used = _read(dynamo), list[float](), time.process_time()
    for _ in range(times):
        start = time.perf_counter()
        question()
        taken.append(1_000 * (time.perf_counter() - start))
    after, cpu = _read(dynamo), 1_000 * (time.process_time() - used) / times
    p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
    return {"p50": p50, "p95": p95, "cpu": cpu, **{name: (after[name] - before[name]) / times for name in after}}


def _read(dynamo: Dynamo) -> dict[str, int]:
    bills = [bill for name, bill in dynamo.bills().items() if name != "calls"]
    names = {"requests": "read_calls", "items": "items_read"}
    return {name: sum(bill.get(key, 0) for bill in bills) for name, key in names.items()}


STEPS: Mapping[str, Callable[[str], Any]] = {
    "store": lambda given: store(float(given)),
    "ask": lambda given: ask(int(given)),
    "export": export,
}

if __name__ == "__main__":
    with logging_to_nowhere():
        told = STEPS[sys.argv[1]](sys.argv[2])
    print(json.dumps(told))
