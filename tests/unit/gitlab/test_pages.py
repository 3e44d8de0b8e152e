"""Lists over a scripted transport: every page once, and never one too few."""

from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.client import ClientOptions, GitLab, Page
from gitlab_hub.gitlab.errors import UnexpectedResponse
from tests.fakes.gitlab_client import BASE, DATE, ScriptedTransport, client, ok, status


async def rows(gitlab: GitLab, path: str = "/projects", **kwargs: Any) -> list[Page]:
    return [page async for page in gitlab.pages(path, **kwargs)]


def listing(request: httpx.Request) -> httpx.Response:
    """Three pages by number, as GitLab links them."""
    page, url = int(request.url.params.get("page", "1")), request.url
    headers = {"x-total": "3", "date": DATE}
    if page < 3:
        headers["link"] = f'<{url.copy_set_param("page", page + 1)}>; rel="next"'
    return httpx.Response(200, json=[{"page": page}], headers=headers)


async def test_pages_are_read_to_their_end() -> None:
    transport = ScriptedTransport(listing)
    found = await rows(client(transport), params={"membership": True})
    assert [page.rows for page in found] == [[{"page": 1}], [{"page": 2}], [{"page": 3}]]
    assert (found[0].total, found[-1].next, found[0].server_time is not None) == (3, None, True)
    assert dict(transport.requests[0].url.params) == {"membership": "true", "per_page": "100"}


async def test_a_list_goes_on_at_an_earlier_cursor() -> None:
    found = await rows(client(ScriptedTransport(listing)), params={"membership": True})
    transport = ScriptedTransport(listing)
    again = await rows(client(transport), params={"membership": True}, cursor=found[0].next)
    assert again == found[1:]
    assert transport.requests[0].url.params["membership"] == "true"


async def test_the_size_of_a_page_may_stand_among_the_parameters() -> None:
    transport = ScriptedTransport(ok([]))
    await rows(client(transport), params={"per_page": 20, "page": 3})
    assert transport.requests[0].url.query == b"per_page=20&page=3"


async def test_a_filter_stays_where_the_links_forget_it() -> None:
    def forgetful(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", "1"))
        link = f'<{BASE}/api/v4/projects?page={page + 1}>; rel="next"' if page < 3 else ""
        return ok([{}], link=link)

    transport = ScriptedTransport(forgetful)
    await rows(client(transport), params={"membership": True})
    assert [request.url.params["membership"] for request in transport.requests] == ["true"] * 3


@pytest.mark.parametrize("stripped", ["", "link"])
async def test_a_list_whose_headers_a_proxy_doubles_is_read_to_its_end(stripped: str) -> None:
    def doubled(request: httpx.Request) -> httpx.Response:
        answer = listing(request)
        page = int(request.url.params.get("page", "1"))
        named = [
            *answer.headers.multi_items(),
            ("x-page", str(page)),
            ("x-next-page", str(page + 1) if page < 3 else ""),
        ]
        kept = [pair for pair in named if pair[0] != stripped and pair[0] != "content-length"]
        return httpx.Response(
            200, content=answer.content, headers=[*kept, *kept, ("content-length", str(len(answer.content)))]
        )

    found = await rows(client(ScriptedTransport(doubled)))
    assert [page.rows for page in found] == [[{"page": 1}], [{"page": 2}], [{"page": 3}]]


async def test_an_overloaded_gitlab_is_asked_for_smaller_pages() -> None:
    transport = ScriptedTransport(status(502), status(500), listing)
    await rows(client(transport))
    assert [request.url.params["per_page"] for request in transport.requests] == ["100", "50", "25", "25", "25"]


async def test_a_single_reading_keeps_its_page_size() -> None:
    transport = ScriptedTransport(status(502), ok())
    await client(transport).get("/projects", {"per_page": 100})
    assert [request.url.params["per_page"] for request in transport.requests] == ["100", "100"]


@pytest.mark.parametrize(
    "steps", [{"1": "1"}, {"1": "2", "2": "1"}, {"1": "2", "2": "3", "3": "2"}], ids=["itself", "back", "later"]
)
async def test_pages_in_a_circle_are_an_error(steps: dict[str, str]) -> None:
    def circle(request: httpx.Request) -> httpx.Response:
        goes_on = steps[request.url.params.get("page", "1")]
        return ok([{}], link=f'<{request.url.copy_set_param("page", goes_on)}>; rel="next"')

    transport = ScriptedTransport(circle)
    with pytest.raises(UnexpectedResponse, match="circle"):
        await rows(client(transport), params={"page": 1})
    assert len(transport.requests) == len(steps)


async def test_a_page_that_leads_to_itself_is_a_circle_in_whatever_order_its_link_names_parameters() -> None:
    link = f'<{BASE}/api/v4/projects?per_page=100&order_by=id>; rel="next"'
    transport = ScriptedTransport(lambda _: ok([{"id": 1}], link=link))
    with pytest.raises(UnexpectedResponse, match="circle"):
        await anext(client(transport).pages("/projects", {"order_by": "id"}))
    assert len(transport.requests) == 1


async def test_an_endless_list_is_cut_with_an_error() -> None:
    def endless(request: httpx.Request) -> httpx.Response:
        return ok([{}], x_next_page=str(int(request.url.params.get("page", "1")) + 1))

    transport = ScriptedTransport(endless)
    with pytest.raises(UnexpectedResponse, match="more pages"):
        await rows(client(transport, options=ClientOptions(max_pages=7)))
    assert len(transport.requests) == 7


@pytest.mark.parametrize("body", [{}, [1], [[]], "x", [{}, None]])
async def test_what_is_no_list_of_rows_is_an_error_and_never_empty(body: Any) -> None:
    with pytest.raises(UnexpectedResponse, match="rows"):
        await rows(client(ScriptedTransport(ok(body))))
