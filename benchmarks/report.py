"""Figures as sections of one Markdown document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.analytics import Analytics, analytics_tables
from benchmarks.cases import JOBS, PIPELINES
from benchmarks.console import Weight, console_table
from benchmarks.effective import Answers, answers_table
from benchmarks.history import Steps, kept_table
from benchmarks.journeys import Journeys, journeys_table
from benchmarks.local_syncs import Waited, waited_table
from benchmarks.loopback import Figures as Loopback
from benchmarks.loopback import load_tables, loop_table
from benchmarks.pipeline_hours import Hour, hours_table, way
from benchmarks.provisioning import Provisioning, provisioning_tables
from benchmarks.reads import Bills, reads_table
from benchmarks.receiving import Figures as Received
from benchmarks.receiving import receiving_table
from benchmarks.starts import Start
from benchmarks.steps import Counts, steps_table
from benchmarks.syncs import Figures
from benchmarks.tables import table
from benchmarks.ticks import Ticks, ticks_table

SYNC_COLUMNS = (
    "projects", "GitLab ms", "DynamoDB ms", "sync", "wall s", "floor s", "wall / floor", "CPU s", "CPU ms/request",
    "peak MiB", "requests", "requests/s", "rows", "rows/s", "items written", "write units", "read units",
    "control writes", "control units",
)  # fmt: skip
WAY_COLUMNS = (
    "sync", "requests", "wall s", "floor s", "wall / floor", "CPU s", "peak MiB", "items written", "write units",
    "read units", "transactions", "control units",
)  # fmt: skip
BILLED = ("items_written", "write_units", "read_units", "TransactWriteItems")
START_COLUMNS = ("function", "compiled ms", "of it building ms", "not compiled ms", "modules")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it, paragraph by paragraph."""

    title: str
    parts: tuple[str, ...]


def document(facts: Sequence[str], sections: Sequence[Section]) -> str:
    """The whole report."""
    head = (
        "# Figures",
        "Written by `make bench`; [README.md](README.md) says what they mean.",
        "\n".join(f"- {fact}" for fact in facts),
    )
    told = [part for section in sections for part in (f"## {section.title}", *section.parts)]
    return "\n\n".join((*head, *told)) + "\n"


def syncs(figures: Sequence[Figures]) -> Section:
    """All syncs."""
    largest = max((one.case for one in figures), key=lambda case: case.projects, default=None)
    company = "" if largest is None else (
        f"{largest.users:,} users, {largest.groups:,} groups, {largest.projects:,} projects (fewer where the table"
        f" says so), {PIPELINES} pipelines of {JOBS} jobs each, child pipelines and retried jobs on top."
    )  # fmt: skip
    return Section("Syncs", (company, table(SYNC_COLUMNS, [_sync_row(one) for one in figures])))


def members(figures: Sequence[Figures]) -> Section:
    """Members by GraphQL beside members by REST."""
    return Section("Members by GraphQL and by REST", (_ways("members by", figures),))


def pipelines(measured: Sequence[Figures | Hour]) -> Section:
    """Pipelines by GraphQL beside pipelines by REST's lists."""
    figures = [one for one in measured if isinstance(one, Figures)]
    hours = [one for one in measured if isinstance(one, Hour)]
    return Section(
        "Pipelines by GraphQL and by REST", (_ways("pipelines by", figures), hours_table(hours))
    )  # fmt: skip


def triggers(measured: str) -> Section:
    """Decisions of triggers."""
    return Section("Triggers", (measured,))


def receiving(figures: Sequence[Received]) -> Section:
    """The receiver alone."""
    return Section("Receiving webhooks", (receiving_table(figures),))


def effective(answers: Answers) -> Section:
    """Questions about effective access."""
    return Section("Effective access: 1,000 groups, 10,000 projects, 5,000 accounts", (answers_table(answers),))


def history(measured: Steps) -> Section:
    """Snapshots, and the files made of them."""
    return Section("History of access: 1,000 groups, 10,000 projects, 5,000 accounts", (kept_table(measured),))


def analytics(found: Analytics) -> Section:
    """Figures and exports."""
    where = f"A day of all projects is added up within {1_000 * found.adding_up:,.0f} ms of a processor, by the sync."
    return Section(f"Figures and exports of {found.jobs:,} jobs", (*analytics_tables(found), where))


def cursors(measured: str) -> Section:
    """What the hub and naive cursors lose."""
    return Section("What cursors lose", (measured,))


def steps(counts: Counts) -> Section:
    """What each step asks of AWS."""
    return Section("Calls to AWS from a push to its build", (steps_table(counts),))


def journeys(counts: Journeys) -> Section:
    """What whole journeys ask of AWS."""
    return Section("Calls to AWS by journey", (journeys_table(counts),))


def reads(counts: Mapping[int, Bills]) -> Section:
    """What routes and ticks read."""
    return Section("Reads of every route and tick", (reads_table(counts),))


def ticks(measured: Ticks) -> Section:
    """What each schedule asks of AWS."""
    return Section("Calls to AWS by a tick with nothing to do", (ticks_table(measured),))


def provisioning(figures: Provisioning) -> Section:
    """Changes of access."""
    where = "Over a GitLab and tables in memory; ends in a simulated clock, 50 ms for each request to GitLab."
    return Section("Changes of access", (where, *provisioning_tables(figures)))


def loopback(figures: Loopback) -> Section:
    """The whole path on the emulator."""
    return Section("Webhooks through the local stack", (load_tables(figures.load), loop_table(figures.loop)))


def local(waited: Sequence[Waited]) -> Section:
    """Syncs on the emulator."""
    return Section("Access syncs through the local stack", (waited_table(waited),))


def console(weights: Sequence[Weight]) -> Section:
    """What pages of the console weigh, and how long they take."""
    return Section("Pages of the console", (console_table(weights),))


def starts(measured: Sequence[Start]) -> Section:
    """All cold starts."""
    rows = [
        [one.function, *(f"{value:.0f}" for value in (one.compiled, one.build, one.plain)), str(one.modules)]
        for one in measured
    ]
    return Section("Cold starts", (table(START_COLUMNS, rows),))


def _ways(what: str, figures: Sequence[Figures]) -> str:
    rows = [
        [str(one.case.latency_ms), way(one.case), one.sync, f"{one.requests:,}", f"{one.wall:.1f}", f"{one.floor:.1f}",
         f"{one.wall / one.floor:.2f}", f"{one.cpu:.1f}", f"{one.peak_mib:.0f}",
         *(f"{one.data.get(name, 0):,}" for name in BILLED),
         f"{one.control.get('write_units', 0):,}"]
        for one in figures
    ]  # fmt: skip
    return table(("GitLab ms", what, *WAY_COLUMNS), rows)


def _sync_row(one: Figures) -> list[str]:
    case, data, control = one.case, one.data, one.control
    return [
        f"{case.projects:,}", str(case.latency_ms), str(case.store_ms), one.sync,
        f"{one.wall:.1f}", f"{one.floor:.1f}", f"{one.wall / one.floor:.2f}",
        f"{one.cpu:.1f}", f"{1000 * one.cpu / one.requests:.2f}", f"{one.peak_mib:.0f}",
        f"{one.requests:,}", f"{one.requests / one.wall:,.0f}", f"{one.rows:,}", f"{one.rows / one.wall:,.0f}",
        *(f"{data.get(name, 0):,}" for name in ("items_written", "write_units", "read_units")),
        *(f"{control.get(name, 0):,}" for name in ("items_written", "write_units")),
    ]  # fmt: skip
