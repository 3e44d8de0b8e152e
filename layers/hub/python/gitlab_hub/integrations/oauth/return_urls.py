"""Where a browser may be sent back to: only to what the deployer has listed."""

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from gitlab_hub.errors import HubError
from gitlab_hub.integrations.errors import DuplicateIntegration
from gitlab_hub.web.errors import Unprocessable

OWN_PAGES = "/console/"
_MAX_URL = 2048
_PLAIN = re.compile(r"[\x21-\x7e]+", re.ASCII)
_OWN = ("gitlab", "integration_id", "code", "existing_integration_id", "removed_integration_id")


class ReturnUrls:
    """The listed addresses. One allows itself with any query; one that ends in a slash also what lies below it.

    Scheme, host and port must be the same, and nothing is decoded or repaired: what two readers could take for
    different addresses (user info, backslashes, dot segments, also encoded) is refused.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = [parts for parts in map(_split, allowed) if parts is not None]

    def checked(self, url: str | None, *, hub: str = "") -> str | None:
        """The address itself, None for none. Raises Unprocessable where it is not listed.

        `hub`: the hub's own address: its console is listed by itself, and may be named by the path alone.
        """
        if url is None:
            return None
        whole = f"{hub}{url}" if hub and url.startswith("/") else url
        parts, own = _split(whole), _split(f"{hub}{OWN_PAGES}")
        allowed = [*self._allowed, *([] if own is None else [own])]
        if parts is None or not any(_allows(entry, parts) for entry in allowed):
            raise Unprocessable(
                "This redirect_url is not one that the deployment allows (AllowedReturnUrls).",
                details={"fields": [{"field": "body.redirect_url", "problem": "not_allowed"}]},
            )
        return whole


def returned(url: str, integration_id: str, error: HubError | None) -> str:
    """The address with what became of the authorization; a query of its own stays."""
    parts = urlsplit(url)
    own = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in _OWN]
    told = {"gitlab": "success" if error is None else "error", "integration_id": integration_id}
    if error is not None:
        told["code"] = error.code
    if isinstance(error, DuplicateIntegration):
        also = {"existing_integration_id": error.integration_id, "removed_integration_id": error.removed}
        told |= {name: value for name, value in also.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode([*own, *told.items()]), fragment=""))


def _split(url: str) -> SplitResult | None:
    if len(url) > _MAX_URL or not _PLAIN.fullmatch(url) or {"\\", "#", "@"} & set(url):
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return None
    if parts.scheme not in ("https", "http") or not parts.hostname or _is_crooked(parts.path):
        return None
    return parts


def _is_crooked(path: str) -> bool:
    decoded = unquote(path)
    return (
        "//" in path
        or bool({".", ".."} & set(decoded.split("/")))
        or decoded.count("/") != path.count("/")
        or "\\" in decoded
    )


def _allows(entry: SplitResult, parts: SplitResult) -> bool:
    if (entry.scheme, entry.hostname, _port(entry)) != (parts.scheme, parts.hostname, _port(parts)):
        return False
    if entry.path.endswith("/"):
        return (parts.path or "/").startswith(entry.path)
    return parts.path == entry.path or (entry.path == "" and parts.path == "/")


def _port(parts: SplitResult) -> int:
    return parts.port or {"https": 443, "http": 80}[parts.scheme]
