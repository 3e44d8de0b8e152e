"""GitLab limits requests: the hub keeps to 80 % of what is announced, rests, and finishes all the same."""

from collections.abc import Iterator

import pytest

from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running, running
from tests.fakes.sync_worker import NEVER, SyncHub
from tests.integration.sync.conftest import EPOCH, KINDS
from tests.integration.sync.stored_rows import stored, truth

SIZES = ("--users", "12", "--groups", "20", "--projects", "90", "--pipelines", "1", "--jobs", "2")

LIMIT = 200
"""The smallest limit for which the promise holds exactly: one fifth of it covers what a worker that rested sends
before the first answer tells it about the new window."""

LONG = 60
"""A wait of so many seconds is one for GitLab's next window."""


@pytest.fixture(scope="module")
def company() -> Iterator[Running]:
    with running("--frozen", "--epoch", EPOCH, *SIZES) as stand_in:
        yield stand_in


class Windows:
    """GitLab's allowance: a new window opens whenever the hub rests, and what it spent in the old one is kept."""

    def __init__(self, server: Running, limits: dict[str, object]) -> None:
        self._server, self._limits = server, limits
        self.spent: list[int] = []
        self.refused = 0
        self.open()

    def open(self) -> None:
        """Begin a window."""
        self._server.control("DELETE", "stats")
        self._server.control("POST", "limits", self._limits)

    def close(self) -> None:
        """Note what was spent."""
        stats = self._server.control("GET", "stats")
        self.spent.append(stats["requests"])
        self.refused += stats["by_status"].get("429", 0)

    def rest(self, seconds: float) -> None:
        """Let the hub wait."""
        if seconds >= LONG:
            self.close()
            self.open()


def by_rest(server: Running) -> SyncHub:
    """A hub that asks once for each list, which makes a window worth having."""
    hub = SyncHub(server)
    hub.graphql_from = NEVER
    return hub


@pytest.mark.parametrize(("kind", "limit"), [(Kind.ACCESS, 160), (Kind.PIPELINES, LIMIT)])
def test_a_sync_under_a_small_limit_parks_and_finishes(server: Running, kind: Kind, limit: int) -> None:
    hub = by_rest(server)
    windows = Windows(server, {"general": {"limit": limit, "period": 3_600}})
    hub.pause = windows.rest
    run = hub.sync(kind)
    windows.close()
    assert (run.status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))
    assert max(windows.spent) <= 0.8 * limit
    assert windows.refused == run.counts["rate_limited"] == 0
    server.control("POST", "limits", {})
    undisturbed = by_rest(server)
    undisturbed.sync(kind)
    # What a rest interrupted is read again, and not much else.
    assert sum(windows.spent) <= 1.5 * len(undisturbed.requests)
    assert sum(spent > 0 for spent in windows.spent) > 1


@KINDS
def test_a_limit_that_nothing_announces_parks_the_run_and_it_goes_on(server: Running, kind: Kind) -> None:
    hub = by_rest(server)
    windows = Windows(server, {"endpoints": [{"path": "/(invitations|jobs)$", "limit": 40, "period": 60}]})
    hub.pause = windows.rest
    run = hub.sync(kind)
    windows.close()
    assert (run.status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))
    assert windows.refused >= run.counts["rate_limited"] > 0


def test_kinds_and_runs_share_one_allowance(server: Running) -> None:
    hub = SyncHub(server)
    windows = Windows(server, {"general": {"limit": LIMIT, "period": 3_600}})
    hub.pause = windows.rest
    for kind in (Kind.ACCESS, Kind.PIPELINES, Kind.ACCESS, Kind.PIPELINES):
        assert hub.sync(kind).status is RunStatus.IDLE
    windows.close()
    assert max(windows.spent) <= 0.8 * LIMIT
    assert windows.refused == 0
