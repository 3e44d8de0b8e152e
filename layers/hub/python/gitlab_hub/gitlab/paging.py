"""Whether a list goes on behind a page, also where a proxy took away some or all of the headers that say so.

What GitLab sends (lib/gitlab/pagination): numbered pages always have `X-Page`, `X-Per-Page`, `X-Next-Page` (empty on
the last one) and `Link`, and up to 10,000 rows `X-Total` and `X-Total-Pages`; keyset pages have a `Link` or nothing.
So a full page without any of them may be the last one of a keyset list, or any page behind a proxy that strips headers:
GitLab is asked on, which costs a request for a list whose length is a multiple of its pages' size.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.link_header import is_keyset_place, names_pages, next_cursor, numbered
from gitlab_hub.gitlab.messages import Query, RawResponse, Request, merged
from gitlab_hub.gitlab.rates import number

Rows = Sequence[Mapping[str, Any]]

_DEFAULT_SIZE = 20
_DIRECTION = "_kd"
"""GitLab's cursors name the direction beside the columns of the last row (`Keyset::Paginator`)."""


def goes_on(answer: RawResponse, request: Request, rows: Rows) -> str | None:
    """Where the list goes on behind these rows, as an encoded query; None at its end.

    Raises UnexpectedResponse where it must go on and nobody can say where.
    """
    cursor = next_cursor(answer, request)
    if cursor is not None or not rows:
        return cursor
    size = number(answer.headers.get("x-per-page")) or page_size(request.query)
    if _counts_more(answer, request.query, size) or (not _says_that_it_ends(answer) and len(rows) == size):
        return _behind(request.query, rows)
    return None


def page_size(query: Query) -> int:
    """How many rows a full page of this query has."""
    return number(dict(query).get("per_page")) or _DEFAULT_SIZE


def page_number(query: Query) -> int | None:
    """Which numbered page this is; None for a page of a keyset list behind the first one."""
    return None if is_keyset_place(query) else number(dict(query).get("page", "1"))


def _says_that_it_ends(answer: RawResponse) -> bool:
    """Whether a header that would name the next page is there, and names none."""
    return names_pages(answer) or "x-next-page" in answer.headers


def _counts_more(answer: RawResponse, query: Query, size: int) -> bool:
    """Whether what is left of the headers counts more than this page and all before it."""
    page = page_number(query)
    if page is None:
        return False
    pages, total = number(answer.headers.get("x-total-pages")), number(answer.headers.get("x-total"))
    return (pages is not None and pages > page) or (total is not None and total > page * size)


def _behind(query: Query, rows: Rows) -> str:
    values, last = dict(query), rows[-1]
    if values.get("cursor"):
        return urlencode(merged(query, (("cursor", _moved(values["cursor"], last)),)))
    for bound in ("id_after", "id_before"):
        if bound in values and "page" not in values:
            return urlencode(merged(query, ((bound, str(_column(last, "id"))),)))
    page = page_number(query)
    if page is None:
        raise _nowhere()
    return numbered(page + 1, query)


def _moved(cursor: str, last: Mapping[str, Any]) -> str:
    """The cursor behind a row: the same columns, with that row's values."""
    try:
        columns = json.loads(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, ValueError):
        raise _nowhere() from None
    if not isinstance(columns, dict):
        raise _nowhere()
    moved = {name: value if name == _DIRECTION else str(_column(last, name)) for name, value in columns.items()}
    return base64.urlsafe_b64encode(json.dumps(moved, separators=(",", ":")).encode()).decode()


def _column(row: Mapping[str, Any], name: str) -> str | int:
    value = row.get(name)
    if not isinstance(value, str | int):
        raise _nowhere()
    return value


def _nowhere() -> UnexpectedResponse:
    return UnexpectedResponse(
        "GitLab's list must go on, and no header says where. Look for a proxy that strips `Link` and `X-Next-Page`."
    )
