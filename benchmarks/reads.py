"""What every GET route and every scheduled tick reads, with one integration and with many."""

from collections.abc import Mapping
from typing import Any

from benchmarks.children import answer_of, dynamo
from benchmarks.starts import ENVIRONMENT
from benchmarks.tables import table

Bill = Mapping[str, float]
"""Of one call: `requests` to DynamoDB, `items` and `units` read there, `secrets` read."""
Bills = Mapping[str, Bill]

MANY = 2_000
COLUMNS = ("requests", "items", "units", "secrets")
SPARE = 1
"""A page reads one item more than it shows, to know whether there is more."""


def counted(*, quick: bool) -> Mapping[int, Bills]:
    """Call everything over one integration, and over many."""
    return {number: counted_at(number) for number in (1, MANY // 10 if quick else MANY)}


def counted_at(number: int) -> Bills:
    """Call everything over so many integrations."""
    with dynamo() as store:
        bills: Any = answer_of("benchmarks.reads_worker", str(number), AWS_ENDPOINT_URL=store.endpoint, **ENVIRONMENT)
    return dict(bills)


def reads_table(counts: Mapping[int, Bills]) -> str:
    """One row for every route and tick; the last column names what grows with the number of integrations."""
    few, many = sorted(counts)
    columns = ("call", *(f"{name} at {number:,}" for number in (few, many) for name in COLUMNS), "grows")
    rows = [
        [call, *_cells(bill), *_cells(counts[many][call]), "yes" if grows(bill, counts[many][call]) else ""]
        for call, bill in counts[few].items()
    ]
    return table(columns, rows)


def grows(few: Bill, many: Bill, *, asked_for: int = 50) -> bool:
    """Whether a call reads more than a page and some requests more where there are more integrations."""
    return many["requests"] > few["requests"] + 2 or many["items"] > few["items"] + asked_for + SPARE


def _cells(bill: Bill) -> list[str]:
    return [f"{bill[name]:g}" for name in COLUMNS]
