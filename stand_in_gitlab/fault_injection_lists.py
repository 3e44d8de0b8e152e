"""Lists that look well and are not whole: what proxies, caches and odd rows make of a page."""

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from stand_in_gitlab.control.faults import Fault
from stand_in_gitlab.rest.ask import Answer, dump

PLACES = frozenset({"page", "cursor", "id_after", "id_before", "page_token"})
"""The parameters that say which page is meant: a cache that ignores them answers with the first one."""


def foreign_link(answer: Answer, fault: Fault) -> Answer:
    """Every link names another origin, and nothing else says where the list goes on."""
    links = answer.headers.get("Link", "").split(", ")
    moved = ", ".join(_moved(link, fault.origin) for link in links if link)
    headers = {name: value for name, value in answer.headers.items() if name not in {"Link", "X-Next-Page"}}
    return _with(answer, headers=headers | ({"Link": moved} if moved else {}))


def stripped(answer: Answer, fault: Fault) -> Answer:
    """Some headers, by default all about pages, are not let through."""
    gone = {name.lower() for name in fault.headers.split()}
    return _with(answer, headers={name: value for name, value in answer.headers.items() if name.lower() not in gone})


def short_page(answer: Answer, _fault: Fault) -> Answer:
    """The second half of the rows is missing, and the headers know nothing of it."""
    rows = json.loads(answer.body)
    return _with(answer, body=dump(rows[: len(rows) // 2])) if isinstance(rows, list) else answer


def relabelled(answer: Answer, fault: Fault) -> Answer:
    """The right body under another status, such as 206."""
    return _with(answer, status=fault.status)


def odd_row(answer: Answer, fault: Fault) -> Answer:
    """One row, or the one resource, has other values in some fields; those called `-` are missing."""
    body = json.loads(answer.body)
    row = body[fault.row] if isinstance(body, list) and len(body) > fault.row else body
    if isinstance(row, dict):
        row.update(fault.fields)
        for name in [name for name, value in fault.fields.items() if value == "-"]:
            del row[name]
    return _with(answer, body=dump(body))


def _moved(link: str, origin: str) -> str:
    address, angle, rest = link.removeprefix("<").partition(">")
    parts = urlsplit(address)
    return f"<{origin}{parts.path}?{parts.query}{angle}{rest}"


def _with(
    answer: Answer, *, status: int | None = None, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    content = answer.body if body is None else body
    kept = dict(answer.headers if headers is None else headers)
    return Answer(status or answer.status, content, {**kept, "Content-Length": str(len(content))}, answer.content_type)


SHAPED: dict[str, Callable[[Answer, Fault], Answer]] = {
    "foreign_link": foreign_link,
    "stripped": stripped,
    "short_page": short_page,
    "relabelled": relabelled,
    "odd_row": odd_row,
    "first_page": lambda answer, _fault: answer,
}
