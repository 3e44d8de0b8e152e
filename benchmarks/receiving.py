"""How fast the receiver answers, and what DynamoDB and SQS charge for a delivery; each case beside its floor."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from benchmarks.children import answer_of, dynamo
from benchmarks.measure import percentile
from benchmarks.receiving_task import DYNAMODB, MEMORY, SIGNATURE, TOKEN, Task
from benchmarks.starts import ENVIRONMENT
from benchmarks.tables import table

CALLS = {2_000: 2_000, 200_000: 200, 5_000_000: 20}
"""How many deliveries of each size (bytes) are timed."""

QUICK = 10
"""By what the number of calls is divided where somebody is in a hurry, but at least this many are timed."""

DOLLARS = {"write_units": 0.625, "read_units": 0.125, "SendMessage": 0.50}
"""Per million, on demand in us-east-1, 2025: DynamoDB's units, and a request to a FIFO queue of SQS."""

COLUMNS = (
    "store", "mode", "body KB", "p50 ms", "p99 ms", "calls/s", "CPU ms", "first ms", "floor p50 ms", "p50 / floor",
    "reads", "puts", "sends", "items", "write units", "read units", "$ per million",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Deliveries of one kind; times in seconds, `bill` per delivery."""

    task: Task
    times: Sequence[float]
    floors: Sequence[float]
    cpu: float
    first: float
    bill: Mapping[str, float]

    @property
    def dollars(self) -> float:
        """What a million of them cost."""
        return sum(price * self.of(name) for name, price in DOLLARS.items())

    def of(self, name: str) -> float:
        """What is charged for or called, whichever table it was."""
        return sum(count for key, count in self.bill.items() if key.endswith(f" {name}"))


def figures(*, quick: bool) -> Iterator[Figures]:
    """All cases, each in a fresh worker over empty tables."""
    for store in (MEMORY, DYNAMODB):
        for mode in (TOKEN, SIGNATURE):
            for size, calls in CALLS.items():
                yield _figures_of(Task(store, mode, size, max(QUICK, calls // QUICK) if quick else calls))


def _figures_of(task: Task) -> Figures:
    with dynamo() as store:
        told = answer_of(
            "benchmarks.receiving_worker", json.dumps(asdict(task)), AWS_ENDPOINT_URL=store.endpoint, **ENVIRONMENT
        )
    bill = {name: count / task.calls for name, count in told["bills"].items()}
    return Figures(task=task, bill=bill, **{name: told[name] for name in ("times", "floors", "cpu", "first")})


def receiving_table(found: Sequence[Figures]) -> str:
    """All cases."""
    return table(COLUMNS, [_row(one) for one in found])


def _row(one: Figures) -> list[str]:
    middle, floor = median(one.times), median(one.floors)
    charged = one.task.store == DYNAMODB
    bill = [f"{one.of(name):.0f}" for name in ("read_calls", "write_calls", "SendMessage", "items_written")]
    units = [f"{one.of(name):.1f}" for name in ("write_units", "read_units")]
    return [
        one.task.store, one.task.mode, f"{one.task.size / 1000:,.0f}",
        f"{1000 * middle:.2f}", f"{1000 * percentile(one.times, 99):.2f}", f"{len(one.times) / sum(one.times):,.0f}",
        f"{1000 * one.cpu:.2f}", f"{1000 * one.first:.0f}", f"{1000 * floor:.2f}", f"{middle / floor:.1f}",
        *([*bill, *units, f"{one.dollars:.2f}"] if charged else [""] * 7),
    ]  # fmt: skip
