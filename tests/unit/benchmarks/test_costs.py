"""The page of costs says what the script works out, and the script works out what it was built to keep low."""

import pytest

from benchmarks import costs, usage
from benchmarks.measured import rows
from benchmarks.prices import ALWAYS_FREE, PRICES
from benchmarks.usage import Use

USES = usage.everything()


def test_the_page_is_what_the_script_writes() -> None:
    assert costs.DOCUMENT.read_text() == costs.document()  # else: .venv/bin/python -m benchmarks.costs


@pytest.mark.parametrize(("load", "most"), [(False, 1.75), (True, 6.5)])
def test_a_hub_costs_little_beside_what_is_always_free(load: bool, most: float) -> None:
    assert 0 < costs.price(USES, load=load, free=True) <= most


@pytest.mark.parametrize(("load", "most"), [(False, 3.5), (True, 10.0)])
def test_a_hub_costs_little_at_list_prices(load: bool, most: float) -> None:
    assert costs.price(USES, load=load, free=True) < costs.price(USES, load=load) <= most


def test_everything_has_a_price() -> None:
    assert {use.unit for use in USES} <= PRICES.keys()
    assert ALWAYS_FREE.keys() <= PRICES.keys()


def test_what_is_free_of_queues_is_free_once() -> None:
    uses = [Use("a", "standard queue request", 800_000, 0), Use("b", "FIFO queue request", 800_000, 0)]
    assert costs.price(uses, load=False, free=True) == pytest.approx(600_000 * PRICES["FIFO queue request"])


def test_every_schedule_is_counted() -> None:
    ticking = {row["function"] for row in rows("Calls to AWS by a tick with nothing to do")}
    assert usage.minutes_between_ticks().keys() == ticking == usage.GB.keys()
