"""What a tick of every schedule asks of AWS, with nothing to do."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.children import answer_of, dynamo
from benchmarks.starts import ENVIRONMENT
from benchmarks.tables import table

OPERATIONS = ("GetItem", "BatchGetItem", "Query", "PutItem", "GetQueueAttributes")
UNITS = {"read_units": "read units", "write_units": "write units"}
Ticks = Sequence[Mapping[str, Any]]


def ticks() -> Ticks:
    """Have every function tick, in a worker of its own."""
    with dynamo() as store:
        measured: Ticks = answer_of("benchmarks.ticks_worker", AWS_ENDPOINT_URL=store.endpoint, **ENVIRONMENT)
    return measured


def ticks_table(measured: Ticks) -> str:
    """One row for every function and number of integrations; one without a column is an error."""
    rows = []
    for one in measured:
        calls = one["calls"]
        tables = [name for name in calls if name.startswith("table ") and calls[name]]
        unknown = calls.keys() - {*OPERATIONS, *UNITS} - {name for name in calls if name.startswith("table ")}
        if unknown:
            raise ValueError(f"Operations without a column: {sorted(unknown)}")
        counted = [str(calls.get(name, 0)) for name in (*OPERATIONS, *UNITS)]
        rows.append([one["function"], str(one["integrations"]), *counted, str(len(tables))])
    return table(("function", "integrations", *OPERATIONS, *UNITS.values(), "tables"), rows)
