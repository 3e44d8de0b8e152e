"""Cookies that a browser sent, and the one kind that the hub sets where it can: `__Host-`, for its own host alone."""

from collections.abc import Mapping
from typing import Any, Literal


def sent_cookies(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every cookie of a request; the gateway lists them beside the headers, others leave them there.

    Not by `SimpleCookie`, which gives up at the first cookie that is not as it should be, perhaps
    somebody else's.
    """
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    texts = [*(event.get("cookies") or ()), headers.get("cookie", "")]
    pairs = (pair.partition("=") for text in texts for pair in str(text).split(";"))
    return [(name.strip(), value.strip()) for name, _, value in pairs if name.strip()]


def host_cookie(name: str, value: str, *, seconds: int, same_site: Literal["Strict", "Lax"] = "Strict") -> str:
    """A cookie that no other host or path can set, no script reads, and no request from elsewhere carries.

    With `Lax` a link or a redirection from elsewhere carries it (RFC 6265bis, 5.2).

    `name` begins with `__Host-`, which asks for `Secure`, `Path=/` and no `Domain` (RFC 6265bis, 4.1.3.2). Browsers
    take 127.0.0.1 and localhost for as good as https (W3C, Secure Contexts, 3.1). 0 seconds remove it.
    """
    return f"{name}={value}; Path=/; Secure; HttpOnly; SameSite={same_site}; Max-Age={seconds}"
