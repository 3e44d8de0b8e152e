"""Whether a list goes on, by what is left of the headers."""

import base64
import json
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.messages import RawResponse, Request
from gitlab_hub.gitlab.paging import goes_on

URL = "https://gitlab.example/api/v4/users"
NAMES = ("Link", "X-Next-Page", "X-Prev-Page", "X-Page", "X-Per-Page", "X-Total", "X-Total-Pages")


def rows(count: int) -> list[dict[str, Any]]:
    return [{"id": number, "name": f"n{number}"} for number in range(1, count + 1)]


def place(count: int, headers: dict[str, str], **query: str) -> str | None:
    """Where a list goes on behind a page of so many rows."""
    request = Request(method="GET", url=URL, query=tuple({"per_page": "3", **query}.items()))
    answer = RawResponse(status=200, headers={name.lower(): value for name, value in headers.items()}, body=b"")
    return goes_on(answer, request, rows(count))


def numbered(page: int, total: int, per_page: int = 3) -> dict[str, str]:
    """The headers of a numbered page, as GitLab sends them."""
    pages = -(-total // per_page)
    following = str(page + 1) if page < pages else ""
    link = f'<{URL}?page={following}&per_page={per_page}>; rel="next", ' if following else ""
    first = f'<{URL}?page=1&per_page={per_page}>; rel="first"'
    values = (link + first, following, str(page - 1 or ""), str(page), str(per_page), str(total), str(pages))
    return dict(zip(NAMES, values, strict=True))


@pytest.mark.parametrize(
    "stripped",
    [
        set(),
        {"Link"},
        {"X-Next-Page"},
        {"Link", "X-Next-Page"},
        {*NAMES[:4]},
        {*NAMES[5:]},
        {*NAMES} - {"X-Per-Page"},
        {*NAMES} - {"X-Total"},
        {*NAMES} - {"X-Total-Pages"},
        {*NAMES},
    ],
)
def test_whatever_a_proxy_strips_a_full_page_is_not_the_end(stripped: set[str]) -> None:
    left = {name: value for name, value in numbered(1, 7).items() if name not in stripped}
    assert dict(pair.split("=") for pair in (place(3, left) or "").split("&"))["page"] == "2"


@pytest.mark.parametrize("stripped", [set(), {"Link"}, {"X-Next-Page"}, {*NAMES[5:]}, {*NAMES}])
def test_a_short_page_that_nothing_counts_beyond_is_the_end(stripped: set[str]) -> None:
    left = {name: value for name, value in numbered(3, 7).items() if name not in stripped}
    assert place(1, left, page="3") is None


def test_a_full_last_page_is_the_end_where_gitlab_says_so() -> None:
    assert place(3, numbered(2, 6), page="2") is None
    assert place(3, {"X-Next-Page": ""}, page="2") is None
    assert place(3, {"Link": f'<{URL}?page=1>; rel="first"'}, page="2") is None


@pytest.mark.parametrize("link", ["", " ", "</style.css>; rel=preload", '<https://cdn.example/help>; rel="help"'])
def test_a_link_header_that_a_proxy_emptied_or_replaced_says_nothing_of_the_end(link: str) -> None:
    assert place(3, {"Link": link}, pagination="keyset", id_after="9") == "per_page=3&pagination=keyset&id_after=3"
    assert place(3, {"Link": link}, page="2") == "per_page=3&page=3"
    assert place(2, {"Link": link}, page="2") is None


def test_an_empty_page_is_the_end() -> None:
    assert place(0, {}) is None
    assert place(0, {"X-Total": "7"}, page="4") is None


def test_a_short_page_goes_on_where_gitlab_counts_more() -> None:
    assert place(2, {"X-Total": "7"}) == "per_page=3&page=2"
    assert place(2, {"X-Total-Pages": "3"}, page="2") == "per_page=3&page=3"


def test_more_rows_than_were_asked_for_are_an_unpaged_list() -> None:
    assert place(5, {}) is None


def test_a_full_keyset_page_without_a_link_is_asked_on() -> None:
    assert place(3, {}, pagination="keyset") == "per_page=3&pagination=keyset&page=2"
    assert place(3, {}, pagination="keyset", id_after="9") == "per_page=3&pagination=keyset&id_after=3"
    cursor = base64.urlsafe_b64encode(json.dumps({"name": "n0", "id": "0", "_kd": "n"}).encode()).decode()
    moved = (place(3, {}, pagination="keyset", cursor=cursor) or "").partition("cursor=")[2].replace("%3D", "=")
    assert json.loads(base64.urlsafe_b64decode(moved)) == {"name": "n3", "id": "3", "_kd": "n"}


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "no base64!"},
        {"cursor": "W10="},
        {"cursor": base64.urlsafe_b64encode(b'{"created_at":"x"}').decode()},
        {"page_token": "main"},
        {"page": "x"},
    ],
)
def test_where_nobody_can_say_where_it_goes_on_the_list_is_not_whole(query: dict[str, str]) -> None:
    with pytest.raises(UnexpectedResponse, match="no header says where"):
        place(3, {}, pagination="keyset", **query)
