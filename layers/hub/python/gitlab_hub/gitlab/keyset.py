"""Lists read by keyset where this GitLab has it: there nothing shifts while they are read."""

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.link_header import KEYSET
from gitlab_hub.gitlab.listing import is_numbered
from gitlab_hub.gitlab.messages import Scalar
from gitlab_hub.gitlab.options import Page

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab


async def keyset_pages(
    gitlab: "GitLab", path: str, params: Mapping[str, Scalar], *, cursor: str | None = None, per_page: int = 100
) -> AsyncIterator[Page]:
    """Read on from `cursor`, by keyset if possible.

    An endpoint that has none says 405 (lib/api/helpers/pagination_strategies.rb), to a resumed reading too: then the
    pages are numbered ones. A place in a keyset list has no number (and GitLab reads a keyset `cursor` on no other
    page), so behind one the list begins anew: rows may come twice, none is left out.
    """
    try:
        async for page in gitlab.pages(path, {**params, **dict([KEYSET])}, cursor=cursor, per_page=per_page):
            cursor = page.next
            yield page
    except UnexpectedResponse as error:
        if error.http_status != HTTPStatus.METHOD_NOT_ALLOWED:
            raise
        place = cursor if cursor and is_numbered(cursor) else None
        async for page in gitlab.pages(path, params, cursor=place, per_page=per_page):
            yield page
