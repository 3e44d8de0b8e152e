"""Runs the syncs of a case, and puts their figures beside the floor."""

import json
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from typing import Any

from benchmarks.cases import Case
from benchmarks.children import ChildFailed, Dynamo, answer_of, dynamo
from benchmarks.worker_task import Task
from stand_in_gitlab.process import Running, running

CONCURRENCY = 16
BARE_REQUESTS = 3_000
"""A bare client is timed over at most so many requests, and its rate taken for the rest."""

CONTROL = "integrations"
"""The table that the engine keeps runs, checkpoints and budgets in; the others hold what was synced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One sync."""

    case: Case
    sync: str
    wall: float
    cpu: float
    peak_mib: float
    start_mib: float
    slices: int
    requests: int
    rows: int
    floor: float
    data: Mapping[str, int]
    control: Mapping[str, int]


class Bench:
    """One company, one stand-in DynamoDB, and the syncs between them."""

    def __init__(self, case: Case, gitlab: Running, store: Dynamo, *, profile: bool) -> None:
        self.gitlab, self._case, self._store, self._profile = gitlab, case, store, profile
        self._token = gitlab.tokens["admin"]

    def figures(self, kind: str, ordinal: str, *, ahead: int = 0) -> Figures:
        """Run one sync in a worker process, whose clock is so many seconds ahead."""
        before = self._bills()
        user_id, by_rest = self._user_id(), self._case.by_rest
        task = Task(
            kind, self.gitlab.base, self._token, user_id, self._profile, by_rest, ahead, self._case.deployments
        )  # fmt: skip
        told = answer_of("benchmarks.worker", json.dumps(asdict(task)), AWS_ENDPOINT_URL=self._store.endpoint)
        after = self._bills()
        if told["status"] != "idle":
            raise ChildFailed(f"the {kind} sync ended as {told['status']}: {told['error']}")
        counts = told["counts"]
        return Figures(
            case=self._case,
            sync=f"{kind}, {ordinal}",
            requests=counts["requests"],
            rows=counts["rows_read"] + counts.get("jobs_read", 0),
            floor=self._floor(counts["requests"], told["targets"]),
            data=after[0] - before[0],
            control=after[1] - before[1],
            **{name: told[name] for name in ("wall", "cpu", "peak_mib", "start_mib", "slices")},
        )

    def _floor(self, requests: int, targets: list[tuple[str, str]]) -> float:
        if self._case.latency_ms and not self._case.floor_is_timed:
            return requests * self._case.latency_ms / 1000 / CONCURRENCY
        count = min(requests, BARE_REQUESTS)
        asked = list(islice(cycle(targets), count))
        given = {"base": self.gitlab.base, "token": self._token, "targets": asked, "concurrency": CONCURRENCY}
        seconds: float = answer_of("benchmarks.bare", given=json.dumps(given))
        return seconds * requests / count

    def _bills(self) -> tuple[Counter[str], Counter[str]]:
        """The bill of the synced rows and that of the engine itself."""
        data: Counter[str] = Counter()
        control: Counter[str] = Counter()
        for name, bill in self._store.bills().items():
            (control if name == CONTROL else data).update(bill)
        return data, control

    def _user_id(self) -> int:
        request = urllib.request.Request(f"{self.gitlab.base}/api/v4/user", headers={"PRIVATE-TOKEN": self._token})  # noqa: S310 - http on loopback
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http on loopback
            user: dict[str, Any] = json.load(answer)
        return int(user["id"])


@contextmanager
def bench_of(case: Case, *, profile: bool) -> Iterator[Bench]:
    """A case's company and stand-ins of its own, until the block ends."""
    with running(*case.sizes, "--frozen") as gitlab, dynamo() as store:
        gitlab.control("POST", "latency", {"ms": case.latency_ms})
        store.take(case.store_ms)
        yield Bench(case, gitlab, store, profile=profile)


def figures_of(case: Case, kinds: tuple[str, ...], *, profile: bool) -> Iterator[Figures]:
    """All syncs of a case."""
    with bench_of(case, profile=profile) as bench:
        for kind in kinds:
            for ordinal in ("first", "second"):
                yield bench.figures(kind, ordinal)
