"""Figures as Markdown tables, which a terminal shows well enough too."""

from collections.abc import Sequence

from benchmarks.cases import JOBS, PIPELINES
from benchmarks.starts import Start
from benchmarks.syncs import Figures
from benchmarks.tables import table

SYNC_COLUMNS = (
    "projects", "GitLab ms", "DynamoDB ms", "sync", "wall s", "floor s", "wall / floor", "CPU s", "CPU ms/request",
    "peak MiB", "requests", "requests/s", "rows", "rows/s", "items written", "write units", "read units",
    "control writes", "control units",
)  # fmt: skip
START_COLUMNS = ("function", "compiled ms", "of it building ms", "not compiled ms", "modules")


def syncs_table(figures: Sequence[Figures]) -> str:
    """All syncs."""
    return table(SYNC_COLUMNS, [_sync_row(one) for one in figures])


def starts_table(starts: Sequence[Start]) -> str:
    """All cold starts."""
    rows = [
        [one.function, *(f"{value:.0f}" for value in (one.compiled, one.build, one.plain)), str(one.modules)]
        for one in starts
    ]
    return table(START_COLUMNS, rows)


def document(facts: Sequence[str], figures: Sequence[Figures], starts: Sequence[Start]) -> str:
    """The whole report."""
    largest = max((one.case for one in figures), key=lambda case: case.projects, default=None)
    company = "" if largest is None else (
        f"{largest.users:,} users, {largest.groups:,} groups, {largest.projects:,} projects (fewer where the table"
        f" says so), {PIPELINES} pipelines of {JOBS} jobs each, child pipelines and retried jobs on top."
    )  # fmt: skip
    parts = [
        "# Figures",
        "Written by `make bench`; [README.md](README.md) says what they mean.",
        "\n".join(f"- {fact}" for fact in facts),
        *(["## Syncs", company, syncs_table(figures)] if figures else []),
        *(["## Cold starts", starts_table(starts)] if starts else []),
    ]
    return "\n\n".join(parts) + "\n"


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
