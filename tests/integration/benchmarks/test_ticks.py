"""The calls that the costs are worked out from are those that the functions make, or more."""

from benchmarks.measured import Row, number, rows
from benchmarks.ticks import OPERATIONS, ticks, ticks_table

TITLE = "Calls to AWS by a tick with nothing to do"


def measured_now() -> dict[tuple[str, str], Row]:
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in ticks_table(ticks()).splitlines()]
    head, _, *body = lines
    return by_function([dict(zip(head, cells, strict=True)) for cells in body])


def by_function(table: list[Row]) -> dict[tuple[str, str], Row]:
    return {(row["function"], row["integrations"]): row for row in table}


def test_no_tick_asks_more_than_its_costs_say() -> None:
    # Else: .venv/bin/python -m benchmarks --only ticks, into results.md; then .venv/bin/python -m benchmarks.costs.
    told, now = by_function(rows(TITLE)), measured_now()
    assert told.keys() == now.keys()
    for key, row in now.items():
        for names in (OPERATIONS, ("read units",), ("write units",)):
            asked, said = (sum(number(one, name) for name in names) for one in (row, told[key]))
            assert asked <= said, (key, names)
