"""GitLab's two kinds of pages: by number, and by the last row seen."""

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from stand_in_gitlab.rest.ask import Answer, Ask, dump
from stand_in_gitlab.rest.refusals import bad_request, not_allowed

MAX_PER_PAGE, DEFAULT_PER_PAGE = 100, 20
MAX_COUNTED, MAX_OFFSET = 10_000, 50_000


class Row(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> int:
        """The number a keyset page goes on from."""


T = TypeVar("T")
R = TypeVar("R", bound=Row)


def page_size(ask: Ask) -> int:
    """How many rows a page may have."""
    size = ask.number("per_page", DEFAULT_PER_PAGE)
    if size < 1:
        raise bad_request("per_page does not have a valid value")
    return min(size, MAX_PER_PAGE)


def numbered(ask: Ask, rows: Sequence[T], shape: Callable[[T], object], *, keyset_type: str | None = None) -> Answer:
    """One page by its number. Lists that know keyset pages refuse to go deeper than 50,000 rows this way."""
    size, page = page_size(ask), max(1, ask.number("page", 1))
    if keyset_type and page * size > MAX_OFFSET:
        raise not_allowed(
            f"Offset pagination has a maximum allowed offset of {MAX_OFFSET} for requests that return objects of type "
            f"{keyset_type}. Remaining records can be retrieved using keyset pagination."
        )
    start = (page - 1) * size
    body = dump([shape(row) for row in rows[start : start + size]])
    return Answer(200, body, _numbered_headers(ask, page, size, len(rows)))


def _numbered_headers(ask: Ask, page: int, size: int, total: int) -> dict[str, str]:
    counted, pages = total <= MAX_COUNTED, max(1, -(-total // size))
    following = page + 1 if page * size < total else None
    previous = page - 1 if page > 1 else None
    links = {"prev": previous, "next": following, "first": 1, "last": pages if counted else None}
    headers = {
        "Link": ", ".join(_link(ask, relation, page=to, per_page=size) for relation, to in links.items() if to),
        "X-Page": str(page),
        "X-Per-Page": str(size),
        "X-Next-Page": str(following or ""),
        "X-Prev-Page": str(previous or ""),
    }
    return headers | ({"X-Total": str(total), "X-Total-Pages": str(pages)} if counted else {})


def _link(ask: Ask, relation: str, **changes: object) -> str:
    return f'<{address(ask, ask.params, **changes)}>; rel="{relation}"'


def address(ask: Ask, params: Mapping[str, str], **changes: object) -> str:
    """The same request with some parameters changed, sorted as Rails does.

    Times are repeated as GitLab has read them, without fractions of a second (Ruby's `DateTime#to_s`).
    """
    times = {name: moment.isoformat(timespec="seconds") for name in params if (moment := _time(params, name))}
    query = {**params, **times, **{name: str(value) for name, value in changes.items()}}
    query.pop("private_token", None)
    return f"{ask.base}{ask.path}?{urlencode(sorted(query.items()))}"


def _time(params: Mapping[str, str], name: str) -> datetime | None:
    if not name.endswith(("_after", "_before")) or name.startswith("id_"):
        return None
    try:
        return datetime.fromisoformat(params[name])
    except ValueError:
        return None


def _keyset_link(ask: Ask, **place: object) -> str:
    """A link as GitLab makes it: of all parameters that the endpoint knows, so the default `page=1` is in it, too.

    lib/gitlab/pagination/keyset/header_builder.rb, `updated_params`, over those of lib/api/pagination_params.rb.
    """
    return _link(ask, "next", page=ask.params.get("page", 1), per_page=page_size(ask), **place)


def keyset_by_id(ask: Ask, rows: Sequence[R], shape: Callable[[R], object], *, descending: bool) -> Answer:
    """The older kind (projects): goes on with `id_after`/`id_before`, and ends with an empty page without a Link.

    `rows` ascend by id, here and below.
    """
    first = bisect_right(rows, ask.number("id_after", 0), key=_id)
    end = bisect_left(rows, ask.number("id_before", 0), key=_id) if ask.params.get("id_before") else len(rows)
    chosen = _slice(rows, first, end, page_size(ask), descending=descending)
    headers = {}
    if chosen:
        headers["Link"] = _keyset_link(ask, **{"id_before" if descending else "id_after": chosen[-1].id})
    return Answer(200, dump([shape(row) for row in chosen]), headers)


def keyset_by_cursor(ask: Ask, rows: Sequence[R], shape: Callable[[R], object], *, descending: bool) -> Answer:
    """The newer kind (users, jobs, groups): goes on with an opaque `cursor`, and the last page has no Link."""
    position, size = _open_cursor(ask.params.get("cursor")), page_size(ask)
    first, end = 0, len(rows)
    if position is not None and descending:
        end = bisect_left(rows, position, key=_id)
    elif position is not None:
        first = bisect_right(rows, position, key=_id)
    chosen = _slice(rows, first, end, size, descending=descending)
    headers = {}
    if end - first > size:
        headers["Link"] = _keyset_link(ask, cursor=_cursor(chosen[-1].id))
    return Answer(200, dump([shape(row) for row in chosen]), headers)


def _id(row: Row) -> int:
    return row.id


def _slice(rows: Sequence[R], first: int, end: int, size: int, *, descending: bool) -> list[R]:
    if descending:
        return list(rows[max(first, end - size) : end])[::-1]
    return list(rows[first : min(end, first + size)])


def _cursor(last: int) -> str:
    return base64.urlsafe_b64encode(dump({"id": str(last), "_kd": "n"})).decode()


def _open_cursor(text: str | None) -> int | None:
    if not text:
        return None
    try:
        content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text))
        return int(content["id"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise bad_request("cursor is invalid") from None
