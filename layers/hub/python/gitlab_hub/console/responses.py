"""Answers to a browser, with the headers that keep a page to itself."""

import base64
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from gitlab_hub.web.call import Call

HTML = "text/html; charset=utf-8"
WORTH_PACKING = 1_000

# Everything from the hub itself and nothing else: no inline script, no inline style, no frame around it.
_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
_GUARD = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_PRIVATE = {"cache-control": "no-store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserResponse:
    """A finished answer. `headers` win over those that every answer has."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()

    def to_gateway(self, call: Call) -> dict[str, Any]:
        """Spell the answer for API Gateway, which compresses nothing itself."""
        headers = {**_PRIVATE, **_GUARD, **self.headers, "x-request-id": call.request_id}
        body = self.body
        if len(body) > WORTH_PACKING and "gzip" in call.headers.get("accept-encoding", ""):
            body = gzip.compress(body, 6, mtime=0)
            headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
        return {
            "statusCode": self.status,
            "headers": headers,
            "cookies": list(self.cookies),
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }


def page_response(html: str, *, status: int = HTTPStatus.OK, cookies: tuple[str, ...] = ()) -> BrowserResponse:
    """A page, or a piece of one."""
    return BrowserResponse(status=status, body=html.encode(), headers={"content-type": HTML}, cookies=cookies)


def file_response(name: str, media: str, text: str) -> BrowserResponse:
    """A file to keep, which no browser shows as a page."""
    headers = {"content-type": f"{media}; charset=utf-8", "content-disposition": f'attachment; filename="{name}"'}
    return BrowserResponse(status=HTTPStatus.OK, body=text.encode(), headers=headers)


def redirect(path: str, *, cookies: tuple[str, ...] = ()) -> BrowserResponse:
    """Send the browser to another page, with GET."""
    return BrowserResponse(status=HTTPStatus.SEE_OTHER, headers={"location": path}, cookies=cookies)
