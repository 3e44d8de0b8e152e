"""How many calls to AWS whole journeys may make."""

from benchmarks.journeys import BUILD, IDLE_SYNC, PAGE, REFRESH, journeys
from benchmarks.measured import rows

TITLE = "Calls to AWS by journey"


def test_no_journey_asks_more_of_aws_than_it_may() -> None:
    # A journey that got shorter: .venv/bin/python -m benchmarks --only journeys, into results.md.
    counts, told = journeys(), {row["journey"]: int(row["calls to AWS"]) for row in rows(TITLE)}
    assert counts.keys() == told.keys() == {REFRESH, IDLE_SYNC, BUILD, PAGE}
    assert counts[REFRESH] <= 12
    for journey, calls in counts.items():
        assert calls <= told[journey], journey
