"""Reading lists of GitLab that may be long: page by page, resumable after each."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from gitlab_hub.gitlab.client import GitLab, Page
from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.sync.ports import Scope, Session

Rows = list[dict[str, Any]]
Params = Mapping[str, str | int | bool]
Take = Callable[[Rows], Awaitable[None]]

MAX_COLLECTED = 100_000
"""Members of one group or project; GitLab has no such group, and a worker's memory an end."""

_KEYSET = {"pagination": "keyset"}


async def each_page(gitlab: GitLab, path: str, params: Params, cursor: str | None) -> AsyncIterator[Page]:
    """Read on from `cursor`, by keyset where this GitLab has it: there nothing shifts while it is read.

    An endpoint without keyset answers 405, to a resumed reading too: then the pages are numbered ones.
    """
    try:
        async for page in gitlab.pages(path, {**params, **_KEYSET}, cursor=cursor):
            cursor = page.next
            yield page
    except UnexpectedResponse as error:
        if error.http_status != HTTPStatus.METHOD_NOT_ALLOWED:
            raise
        async for page in gitlab.pages(path, params, cursor=cursor):
            yield page


async def read_list(session: Session, scope: Scope, path: str, params: Params, take: Take) -> None:
    """Hand every page to `take`, which makes it durable, and note how far that is."""
    async for page in each_page(session.gitlab, path, params, session.cursor(scope)):
        await take(page.rows)
        if page.next is not None:
            await session.checkpoint(scope, page.next)


async def collect(gitlab: GitLab, path: str) -> Rows:
    """Read a list that is small enough to be held."""
    rows: Rows = []
    async for page in gitlab.pages(path):
        rows += page.rows
        if len(rows) > MAX_COLLECTED:
            raise UnexpectedResponse("GitLab lists more members of one group or project than the hub can take.")
    return rows
