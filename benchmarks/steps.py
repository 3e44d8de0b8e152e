"""What every step from a push to its build asks of AWS."""

import json
from collections.abc import Mapping

from benchmarks.children import answer_of, dynamo
from benchmarks.starts import ENVIRONMENT
from benchmarks.tables import table

Counts = Mapping[str, Mapping[str, int]]
"""Calls by operation and billed units, by step."""

OPERATIONS = {
    "GetItem": "reads", "Query": "queries", "PutItem": "puts", "TransactWriteItems": "transactions",
    "SendMessage": "sends", "PutEvents": "events",
}  # fmt: skip
UNITS = {"read_units": "read units", "write_units": "write units"}


def counted() -> Counts:
    """Go the way once, in a worker of its own."""
    with dynamo() as store:
        counts: Counts = answer_of("benchmarks.steps_worker", AWS_ENDPOINT_URL=store.endpoint, **ENVIRONMENT)
    return counts


def steps_table(counts: Counts) -> str:
    """One row for every step; an operation that has no column is an error of this table."""
    unknown = {name for calls in counts.values() for name in calls} - OPERATIONS.keys() - UNITS.keys()
    if unknown:
        raise ValueError(f"Operations without a column: {json.dumps(sorted(unknown))}")
    rows = [
        [step, *(str(told.get(name, 0)) for name in OPERATIONS), str(calls_of(told))]
        + [str(told.get(unit, 0)) for unit in UNITS]
        for step, told in counts.items()
    ]
    return table(("step", *OPERATIONS.values(), "calls", *UNITS.values()), rows)


def calls_of(told: Mapping[str, int]) -> int:
    """All calls of a step."""
    return sum(told.get(name, 0) for name in OPERATIONS)
