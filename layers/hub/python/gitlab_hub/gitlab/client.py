"""The one place that sends requests to GitLab.

The transport is called directly, without an HTTP client around it: so there is no cookie jar, no proxy or netrc from
the environment, and nothing that would follow a redirect.
"""

import asyncio
import json
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlencode

import httpcore
import httpx

from gitlab_hub.gitlab import graphql
from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.bodies import BodyReader
from gitlab_hub.gitlab.calls import Calls
from gitlab_hub.gitlab.errors import (
    GitLabError,
    HostUnreachable,
    Interrupted,
    NoConnection,
    TlsError,
    Unauthorized,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.graphql import GraphQLQuery, GraphQLReply
from gitlab_hub.gitlab.limits import Limiter, Unlimited, endpoint_class
from gitlab_hub.gitlab.listing import Listing
from gitlab_hub.gitlab.messages import Query, RawResponse, Request, Scalar, merge_headers, merged, query_of
from gitlab_hub.gitlab.network import VettedBackend, tls_context
from gitlab_hub.gitlab.options import ClientOptions, Page, Reply, Tokens
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.gitlab.tokens import sendable

__all__ = ["ClientOptions", "GitLab", "Page", "Reply", "Tokens", "VettedTransport"]

_MAX_REFUSAL = 64 * 1024
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
    httpcore.PoolTimeout,
)
_TIMEOUT = (httpx.TimeoutException, httpcore.TimeoutException)
_BROKEN = (httpx.TransportError, httpcore.NetworkError, httpcore.ProtocolError)


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
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._address = address
        self._options = options or ClientOptions()
        self._wire = _Wire(transport or VettedTransport(address, policy, self._options), self._options)
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


class _Wire:
    """Sends one request and reads its answer within bounds; errors of HTTP libraries end here."""

    def __init__(self, transport: httpx.AsyncBaseTransport, options: ClientOptions) -> None:
        self._transport, self._options = transport, options
        self._timeouts = {
            "connect": options.connect_timeout,
            "read": options.read_timeout,
            "write": options.read_timeout,
            "pool": options.deadline,
        }

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def exchange(self, request: Request, token: str) -> RawResponse:
        # The causes are cut off: they name resolved addresses, and hold the request with its token.
        try:
            response = await self._transport.handle_async_request(self._message(request, token))
        except (*_TIMEOUT, *_BROKEN) as error:
            raise _no_answer(error) from None
        try:
            headers = merge_headers(response.headers.raw, without=token, also=request.secrets)
            return RawResponse(status=response.status_code, headers=headers, body=await self._body(response, headers))
        finally:
            await response.aclose()

    def _message(self, request: Request, token: str) -> httpx.Request:
        if not (request.anonymous or sendable(token)):
            raise Unauthorized("The stored token is not a token. Give a new one.", details={"reason": "unknown"})
        headers = {
            **({} if request.anonymous else {"Authorization": f"Bearer {token}"}),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": self._options.user_agent,
            # Also without a body: a read-only GitLab redirects writes that are no JSON (middleware/read_only).
            **({} if request.method == "GET" else {"Content-Type": request.content_type}),
        }
        extensions = {"timeout": self._timeouts}
        return httpx.Request(
            request.method, request.target, headers=headers, content=request.body, extensions=extensions
        )

    async def _body(self, response: httpx.Response, headers: Mapping[str, str]) -> bytes:
        status = response.status_code
        try:
            reader = BodyReader(
                status, headers, limit=self._options.max_body if status < HTTPStatus.MULTIPLE_CHOICES else _MAX_REFUSAL
            )
            async for piece in cast("httpx.AsyncByteStream", response.stream):
                reader.feed(piece)
            return reader.finish()
        except _TIMEOUT:
            raise HostUnreachable("GitLab did not answer completely in time.", http_status=status) from None
        except _BROKEN:
            fault: UnexpectedResponse = Interrupted("GitLab's answer broke off in the middle.", http_status=status)
        except UnexpectedResponse as error:
            fault = error
        if status < HTTPStatus.MULTIPLE_CHOICES:
            raise fault from None
        # A refusal stands whatever became of its words.
        return b""


class VettedTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over connections that only go where the policy lets them; opened on first use."""

    def __init__(
        self,
        address: Address,
        policy: NetworkPolicy,
        options: ClientOptions,
        *,
        backend: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._address, self._policy, self._options = address, policy, options
        self._backend = backend or VettedBackend(address, policy)
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; faults of the connection stay httpcore's errors."""
        url = request.url
        answer = await self._opened().handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Stream(answer))

    async def aclose(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            await self._pool.aclose()

    def _opened(self) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            self._policy.check(self._address)
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=tls_context(self._options.ca_bundle) if self._address.scheme == "https" else None,
                max_connections=self._options.concurrency,
                max_keepalive_connections=self._options.concurrency,
                keepalive_expiry=30.0,
                network_backend=self._backend,
            )
        return self._pool


class _Stream(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.aiter_stream():
            yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


def _no_answer(error: BaseException) -> GitLabError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return TlsError("GitLab's certificate or TLS is not acceptable. A private authority needs the CA bundle.")
        cause = cause.__cause__ or cause.__context__
    kind = NoConnection if isinstance(error, _NOT_SENT) else HostUnreachable
    return kind("GitLab cannot be reached, or gave no answer in time. Check the base URL and the way there.")
