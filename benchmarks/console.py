"""What a page of the console weighs when it is opened first, and how long its answer takes once all is warm."""

import gzip
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.tables import table
from stand_in_gitlab.process import running
from tests.browser.conftest import Console
from tests.browser.test_pages import pages
from tests.fakes.company_hub import OWNER_TOKEN, CompanyHub
from tests.functional.console.visitor import Shown, Visitor

BUDGET_BYTES, BUDGET_REQUESTS, BUDGET_MS = 100_000, 10, 200.0
COLUMNS = ("page", "requests", "bytes", "of 100 KB", "ms", "of 200 ms")
SIZES = ("--seed", "7", "--users", "200", "--groups", "20", "--projects", "60", "--pipelines", "10", "--jobs", "4")
SMALL = ("--seed", "7", "--users", "20", "--groups", "6", "--projects", "8", "--pipelines", "3", "--jobs", "3")


@dataclass(frozen=True, slots=True)
class Weight:
    """One page: what a browser asks for at first, compressed, and the median of its warm answers."""

    page: str
    requests: int
    size: int
    milliseconds: float


def weighed(*, quick: bool) -> Iterator[Weight]:
    """Weigh every page over tables in memory; the functions of the API answer in this process, one after the other."""
    with _company(quick=quick) as console:
        visitor = Visitor(console.hub.console)
        visitor.sign_in(OWNER_TOKEN)
        for page, path in pages(console).items():
            address = path if path.startswith("/console") else f"/console/{console.integration_id}{path}"
            shown = visitor.get(address)
            files = [visitor.send("GET", one) for one in sorted(_files(shown))]
            files += [visitor.get(one, hx_request="true") for one in _late(shown)]
            size = sum(len(gzip.compress(one.html.encode(), 6)) for one in (shown, *files))
            times = [_timed(visitor, address) for _ in range(3 if quick else 9)]
            yield Weight(page, 1 + len(files), size, statistics.median(times))


def console_table(weights: Sequence[Weight]) -> str:
    """One row for each page, with its share of the budget."""
    rows = [
        [one.page, str(one.requests), f"{one.size:,}", f"{one.size / BUDGET_BYTES:.2f}",
         f"{one.milliseconds:.0f}", f"{one.milliseconds / BUDGET_MS:.2f}"]
        for one in weights
    ]  # fmt: skip
    return table(COLUMNS, rows)


@contextmanager
def _company(*, quick: bool) -> Iterator[Console]:
    with running(*(SMALL if quick else SIZES)) as gitlab:
        hub = CompanyHub(time.time)
        integration_id = hub.connect(gitlab)
        for kind in ("access", "pipelines", "credentials"):
            hub.call("integrations", "POST", f"/v1/integrations/{integration_id}/sync", {"kinds": [kind]})
        hub.sync()
        hub.push(integration_id, gitlab.truth("projects")[0]["id"])
        yield Console("", hub, integration_id, gitlab)


def _files(shown: Shown) -> set[str]:
    return {str(one.get("src") or one["href"]) for tag in ("script", "link", "img") for one in shown.elements(tag)}


def _late(shown: Shown) -> list[str]:
    """The pieces that a page asks for by itself."""
    return [str(one["hx-get"]) for one in shown.elements("section") if one.get("hx-trigger") == "load"]


def _timed(visitor: Visitor, address: str) -> float:
    began = time.perf_counter()
    visitor.send("GET", address)
    return (time.perf_counter() - began) * 1_000
