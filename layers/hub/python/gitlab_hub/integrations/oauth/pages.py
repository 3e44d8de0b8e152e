"""What a browser gets: a redirection, or a small page with a real status."""

from html import escape
from http import HTTPStatus

from gitlab_hub.errors import HubError
from gitlab_hub.web.answers import Answer
from gitlab_hub.web.status import status_of

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


def redirection(status: HTTPStatus, url: str, cookies: tuple[str, ...] = ()) -> Answer:
    """Send the browser on. Nothing keeps the answer, and the next page does not learn this one's address."""
    return Answer(status=status, body="", headers={**_HEADERS, "location": url}, cookies=cookies)


def success(cookies: tuple[str, ...] = ()) -> Answer:
    """Say that it is done."""
    return _page(HTTPStatus.OK, "GitLab is connected", "You can close this window.", None, cookies)


def failure(error: HubError, cookies: tuple[str, ...] = ()) -> Answer:
    """Say what is wrong; no text of anybody else's is shown."""
    return _page(status_of(error), "GitLab was not connected", str(error), error.code, cookies)


def _page(status: int, title: str, text: str, code: str | None, cookies: tuple[str, ...]) -> Answer:
    shown = f"<p><code>{escape(code)}</code></p>" if code else ""
    body = _PAGE.format(title=escape(title), text=escape(text), code=shown)
    return Answer(status=status, body=body, headers={**_HEADERS, **_HTML}, cookies=cookies)
