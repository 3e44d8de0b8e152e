"""Where a list says it goes on: never on another host, never in a circle, never for ever."""

from collections.abc import Iterator

import httpx
import pytest

from gitlab_hub.gitlab.client import ClientOptions
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running, running
from tests.fakes.sync_worker import SyncHub
from tests.integration.sync.conftest import EPOCH, KINDS
from tests.integration.sync.stored_rows import stored, truth
from tests.integration.sync.test_churn import on_small_numbered_pages


def on_small_pages(request: httpx.Request) -> httpx.Request:
    """The request for pages of a few rows, by keyset where that is asked for."""
    return (
        with_params(request, request.url.params.set("per_page", "3")) if "per_page" in request.url.params else request
    )


def on_numbered_pages(request: httpx.Request) -> httpx.Request:
    """The same for a server without keyset."""
    narrow = on_small_pages(request)
    return with_params(narrow, narrow.url.params.remove("pagination"))


def with_params(request: httpx.Request, params: httpx.QueryParams) -> httpx.Request:
    """The request with another query."""
    url = request.url.copy_with(params=params)
    return httpx.Request(request.method, url, headers=request.headers, extensions=request.extensions)


LISTS = "/(users|groups|projects|members|pipelines|jobs)$"


@KINDS
@pytest.mark.parametrize("fault", ["looped_link", "redirect"])
def test_a_list_that_leads_astray_is_not_followed(server: Running, kind: Kind, fault: str) -> None:
    hub = SyncHub(server)
    hub.sync(kind)
    before, usual = stored(hub, kind), len(hub.requests)
    server.fault(fault, path=LISTS, times=0)
    run = hub.sync(kind)
    assert run.status is RunStatus.FAILED
    assert stored(hub, kind) == before
    assert {request.netloc for request in hub.requests} == {httpx.URL(server.base).netloc}
    # Every list is tried four times at most, a circle for two pages.
    assert len(hub.requests) - usual <= 8 * usual


@KINDS
@pytest.mark.parametrize("origin", ["http://127.0.0.1:443", "https://gitlab.internal", "http://evil.example:8080"])
def test_of_a_link_only_the_query_is_used(server: Running, kind: Kind, origin: str) -> None:
    server.fault("foreign_link", path=LISTS, times=0, origin=origin)
    hub = SyncHub(server)
    hub.watch = on_small_pages
    run = hub.sync(kind)
    assert (run.status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))
    assert {request.netloc for request in hub.requests} == {httpx.URL(server.base).netloc}


@pytest.fixture(scope="module")
def large() -> Iterator[Running]:
    """A company whose lists have more than one page of a hundred."""
    sizes = ("--users", "130", "--groups", "3", "--projects", "105", "--pipelines", "1", "--jobs", "1", "--seed", "68")
    with running("--frozen", "--epoch", EPOCH, *sizes) as stand_in:
        yield stand_in


@KINDS
@pytest.mark.parametrize("rule", [{}, *({"headers": names} for names in ("Link", "X-Next-Page", "Link X-Next-Page"))])
def test_a_list_whose_paging_headers_were_stripped_is_read_to_its_end(
    large: Running, kind: Kind, rule: dict[str, str]
) -> None:
    large.control("DELETE", "faults")
    large.fault("stripped", path=LISTS, times=0, **rule)
    hub = SyncHub(large)
    run = hub.sync(kind)
    assert (run.status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))


@KINDS
@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "first_page"},
        {"kind": "first_page", "skip": 1},
        {"kind": "short_page", "query": "page=2"},
        {"kind": "short_page"},
        {"kind": "relabelled", "status": 206},
        {"kind": "relabelled", "status": 203},
    ],
    ids=lambda rule: " ".join(map(str, rule.values())),
)
def test_a_list_that_is_not_whole_fails_and_removes_nothing(
    server: Running, kind: Kind, rule: dict[str, object]
) -> None:
    hub = SyncHub(server)
    hub.watch = on_numbered_pages
    hub.sync(kind)
    before = stored(hub, kind)
    assert before == truth(hub, kind)
    server.fault(**{"path": "/(users|groups|projects)$", "times": 0, **rule})  # type: ignore[arg-type]
    run = hub.sync(kind)
    assert (run.status, (run.last_error or {}).get("code")) == (RunStatus.FAILED, "unexpected_response")
    assert stored(hub, kind) == before
    server.control("DELETE", "faults")
    assert (hub.sync(kind).status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))


def test_a_circle_of_several_pages_is_noticed(server: Running) -> None:
    hub = SyncHub(server)
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
    hub = SyncHub(server)
    hub.watch = on_small_numbered_pages
    hub.sync(kind)
    before, usual = stored(hub, kind), len(hub.requests)
    hub.options = ClientOptions(max_pages=1)
    run = hub.sync(kind)
    assert (run.status, (run.last_error or {})["code"]) == (RunStatus.FAILED, "unexpected_response")
    assert stored(hub, kind) == before == truth(hub, kind)
    assert len(hub.requests) - usual <= 4 * usual
