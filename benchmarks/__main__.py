"""`python -m benchmarks`: measure, show, and write down."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import (
    analytics,
    cases,
    console,
    cursors,
    effective,
    history,
    journeys,
    local_syncs,
    loopback,
    pipeline_hours,
    provisioning,
    reads,
    receiving,
    report,
    steps,
    ticks,
    triggers,
)
from benchmarks.machine import facts
from benchmarks.pipeline_hours import Hour, way
from benchmarks.starts import Start, starts
from benchmarks.syncs import Figures, figures_of

HERE = Path(__file__).parent
KINDS = ("access", "pipelines")
WEBHOOKS = ("receiving", "steps", "loopback")
PARTS = (
    *KINDS,
    "members",
    "hours",
    "cursors",
    "analytics",
    "effective",
    "history",
    "triggers",
    *WEBHOOKS,
    "local",
    "journeys",
    "reads",
    "ticks",
    "provisioning",
    "console",
    "starts",
)
GROUPS = {"webhooks": WEBHOOKS, "syncs": KINDS}


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the hub.")
    options.add_argument("--quick", action="store_true", help="a tenth of everything; written to results/quick.md")
    options.add_argument("--only", choices=[*PARTS, *GROUPS], help="measure this alone, and write nothing")
    options.add_argument("--latency", type=int, action="append", help="only the syncs of this latency (ms)")
    options.add_argument("--profile", action="store_true", help="show cProfile's view of each sync's worker instead")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for."""
    chosen = parser().parse_args(arguments)
    text = report.document(list(facts()), list(_sections(chosen)))
    print(text)
    if not (chosen.only or chosen.latency or chosen.profile):
        target = HERE / ("results/quick.md" if chosen.quick else "results.md")
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)


def _sections(chosen: argparse.Namespace) -> Iterator[report.Section]:
    wanted = _wanted(chosen)
    kinds = tuple(kind for kind in KINDS if kind in wanted)
    if kinds:
        yield report.syncs(list(_syncs(chosen, kinds)))
    others: dict[str, Callable[[], report.Section]] = {
        "members": lambda: report.members(list(_members(chosen))),
        "hours": lambda: report.pipelines(list(_hours(chosen))),
        "cursors": lambda: report.cursors(cursors.cursors_table(quick=chosen.quick)),
        "analytics": lambda: report.analytics(analytics.measured(quick=chosen.quick)),
        "effective": lambda: report.effective(effective.answered(quick=chosen.quick)),
        "history": lambda: report.history(history.kept(quick=chosen.quick)),
        "triggers": lambda: report.triggers(triggers.triggers_table()),
        "receiving": lambda: report.receiving(list(receiving.figures(quick=chosen.quick))),
        "steps": lambda: report.steps(steps.counted()),
        "journeys": lambda: report.journeys(journeys.journeys()),
        "reads": lambda: report.reads(reads.counted(quick=chosen.quick)),
        "ticks": lambda: report.ticks(ticks.ticks()),
        "provisioning": lambda: report.provisioning(provisioning.measured(quick=chosen.quick)),
        "console": lambda: report.console(list(console.weighed(quick=chosen.quick))),
        "local": lambda: report.local(list(local_syncs.figures(quick=chosen.quick))),
        "loopback": lambda: report.loopback(loopback.figures(quick=chosen.quick)),
        "starts": lambda: report.starts(list(_starts(tries=3 if chosen.quick else 7))),
    }
    for name in (name for name in others if name in wanted):
        _say(f"{name} …")
        yield others[name]()


def _wanted(chosen: argparse.Namespace) -> Sequence[str]:
    """The parts to measure; what is only about syncs leaves the others out."""
    if chosen.only:
        only = str(chosen.only)
        return GROUPS.get(only, (only,))
    return KINDS if chosen.latency or chosen.profile else PARTS


def _syncs(chosen: argparse.Namespace, kinds: tuple[str, ...]) -> Iterator[Figures]:
    for case in cases.quick() if chosen.quick else cases.full():
        if chosen.latency is None or case.latency_ms in chosen.latency:
            for one in figures_of(case, kinds, profile=chosen.profile):
                _say(f"{case.projects} projects, {case.latency_ms} ms: {one.sync}: {one.wall:.1f} s")
                yield one


def _members(chosen: argparse.Namespace) -> Iterator[Figures]:
    for case in cases.members(quick=chosen.quick):
        for one in figures_of(case, ("access",), profile=chosen.profile):
            way = "REST" if case.by_rest else "GraphQL"
            _say(f"members by {way}, {case.latency_ms} ms: {one.sync}: {one.wall:.1f} s")
            yield one


def _hours(chosen: argparse.Namespace) -> Iterator[Figures | Hour]:
    for one in pipeline_hours.measured(quick=chosen.quick, profile=chosen.profile):
        if isinstance(one, Figures):
            _say(f"pipelines by {way(one.case)}, {one.case.latency_ms} ms: {one.sync}: {one.wall:.1f} s")
        yield one


def _starts(*, tries: int) -> Iterator[Start]:
    for one in starts(tries):
        _say(f"cold start: {one.function}: {one.compiled:.0f} ms")
        yield one


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
