"""What can be asked of GitLab: single resources, lists page by page, GraphQL, writes, forms."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from gitlab_hub.gitlab import graphql
from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.calls import Calls
from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.graphql import GraphQLQuery, GraphQLReply
from gitlab_hub.gitlab.limits import Limiter, Unlimited, endpoint_class
from gitlab_hub.gitlab.listing import Listing
from gitlab_hub.gitlab.messages import Query, Request, Scalar, merged, query_of
from gitlab_hub.gitlab.options import ClientOptions, Page, Reply, Tokens
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.gitlab.wire import VettedTransport, Wire

if TYPE_CHECKING:
    import httpx

__all__ = ["ClientOptions", "GitLab", "Page", "Reply", "Tokens"]


class GitLab:
    """One GitLab as one token sees it; an async context manager."""

    def __init__(
        self,
        address: Address,
        tokens: Tokens,
        *,
        policy: NetworkPolicy,
        limiter: Limiter | None = None,
        options: ClientOptions | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random.random,
        transport: "httpx.AsyncBaseTransport | None" = None,
    ) -> None:
        self._address = address
        self._options = options or ClientOptions()
        self._wire = Wire(transport or VettedTransport(address, policy, self._options), self._options)
        self._calls = Calls(
            self._wire.exchange,
            tokens,
            limiter or Unlimited(),
            self._options,
            sleep=sleep,
            clock=clock,
            random=random,
        )

    @property
    def requests(self) -> int:
        """Requests sent so far, every try counted."""
        return self._calls.requests

    @property
    def rate_limited(self) -> int:
        """How many of them GitLab answered with 429."""
        return self._calls.rate_limited

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._wire.aclose()

    async def get(
        self,
        path: str,
        params: Mapping[str, Scalar] | None = None,
        *,
        outside_api: bool = False,
        anonymous: bool = False,
    ) -> Reply:
        """Read one resource; `path` is relative to /api/v4, or with `outside_api` to the installation.

        An `anonymous` call goes out without the token.
        """
        request = self._request("GET", path, query_of(params), outside_api=outside_api)
        return (await self._calls.read(replace(request, anonymous=anonymous))).reply()

    async def query(self, query: GraphQLQuery, values: Mapping[str, Any] | None = None) -> GraphQLReply:
        """Ask GraphQL; a query only reads, so it is tried like any reading call. The answer may have errors in it."""
        body, url = query.body(values or {}), self._address.url(graphql.PATH)
        request = Request(method="POST", url=url, endpoint=graphql.ENDPOINT, body=body)
        return (await self._calls.read(request)).graphql()

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, Scalar] | None = None,
        outside_api: bool = False,
    ) -> Reply:
        """Write something, in one single try: after an error, whoever called reads back what became of it."""
        content = None if body is None else json.dumps(body).encode()
        request = self._request(method, path, query_of(params), body=content, outside_api=outside_api)
        return (await self._calls.write(request)).reply()

    async def form(self, path: str, fields: Mapping[str, str]) -> Reply:
        """Post a form to a path of the installation, without the token and in one single try.

        So the token endpoint wants it (RFC 6749, 3.2). Raises GrantRefused where it refuses, NoConnection where nothing
        was sent; after any other error but a status of GitLab's own, nobody knows what became of it.
        """
        request = Request(
            method="POST",
            url=self._address.url(path),
            body=urlencode(dict(fields)).encode(),
            content_type="application/x-www-form-urlencoded",
            anonymous=True,
            secrets=tuple(fields.values()),
        )
        return (await self._calls.write(request)).reply()

    async def pages(
        self, path: str, params: Mapping[str, Scalar] | None = None, *, cursor: str | None = None, per_page: int = 100
    ) -> AsyncIterator[Page]:
        """Read a list page by page, from its start or from an earlier page's `next`.

        A list ends where `next` is None, whatever the size of a page: an overloaded GitLab is asked for smaller ones.
        Raises UnexpectedResponse where the pages do not make a whole list, which may show only behind the last one.
        """
        listing = Listing(merged((("per_page", str(per_page)),), query_of(params)), cursor)
        for _ in range(self._options.max_pages):
            page = (await self._calls.read(self._request("GET", path, listing.query), is_list=True)).page()
            goes_on = listing.take(page.rows, page.next, total=page.total)
            yield replace(page, next=goes_on)
            if goes_on is None:
                listing.end()
                return
        raise UnexpectedResponse("GitLab's list has more pages than the hub reads.")

    def _request(
        self, method: str, path: str, query: Query, *, body: bytes | None = None, outside_api: bool = False
    ) -> Request:
        url = self._address.url(path) if outside_api else self._address.api(path)
        endpoint = "other" if outside_api else endpoint_class(method, path)
        return Request(method=method, url=url, endpoint=endpoint, query=query, body=body)
