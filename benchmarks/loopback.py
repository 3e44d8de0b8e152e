"""Webhooks through the whole local stack: under load, and one by one.

Deliveries are sent at a steady rate, a tenth of them repeated; then everything is waited for and counted: none may be
lost, none may build twice. Before that, with nobody else about, the loop is gone through many times: push, delivery,
build, commit status.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.bundle import Bundle, running_bundle
from benchmarks.load import Answers, Load, loaded
from benchmarks.measure import percentile
from benchmarks.tables import table
from local.demo.loop import MOMENTS, Loop
from local.demo.runner import running_runner

RATE = 50
SECONDS, FLOOR_SECONDS, ROUNDS = 60, 10, 20
QUICK_SECONDS, QUICK_FLOOR_SECONDS, QUICK_ROUNDS = 10, 3, 5
RUNNER_SECONDS = 0.0
ACCEPTED, KNOWN = 202, 200

LOAD_COLUMNS = ("what", "requests", "per s", "p50 ms", "p99 ms", "max ms", "202", "200", "other", "p50 / floor")
LOOP_COLUMNS = ("after the push until", "p50 ms", "p99 ms", "max ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The load, and the moments of the loop (seconds after the push) by what was seen then."""

    load: Load
    loop: Mapping[str, Sequence[float]]


def figures(*, quick: bool) -> Figures:
    """Run everything once."""
    with running_bundle() as bundle:
        rounds = _loop(bundle, QUICK_ROUNDS if quick else ROUNDS)
        seconds, floor = (QUICK_SECONDS, QUICK_FLOOR_SECONDS) if quick else (SECONDS, FLOOR_SECONDS)
        return Figures(load=loaded(bundle, rate=RATE, seconds=seconds, floor_seconds=floor), loop=rounds)


def _loop(bundle: Bundle, rounds: int) -> Mapping[str, Sequence[float]]:
    with running_runner() as runner:
        runner.seconds = RUNNER_SECONDS
        loop = Loop(bundle.hub, bundle.company, bundle.integration_id, runner)
        loop.prepare()
        loop.push("warm up", files=["app/main.py"])
        shown = [loop.push(f"round {number}", files=["app/main.py"]) for number in range(rounds)]
    return {name: [one.moments[name] for one in shown] for name in MOMENTS}


def load_tables(load: Load) -> str:
    """The answers beside their floor, and what came of the deliveries."""
    floor = percentile([seconds for _, seconds in load.floor], 50)
    answers = [_answers("deliveries", load, load.answers, floor), _answers("GET /healthz", load, load.floor, floor)]
    columns = ("distinct", "accepted", "kept", "worked on", "lost", "builds", "built twice", "drained after s")
    counts = [
        load.distinct, load.accepted, load.kept, load.handled, load.lost, load.builds, load.built_twice,
    ]  # fmt: skip
    row = [*(f"{count:,}" for count in counts), f"{load.drained:.1f}"]
    return f"{table(LOAD_COLUMNS, answers)}\n\n{table(columns, [row])}"


def loop_table(loop: Mapping[str, Sequence[float]]) -> str:
    """When what of the loop was seen."""
    return table(
        LOOP_COLUMNS,
        [[name, *_milliseconds(samples)] for name, samples in loop.items()],
    )


def _answers(what: str, load: Load, answers: Answers, floor: float) -> list[str]:
    times, statuses = [seconds for _, seconds in answers], [status for status, _ in answers]
    accepted, repeated = statuses.count(ACCEPTED), statuses.count(KNOWN)
    others = Counter(status for status in statuses if status not in {ACCEPTED, KNOWN})
    other = ", ".join(f"{status or 'none'}: {count:,}" for status, count in sorted(others.items())) or "0"
    return [
        what, f"{len(answers):,}", str(load.rate), *_milliseconds(times),
        f"{accepted:,}", f"{repeated:,}", other, f"{percentile(times, 50) / floor:.1f}",
    ]  # fmt: skip


def _milliseconds(samples: Sequence[float]) -> list[str]:
    shown = (percentile(samples, 50), percentile(samples, 99), max(samples))
    return [f"{1000 * seconds:,.0f}" for seconds in shown]
