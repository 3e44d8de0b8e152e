"""Sends hook calls over real HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import httpx

from stand_in_gitlab.webhooks.request import Request

TIMEOUT = 10.0
KEPT_BODY, KEPT_HEADERS = 8_192, 50
# Nobody has these names (RFC 2606), and asking for them may take long: the company's own hooks lead there.
RESERVED = (".example", ".invalid", ".test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the receiver answered."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def good(self) -> bool:
        """GitLab counts redirections as success, and does not follow them."""
        return 200 <= self.status < 400  # noqa: PLR2004 - HTTP's ranges


class Undelivered(Exception):
    """Nobody answered in time, or not in HTTP."""


Post = Callable[[Request], Reply]


def http_post(request: Request) -> Reply:
    """One attempt, at most ten seconds per wait; Undelivered if no answer came."""
    try:
        if httpx.URL(request.url).host.endswith(RESERVED):
            raise Undelivered("getaddrinfo: Name or service not known")
        answer = _client(verify=request.verify).post(
            request.url, content=request.body, headers=dict(request.headers), timeout=TIMEOUT
        )
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise Undelivered(str(problem) or type(problem).__name__) from problem
    headers = {name.title(): value for name, value in list(answer.headers.items())[:KEPT_HEADERS]}
    return Reply(status=answer.status_code, headers=headers, body=answer.text[:KEPT_BODY])


@lru_cache(maxsize=2)
def _client(*, verify: bool) -> httpx.Client:
    return httpx.Client(verify=verify, follow_redirects=False, trust_env=False)
