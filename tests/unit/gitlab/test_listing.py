"""Whether pages make a whole list: repeated ones, short ones, and what may shift while a list is read."""

from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.errors import IncompleteList, UnexpectedResponse
from tests.fakes.gitlab_client import ScriptedTransport, client

Shown = Callable[[int], Sequence[int]]


class Server:
    """A list by numbered pages of a hundred; `shown` gives the ids of a page, `total` what it counts."""

    def __init__(self, shown: Shown, total: Callable[[int], int | None] = lambda _: None, *, pages: int = 99) -> None:
        self._shown, self._total, self._pages = shown, total, pages
        self.asked: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", "1"))
        self.asked.append(page)
        ids, total = list(self._shown(page)), self._total(page)
        headers = {"x-next-page": str(page + 1) if ids and page < self._pages else ""}
        if total is not None:
            headers["x-total"] = str(total)
        return httpx.Response(200, json=[{"id": number} for number in ids], headers=headers)


async def read(server: Server, cursor: str | None = None) -> list[int]:
    pages = client(ScriptedTransport(server)).pages("/users", cursor=cursor)
    return [row["id"] async for page in pages for row in page.rows]


def of(count: int) -> Shown:
    return lambda page: range((page - 1) * 100, min(page * 100, count))


async def test_a_whole_list() -> None:
    assert len(await read(Server(of(250), lambda _: 250))) == 250


async def test_a_page_that_a_cache_repeats_is_noticed() -> None:
    with pytest.raises(IncompleteList, match="twice"):
        await read(Server(lambda _: range(100)))


async def test_a_later_page_that_is_the_first_again_is_noticed() -> None:
    with pytest.raises(IncompleteList, match="twice"):
        await read(Server(lambda page: range(100) if page == 3 else of(500)(page)))


async def test_a_small_page_that_comes_again_in_another_order_is_noticed() -> None:
    with pytest.raises(IncompleteList, match="twice"):
        await read(Server(lambda page: [1, 2, 3] if page == 1 else [3, 1, 2], pages=2))


async def test_a_repeated_page_in_another_order_is_noticed_by_whoever_goes_on_later() -> None:
    server = Server(lambda page: range(100) if page == 1 else range(99, -1, -1))
    first = await anext(client(ScriptedTransport(server)).pages("/users"))
    with pytest.raises(IncompleteList, match="twice"):
        await read(server, first.next)


async def test_a_short_last_page_is_noticed_too() -> None:
    with pytest.raises(IncompleteList, match="twice"):
        await read(Server(lambda page: range(100) if page == 1 else range(20), pages=2))


async def test_a_repeated_page_is_noticed_by_whoever_goes_on_later() -> None:
    server = Server(lambda _: range(100))
    first = await anext(client(ScriptedTransport(server)).pages("/users"))
    with pytest.raises(IncompleteList, match="twice"):
        await read(server, first.next)
    assert server.asked == [1, 2]


@pytest.mark.parametrize("shift", [1, 10])
async def test_a_few_rows_that_come_twice_are_a_list_that_shifts(shift: int) -> None:
    # Others came to its front while the list was read, which it counts by then.
    server = Server(lambda page: range((page - 1) * (100 - shift), (page - 1) * (100 - shift) + 100), pages=3)
    assert len(set(await read(server))) == 300 - 2 * shift


async def test_rows_that_arrive_meanwhile_do_not_make_it_short() -> None:
    assert len(await read(Server(of(250), lambda page: 250 + 8 * (page - 1), pages=3))) == 250


@pytest.mark.parametrize(
    ("shown", "total"),
    [
        (lambda page: range(60) if page == 1 else (), 100),
        (lambda page: range(3) if page == 1 else (), 5),
        (lambda _: (), 130),
        (lambda page: [number for number in of(250)(page) if number % 2], 250),
    ],
    ids=["half a page", "a small list", "nothing at all", "every page"],
)
async def test_fewer_rows_than_gitlab_counts_are_no_whole_list(shown: Shown, total: int) -> None:
    with pytest.raises(IncompleteList, match="counts"):
        await read(Server(shown, lambda _: total, pages=3))


@pytest.mark.parametrize(("size", "missing", "whole"), [(20, 5, True), (20, 6, False), (100, 10, True), (3, 1, True)])
async def test_a_cut_page_of_a_short_list_is_noticed_by_the_size_of_its_pages(
    size: int, missing: int, whole: bool
) -> None:
    first, second = range(size - missing), range(size, 2 * size)
    server = Server(lambda page: first if page == 1 else second, lambda _: 2 * size, pages=2)
    pages = client(ScriptedTransport(server)).pages("/users", per_page=size)
    if whole:
        assert len([row async for page in pages for row in page.rows]) == 2 * size - missing
    else:
        with pytest.raises(IncompleteList, match="counts"):
            _ = [page async for page in pages]


async def test_what_was_read_before_counts() -> None:
    whole = Server(of(250), lambda _: 250)
    first = await anext(client(ScriptedTransport(whole)).pages("/users"))
    assert len(await read(whole, first.next)) == 150
    assert len(await read(whole, "page=2&per_page=100")) == 150
    short = Server(lambda page: range(60) if page == 1 else of(250)(page), lambda _: 250)
    first = await anext(client(ScriptedTransport(short)).pages("/users"))
    with pytest.raises(IncompleteList, match="250 rows and lists 210"):
        await read(short, first.next)


@pytest.mark.parametrize("rows", [[{"name": "main"}, {"name": "dev"}], [{"path": "a"}, {"path": "b"}]])
async def test_rows_without_ids_are_told_apart_as_well(rows: list[dict[str, Any]]) -> None:
    def repeated(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=rows, headers={"x-next-page": "7"})

    with pytest.raises(IncompleteList, match="twice"):
        _ = [page async for page in client(ScriptedTransport(repeated)).pages("/x")]


@pytest.mark.parametrize("status", [201, 202, 203, 204, 206, 226])
async def test_a_reading_call_is_whole_with_200_only(status: int) -> None:
    transport = ScriptedTransport(lambda _: httpx.Response(status, json=[{"id": 1}]))
    with pytest.raises(UnexpectedResponse, match=str(status)):
        await anext(client(transport).pages("/users"))
    with pytest.raises(UnexpectedResponse, match=str(status)):
        await client(transport).get("/users/1")
