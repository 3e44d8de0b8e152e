"""Finding the next page of a list without ever leaving the list.

Only the query of a `Link` is used, never its address: a page that names another host, scheme or path is not followed.
An unusable link is an error and not the end of the list, because a list cut short looks like deletions.
"""

import re
from urllib.parse import SplitResult, unquote, urlencode, urljoin, urlsplit

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.messages import Answer, Query, Request, merged, query_from

SMALLEST_PAGE = 20
_LONGEST_CURSOR = 4096
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s;,=]+(?:=(?:\"[^\"]*\"|[^\s;,\"]*))?)*)")
_NEXT = re.compile(r";\s*rel\s*=\s*(?:\"(?:[^\"]*\s)?next(?:\s[^\"]*)?\"|next(?![^\s;,]))", re.IGNORECASE)
_DEFAULT_PORTS = {"https": 443, "http": 80}


def next_cursor(answer: Answer, request: Request) -> str | None:
    """Where the list goes on, as an encoded query; None at its end."""
    link = _next_link(answer.headers.get("link", ""))
    cursor = None if link is None else _query_within(link, request.url)
    if cursor is None:
        cursor = _numbered_page(answer.headers.get("x-next-page", ""), request.query)
    if cursor is None and link is None:
        return None
    if cursor is None or len(cursor) > _LONGEST_CURSOR:
        raise UnexpectedResponse(
            "GitLab's link to the next page leads elsewhere. Connect with the external URL GitLab is configured with.",
            http_status=answer.status,
            request_id=answer.request_id,
        )
    return cursor


def following(query: Query, cursor: str) -> Query:
    """Give the query of the page a cursor stands for. The list's own filters stay even where a link forgot them."""
    try:
        return merged(query, query_from(cursor))
    except ValueError:
        raise UnexpectedResponse("The link to the next page is not usable.") from None


def with_smaller_pages(query: Query) -> Query:
    """Ask for the same place in the list in pages of half the size (at least 20 rows).

    A numbered page is renumbered so that no row is skipped; a few may come twice.
    """
    values = dict(query)
    size, page = values.get("per_page", ""), values.get("page", "1")
    if not size.isdigit() or int(size) <= SMALLEST_PAGE or not page.isdigit():
        return query
    smaller = max(int(size) // 2, SMALLEST_PAGE)
    changes: Query = (("per_page", str(smaller)),)
    if "page" in values:
        changes += (("page", str((int(page) - 1) * int(size) // smaller + 1)),)
    return merged(query, changes)


def _next_link(header: str) -> str | None:
    return next((link for link, parameters in _LINK.findall(header) if _NEXT.search(parameters)), None)


def _query_within(link: str, url: str) -> str | None:
    try:
        here, there = urlsplit(url), urlsplit(urljoin(url, link))
        same = _place(here) == _place(there)
    except ValueError:
        return None
    return there.query or None if same else None


def _place(url: SplitResult) -> tuple[str, str | None, int | None, str]:
    port = url.port or _DEFAULT_PORTS.get(url.scheme)
    host = None if url.username is not None else url.hostname
    return url.scheme, host, port, unquote(url.path)


def _numbered_page(number: str, query: Query) -> str | None:
    page = number.strip()
    if not (page.isascii() and page.isdigit()):
        return None
    return urlencode(merged(query, (("page", page),)))
