"""The cookie that ties authorizations to the browser they were begun in.

It holds a value for each that is under way, as somebody may open several links before finishing the first.

`__Host-` keeps other hosts and paths from setting it, and needs https. A hub on plain http, which only the local stack
is, sets a second one without that prefix: browsers and clients would not send the first one back there.
"""

from collections.abc import Mapping, Sequence
from html import escape
from http import HTTPStatus
from typing import Any

from gitlab_hub.errors import HubError
from gitlab_hub.integrations.oauth.pending import LIFE_SECONDS
from gitlab_hub.web.cookies import sent_cookies
from gitlab_hub.web.responses import HttpResponse
from gitlab_hub.web.status import status_of

NAME = "ghub-oauth"
STRICT_NAME = f"__Host-{NAME}"
MOST_AT_ONCE = 8
"""Authorizations that one browser may have under way; the newest count."""

_COMMON = "Path=/; HttpOnly; SameSite=Lax"
_APART = "."
"""Between two values, which have no such character."""


def new_cookies(values: Sequence[str], public_url: str) -> tuple[str, ...]:
    """The Set-Cookie headers for a browser that sees the hub under this address; no values remove the cookie."""
    value, seconds = _APART.join(list(dict.fromkeys(values))[:MOST_AT_ONCE]), LIFE_SECONDS if values else 0
    strict = f"{STRICT_NAME}={value}; {_COMMON}; Secure; Max-Age={seconds}"
    return (strict, f"{NAME}={value}; {_COMMON}; Max-Age={seconds}") if _is_plain(public_url) else (strict,)


def read_cookies(event: Mapping[str, Any], public_url: str) -> tuple[str, ...]:
    """The values that a browser sent back."""
    names = (STRICT_NAME, NAME) if _is_plain(public_url) else (STRICT_NAME,)
    found = (value for name, value in sent_cookies(event) if name in names)
    return tuple(one for value in found for one in value.split(_APART) if one)


def _is_plain(public_url: str) -> bool:
    return public_url.startswith("http://")


# What a browser gets: a redirection, or a small page with a real status.

_HEADERS = {"referrer-policy": "no-referrer"}
_HTML = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}}</style>
<h1>{title}</h1><p>{text}</p>{code}</html>
"""


def redirect_to(status: HTTPStatus, url: str, cookies: tuple[str, ...] = ()) -> HttpResponse:
    """Send the browser on. Nothing keeps the answer, and the next page does not learn this one's address."""
    return HttpResponse(status=status, body="", headers={**_HEADERS, "location": url}, cookies=cookies)


def success_page(cookies: tuple[str, ...] = ()) -> HttpResponse:
    """Say that it is done."""
    return _page(HTTPStatus.OK, "GitLab is connected", "You can close this window.", None, cookies)


def failure_page(error: HubError, cookies: tuple[str, ...] = ()) -> HttpResponse:
    """Say what is wrong; no text of anybody else's is shown."""
    return _page(status_of(error), "GitLab was not connected", str(error), error.code, cookies)


def _page(status: int, title: str, text: str, code: str | None, cookies: tuple[str, ...]) -> HttpResponse:
    shown = f"<p><code>{escape(code)}</code></p>" if code else ""
    body = _PAGE.format(title=escape(title), text=escape(text), code=shown)
    return HttpResponse(status=status, body=body, headers={**_HEADERS, **_HTML}, cookies=cookies)
