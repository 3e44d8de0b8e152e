"""Time that moves between the syncs and during them: when it stands still again, stored equals source."""

import random

import httpx
import pytest

from gitlab_hub.gitlab.client import ClientOptions
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running
from tests.fakes.sync_worker import SyncHub
from tests.integration.sync.stored_rows import pipelines, truth

QUIET = 2 * 86_400
"""Long enough for everything to end, and for the daily question after children that nothing announced."""


class Restless:
    """A company where something may happen before every request, for as long as it is let."""

    def __init__(self, hub: SyncHub, seed: int) -> None:
        self._hub, self._chance = hub, random.Random(seed)  # noqa: S311 - a repeatable history

    def between(self) -> None:
        """Let some time pass between two syncs."""
        self._hub.later(self._chance.choice([1, 40, 600, 20_000, 90_000]))

    def __call__(self, request: httpx.Request) -> httpx.Request:
        """Let something happen before a request now and then."""
        server = self._hub.server
        match self._chance.randrange(16):
            case 0 | 1:
                self._hub.later(self._chance.choice([0.01, 1, 30, 400]))
            case 2:
                server.change("add_pipeline", project_id=self._chance.choice(server.truth("projects"))["id"], jobs=3)
            case 3:
                ended = [row for row in server.truth("jobs") if row["status"] in {"success", "failed"}]
                server.change("retry_job", id=self._chance.choice(ended)["id"])
            case 4 if self._chance.random() < 0.3:
                server.fault("status", path="^/api/v4/", status=502, times=self._chance.choice([1, 5]))
        return request


@pytest.mark.parametrize("seed", range(10))
def test_after_quiescence_stored_equals_source(fresh: Running, seed: int) -> None:
    hub = SyncHub(fresh)
    restless = Restless(hub, seed)
    hub.sync(Kind.PIPELINES)
    for _ in range(3):
        restless.between()
        hub.watch = restless
        hub.sync(Kind.PIPELINES)
        hub.watch = lambda request: request
    fresh.control("DELETE", "faults")
    fresh.control("POST", "advance", {"seconds": QUIET, "idle": True})
    hub.now += QUIET
    assert hub.sync(Kind.PIPELINES).status is RunStatus.IDLE
    assert pipelines(hub) == truth(hub, Kind.PIPELINES)


def test_many_pipelines_of_one_moment_on_small_pages(fresh: Running) -> None:
    hub = SyncHub(fresh)
    hub.options = ClientOptions()
    hub.watch = in_pages_of_two
    project, now = fresh.truth("projects")[0]["id"], fresh.control("GET", "clock")["now"]
    for _ in range(7):
        fresh.change("add_pipeline", project_id=project, jobs=0, created=now)
    assert hub.sync(Kind.PIPELINES).status is RunStatus.IDLE
    assert pipelines(hub) == truth(hub, Kind.PIPELINES)


def in_pages_of_two(request: httpx.Request) -> httpx.Request:
    """The request to a server with small pages."""
    if "per_page" not in request.url.params:
        return request
    url = request.url.copy_with(params=request.url.params.set("per_page", "2"))
    return httpx.Request("GET", url, headers=request.headers, extensions=request.extensions)
