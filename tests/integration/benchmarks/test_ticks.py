"""The calls that the costs are worked out from are those that the functions make."""

from benchmarks.measured import rows
from benchmarks.ticks import ticks, ticks_table


def test_the_table_of_ticks_is_what_is_measured_now() -> None:
    # Else: .venv/bin/python -m benchmarks --only ticks, into results.md; then -m benchmarks.costs.
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in ticks_table(ticks()).splitlines()]
    head, _, *body = lines
    assert [dict(zip(head, cells, strict=True)) for cells in body] == rows("Calls to AWS by a tick with nothing to do")
