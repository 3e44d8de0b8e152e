"""Where a list says it goes on: never on another host, never in a circle, never for ever."""

import httpx
import pytest

from gitlab_hub.gitlab.client import ClientOptions
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from local.gitlab.process import Running
from tests.fakes.worker import Hub
from tests.integration.sync.conftest import KINDS
from tests.integration.sync.stored import stored, truth
from tests.integration.sync.test_churn import on_small_numbered_pages

LISTS = "/(users|groups|projects|members|pipelines|jobs)$"


@KINDS
@pytest.mark.parametrize("fault", ["foreign_link", "looped_link", "redirect"])
def test_a_list_that_leads_astray_is_not_followed(server: Running, kind: Kind, fault: str) -> None:
    hub = Hub(server)
    hub.sync(kind)
    before, usual = stored(hub, kind), len(hub.requests)
    server.fault(fault, path=LISTS, times=0)
    run = hub.sync(kind)
    assert run.status is RunStatus.FAILED
    assert stored(hub, kind) == before
    assert {request.netloc for request in hub.requests} == {httpx.URL(server.base).netloc}
    # Every list is tried four times at most, a circle for two pages.
    assert len(hub.requests) - usual <= 8 * usual


def test_a_circle_of_several_pages_is_noticed(server: Running) -> None:
    hub = Hub(server)
    hub.watch = on_small_numbered_pages
    hub.sync(Kind.ACCESS)
    before, usual = stored(hub, Kind.ACCESS), len(hub.requests)

    def back_to_the_second(request: httpx.Request) -> httpx.Request:
        narrow = on_small_numbered_pages(request)
        if narrow.url.params.get("page") != "4":
            return narrow
        url = narrow.url.copy_with(params=narrow.url.params.set("page", "2"))
        return httpx.Request("GET", url, headers=narrow.headers, extensions=narrow.extensions)

    hub.watch = back_to_the_second
    run = hub.sync(Kind.ACCESS)
    assert (run.status, stored(hub, Kind.ACCESS)) == (RunStatus.FAILED, before)
    assert len(hub.requests) < 6 * usual


@KINDS
def test_a_list_without_an_end_is_given_up_and_nothing_removed(server: Running, kind: Kind) -> None:
    # Each of four tries gets one page further, so there must be more pages than that.
    for number in range(10):
        server.change("add_project", path=f"one-more-{kind}-{number}")
    hub = Hub(server)
    hub.watch = on_small_numbered_pages
    hub.sync(kind)
    before, usual = stored(hub, kind), len(hub.requests)
    hub.options = ClientOptions(max_pages=1)
    run = hub.sync(kind)
    assert (run.status, (run.last_error or {})["code"]) == (RunStatus.FAILED, "unexpected_response")
    assert stored(hub, kind) == before == truth(hub, kind)
    assert len(hub.requests) - usual <= 4 * usual
