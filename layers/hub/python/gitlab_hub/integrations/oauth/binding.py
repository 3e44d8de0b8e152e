"""The cookie that ties an authorization to the browser it was begun in.

`__Host-` keeps other hosts and paths from setting it, and needs https. A hub on plain http, which only the local stack
is, sets a second one without that prefix: browsers and clients would not send the first one back there.
"""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from gitlab_hub.integrations.oauth.pending import LIFE_SECONDS

NAME = "ghub-oauth"
STRICT_NAME = f"__Host-{NAME}"
_COMMON = "Path=/; HttpOnly; SameSite=Lax"


def cookies(value: str, public_url: str, *, seconds: int = LIFE_SECONDS) -> tuple[str, ...]:
    """The Set-Cookie headers for a browser that sees the hub under this address."""
    strict = f"{STRICT_NAME}={value}; {_COMMON}; Secure; Max-Age={seconds}"
    return (strict, f"{NAME}={value}; {_COMMON}; Max-Age={seconds}") if _is_plain(public_url) else (strict,)


def forgotten(public_url: str) -> tuple[str, ...]:
    """The headers that remove it again."""
    return cookies("", public_url, seconds=0)


def presented(event: Mapping[str, Any], public_url: str) -> tuple[str, ...]:
    """What a browser sent back; the gateway lists cookies beside the headers, other fronts leave them there."""
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    texts = [*(event.get("cookies") or ()), headers.get("cookie", "")]
    names = (STRICT_NAME, NAME) if _is_plain(public_url) else (STRICT_NAME,)
    return tuple(value for text in texts for name, value in _parsed(str(text)).items() if name in names and value)


def _parsed(text: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(text).items()}
    except CookieError:
        return {}


def _is_plain(public_url: str) -> bool:
    return public_url.startswith("http://")
