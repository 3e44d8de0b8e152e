"""HTTP to GitLab: one request, one answer within bounds, over connections that only go where the policy lets them.

The transport is called directly, without an HTTP client around it: so there is no cookie jar, no proxy or netrc from
the environment, and nothing that would follow a redirect.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import cast

import httpcore
import httpx

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.bodies import BodyReader
from gitlab_hub.gitlab.errors import (
    GitLabError,
    HostUnreachable,
    Interrupted,
    NoConnection,
    TlsError,
    Unauthorized,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.messages import RawResponse, Request, merge_headers
from gitlab_hub.gitlab.network import VettedBackend, tls_context
from gitlab_hub.gitlab.options import ClientOptions
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.gitlab.tokens import sendable

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


class Wire:
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
        """Close all connections."""
        await self._transport.aclose()

    async def exchange(self, request: Request, token: str) -> RawResponse:
        """Send a request with a token, and read what comes back. Raises GitLabError where nothing whole does."""
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
