"""`python -m benchmarks`: measure, show, and write down."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import cases, report
from benchmarks.machine import facts
from benchmarks.starts import Start, starts
from benchmarks.syncs import Figures, figures_of

HERE = Path(__file__).parent
KINDS = ("access", "pipelines")


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure syncs and cold starts.")
    options.add_argument("--quick", action="store_true", help="a tenth of the company; written to results/quick.md")
    options.add_argument("--only", choices=[*KINDS, "starts"], help="measure this alone, and write nothing")
    options.add_argument("--latency", type=int, action="append", help="only the cases of this latency (ms)")
    options.add_argument("--profile", action="store_true", help="show cProfile's view of each worker instead")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for."""
    chosen = parser().parse_args(arguments)
    known = list(facts())
    figures = [] if chosen.only == "starts" else list(_syncs(chosen))
    begun = [] if chosen.only in KINDS or chosen.profile else list(_starts(tries=3 if chosen.quick else 7))
    text = report.document(known, figures, begun)
    print(text)
    if not (chosen.only or chosen.latency or chosen.profile):
        target = HERE / ("results/quick.md" if chosen.quick else "results.md")
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)


def _syncs(chosen: argparse.Namespace) -> Iterator[Figures]:
    kinds = tuple(kind for kind in KINDS if chosen.only in (None, kind))
    for case in cases.quick() if chosen.quick else cases.full():
        if chosen.latency is None or case.latency_ms in chosen.latency:
            for one in figures_of(case, kinds, profile=chosen.profile):
                _say(f"{case.projects} projects, {case.latency_ms} ms: {one.sync}: {one.wall:.1f} s")
                yield one


def _starts(*, tries: int) -> Iterator[Start]:
    for one in starts(tries):
        _say(f"cold start: {one.function}: {one.compiled:.0f} ms")
        yield one


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
