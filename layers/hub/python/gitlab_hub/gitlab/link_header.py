"""What the paging headers of an answer say: where the list goes on.

Only the query of a `Link` is used, and asked for where the list was asked for before. Its address says nothing: GitLab
builds it from the request's scheme and path and from its own configured host and port (`OffsetHeaderBuilder` and
`Keyset::HeaderBuilder` in lib/gitlab/pagination), so behind TLS termination, a proxy with a prefix of its own, or an
internal name it is one that nobody can reach. So no page, and no token, ever goes anywhere else.
A link without a query is an error and not the end of the list, because a list cut short looks like deletions.
"""

import re
from urllib.parse import urlencode

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.messages import Query, RawResponse, Request, merged, query_from

SMALLEST_PAGE = 20
KEYSET = ("pagination", "keyset")
_BEHIND_A_ROW = frozenset({"cursor", "id_after", "id_before", "page_token"})
_PLACE = _BEHIND_A_ROW | {"page", "per_page", KEYSET[0]}
_MAX_DIGITS = 15
_LONGEST_CURSOR = 4096
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s;,=]+(?:=(?:\"[^\"]*\"|[^\s;,\"]*))?)*)")
_NEXT = re.compile(r";\s*rel\s*=\s*(?:\"(?:[^\"]*\s)?next(?:\s[^\"]*)?\"|next(?![^\s;,]))", re.IGNORECASE)
_OTHER_PAGE = re.compile(r";\s*rel\s*=\s*\"?(?:first|prev|last)\b", re.IGNORECASE)


def next_cursor(answer: RawResponse, request: Request) -> str | None:
    """Where the list goes on, as an encoded query; None where the headers name no next page."""
    link = _next_link(answer.headers.get("link", ""))
    cursor = "" if link is None else _query_of(link)
    if not cursor:
        cursor = _numbered_page(answer.headers.get("x-next-page", ""), request.query)
    if not cursor and link is None:
        return None
    if not cursor or len(cursor) > _LONGEST_CURSOR:
        raise UnexpectedResponse(
            "GitLab's link to the next page has no usable query. Look for a proxy that rewrites the `Link` header.",
            http_status=answer.status,
            request_id=answer.request_id,
        )
    return cursor


def names_pages(answer: RawResponse) -> bool:
    """Whether an answer has GitLab's own links to pages of its list; a proxy may empty the header, or send another."""
    return any(_OTHER_PAGE.search(parameters) for _, parameters in _LINK.findall(answer.headers.get("link", "")))


def following(query: Query, cursor: str) -> Query:
    """Give the query of the page a cursor stands for: the list's own filters, and the place that the link names.

    GitLab's link repeats the filters as it has understood them: a time without its milliseconds (Ruby's
    `DateTime#to_s`), so a page behind the first one would be of another list; what it has split at its commas as
    `status[]`, and a query with both spellings is refused (lib/api/hooks/events.rb; Rack's parameter parser).

    A numbered page is asked for without `pagination=keyset`: with it GitLab ignores the number. The link to a place
    behind a keyset has a number as well: it is made of all parameters that the endpoint knows, and `page` is 1 by
    default (lib/gitlab/pagination/keyset/header_builder.rb, lib/api/pagination_params.rb).
    """
    try:
        goes_on = query_from(cursor)
    except ValueError:
        raise UnexpectedResponse("The link to the next page is not usable.") from None
    if is_keyset_place(goes_on):
        goes_on = tuple(pair for pair in goes_on if pair[0] != "page")
    elif any(name == "page" for name, _ in goes_on):
        query = tuple(pair for pair in query if pair != KEYSET)
        goes_on = tuple(pair for pair in goes_on if pair != KEYSET)
    own = {name.removesuffix("[]") for name, _ in query} - _PLACE
    return merged(query, tuple(pair for pair in goes_on if pair[0].removesuffix("[]") not in own))


def is_keyset_place(query: Query) -> bool:
    """Whether a query stands for what comes behind a row, and not for a page by its number."""
    values = dict(query)
    if not values.keys() & _BEHIND_A_ROW:
        return False
    return "page" not in values or values.get(KEYSET[0]) == KEYSET[1]


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


def _query_of(link: str) -> str:
    return link.partition("#")[0].partition("?")[2]


def numbered(page: int, query: Query) -> str:
    """The cursor of a page by its number."""
    return urlencode(merged(query, (("page", str(page)),)))


def _numbered_page(number: str, query: Query) -> str:
    page = number.strip()
    return numbered(int(page), query) if page.isascii() and page.isdigit() and len(page) <= _MAX_DIGITS else ""
