"""Lists by keyset, and a GitLab that has none any more in the middle of one: a rollback, or another node."""

import base64
import json
from collections.abc import Callable

import httpx
import pytest

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.keyset import keyset_pages
from tests.fakes.gitlab_client import ScriptedTransport, client

ROWS = list(range(1, 10))
SIZE = 2
NO_KEYSET = {"error": "Keyset pagination is not yet available for this type of request"}

Answer = Callable[[httpx.Request], httpx.Response]


def listing(kind: str, keyset_requests: int) -> Answer:
    """Nine rows; goes on by `id_after` or by `cursor` for so many requests, and then has no keyset."""
    asked = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        params = request.url.params
        if params.get("pagination") != "keyset":
            return by_number(request)
        asked += 1
        if asked > keyset_requests:
            return httpx.Response(405, json=NO_KEYSET)
        after = int(params.get("id_after", "0"))
        if "cursor" in params:
            after = int(json.loads(base64.urlsafe_b64decode(params["cursor"]))["id"])
        rows = [number for number in ROWS if number > after][:SIZE]
        last = base64.urlsafe_b64encode(json.dumps({"id": str(rows[-1])}).encode()).decode()
        # GitLab's link has every parameter that the endpoint knows, `page` with its default among them.
        bound = {"page": "1", **({"id_after": str(rows[-1])} if kind == "id_after" else {"cursor": last})}
        link = f'<{request.url.copy_merge_params(bound)}>; rel="next"' if rows[-1] < ROWS[-1] else ""
        return httpx.Response(200, json=[{"id": number} for number in rows], headers={"link": link})

    return answer


def by_number(request: httpx.Request) -> httpx.Response:
    # Offset pages do not know a cursor, and GitLab's list of a group's projects knows no `id_after` either.
    page = int(request.url.params.get("page", "1"))
    rows = ROWS[(page - 1) * SIZE : page * SIZE]
    following = str(page + 1) if page * SIZE < len(ROWS) else ""
    headers = {"x-page": str(page), "x-per-page": str(SIZE), "x-next-page": following, "x-total": str(len(ROWS))}
    return httpx.Response(200, json=[{"id": number} for number in rows], headers=headers)


async def read(answer: Answer, cursor: str | None = None, most: int | None = None) -> tuple[list[int], str | None]:
    """The ids that were read, and where the list goes on."""
    found: list[int] = []
    async for page in keyset_pages(client(ScriptedTransport(answer)), "/projects", {}, cursor=cursor, per_page=SIZE):
        found += [row["id"] for row in page.rows]
        cursor = page.next
        if most is not None and len(found) >= most:
            break
    return found, cursor


@pytest.mark.parametrize("kind", ["id_after", "cursor"])
@pytest.mark.parametrize("keyset_requests", range(7))
async def test_a_list_that_loses_its_keyset_in_the_middle_is_read_to_its_end(kind: str, keyset_requests: int) -> None:
    found, end = await read(listing(kind, keyset_requests))
    assert (sorted(set(found)), end) == (ROWS, None)


@pytest.mark.parametrize("kind", ["id_after", "cursor"])
async def test_a_place_in_a_keyset_list_is_no_dead_end_where_there_is_no_keyset_any_more(kind: str) -> None:
    _, cursor = await read(listing(kind, 9), most=4)
    assert await read(listing(kind, 0), cursor) == (ROWS, None)


async def test_a_numbered_place_is_gone_on_from() -> None:
    _, cursor = await read(listing("cursor", 0), most=4)
    assert (await read(listing("cursor", 0), cursor))[0] == ROWS[4:]


async def test_a_list_that_takes_no_numbers_either_is_asked_for_once_each_way() -> None:
    transport = ScriptedTransport(lambda _: httpx.Response(405, json=NO_KEYSET))
    with pytest.raises(UnexpectedResponse):
        async for _ in keyset_pages(client(transport), "/projects", {}):
            pass
    assert len(transport.requests) == 2
