"""How fast changes of access are planned, applied and ended, and what becomes of those whose worker is killed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.children import answer_of
from benchmarks.tables import table

RANDOM_PLANS = int(os.environ.get("RANDOM_PLANS", "10000"))
"""How many random plans have their worker killed; each takes about an eighth of a second."""

OPERATIONS = 25
DELETIONS_A_MINUTE = 60
"""GitLab takes no more (lib/gitlab/application_rate_limiter.rb, `members_delete`)."""

PLAN_COLUMNS = ("a plan of 25 made", "p50 ms", "p95 ms", "CPU ms", "requests to GitLab", "floor ms", "ratio")
APPLY_COLUMNS = (
    "a plan of 25 applied", "seconds", "of it kept as distance", "CPU ms", "requests to GitLab", "operations a minute",
    "floor s", "ratio",
)  # fmt: skip
END_COLUMNS = (
    "grants that end in one minute", "half late by s", "last late by s", "runs", "requests to GitLab", "floor s",
    "ratio",
)  # fmt: skip
KILLED_COLUMNS = ("random plans", "refused", "killed workers", "operations", "writes", "led elsewhere or wrote twice")
Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioning:
    """All figures, by what was done; those of a GitLab that answers at once or after a while by its milliseconds."""

    plans: Mapping[int, Figures]
    applied: Mapping[tuple[str, int], Figures]
    ends: Mapping[int, Figures]
    killed: Figures


def measured(*, quick: bool) -> Provisioning:
    """Take them all, each in a process of its own."""
    times, people, killed = (20, 100, RANDOM_PLANS // 10) if quick else (100, 1_000, RANDOM_PLANS)
    return Provisioning(
        plans={ms: _of("plans", times, ms) for ms in (0, 50)},
        applied={(what, ms): _of(what, OPERATIONS, ms) for what in ("grants", "revokes") for ms in (0, 50)},
        ends={people: _of("ends", people, 0)},
        killed=_of("killed", killed, 0),
    )


def _of(step: str, number: int, latency_ms: int) -> Figures:
    found: Figures = answer_of("benchmarks.provisioning_worker", step, str(number), str(latency_ms))
    return found


def provisioning_tables(figures: Provisioning) -> tuple[str, ...]:
    """A table of each."""
    return (
        table(PLAN_COLUMNS, [_plan_row(ms, one) for ms, one in figures.plans.items()]),
        table(APPLY_COLUMNS, [_apply_row(what, ms, one) for (what, ms), one in figures.applied.items()]),
        table(END_COLUMNS, [_end_row(number, one) for number, one in figures.ends.items()]),
        table(KILLED_COLUMNS, [_killed_row(figures.killed)]),
    )


def _plan_row(ms: int, one: Figures) -> list[str]:
    times = [f"{1_000 * one[name]:,.0f}" for name in ("p50", "p95", "cpu")]
    ratio = f"{one['p50'] / one['floor']:.1f}"
    return [f"GitLab {ms} ms", *times, f"{one['requests']:.0f}", f"{1_000 * one['floor']:,.0f}", ratio]


def _apply_row(what: str, ms: int, one: Figures) -> list[str]:
    """Only deletions have a pace; the floor of others is one write and one look at it for each operation."""
    floor = OPERATIONS * 60 / DELETIONS_A_MINUTE if what == "revokes" else 2 * OPERATIONS * ms / 1_000
    ratio = f"{one['seconds'] / floor:.2f}" if floor else ""
    return [
        f"{what}, GitLab {ms} ms",
        f"{one['seconds']:.1f}",
        f"{one['slept']:.1f}",
        f"{1_000 * one['cpu']:,.0f}",
        f"{one['requests']:.0f}",
        f"{60 * OPERATIONS / one['seconds']:,.0f}",
        f"{floor:.1f}" if floor else "",
        ratio,
    ]


def _end_row(number: int, one: Figures) -> list[str]:
    floor = number * 60 / DELETIONS_A_MINUTE
    told = [f"{one[name]:,.0f}" for name in ("p50", "last", "ticks", "requests")]
    return [f"{number:,}", *told, f"{floor:,.0f}", f"{one['last'] / floor:.2f}"]


def _killed_row(one: Figures) -> list[str]:
    operations = ", ".join(f"{number:,} {op}" for op, number in one["operations"].items())
    wrong = ", ".join(f"seed {seed}" for seed in one["wrong"]) or "0"
    return [*(f"{one[name]:,}" for name in ("plans", "blocked", "deaths")), operations, f"{one['writes']:,}", wrong]
