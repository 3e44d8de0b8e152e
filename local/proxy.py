"""The reverse proxy: one plain URL on this machine for an API that the emulator knows by a host name of its own.

Bytes, status and headers pass as they are, except for the host and what belongs to a connection and not to a message.
"""

import asyncio
import contextlib
import socket
import time

import h11
from h11._headers import Headers

from local.background import BackgroundServer
from local.http1 import Peer, TooLarge
from local.problems import Problem

_BODY_LIMIT = 10 * 1024 * 1024  # API Gateway's own
_PATIENCE = 60.0  # longer than any function may take
_IDLE = 30.0  # shorter than the emulator keeps a connection open
_DELIVERIES, _DELIVERIES_AT_ONCE = b"/v1/webhooks/", 2
"""The emulator starts a process for each call that finds none free, and a burst of deliveries would start so many at
once that GitLab's ten seconds were over before the first has begun. Taking turns is faster on a laptop."""
_OF_THE_CONNECTION = {b"connection", b"keep-alive", b"proxy-connection", b"expect", b"upgrade"}


class ReverseProxy:
    """Serves the listening socket in a thread of its own until it is closed."""

    def __init__(self, listening: socket.socket, upstream_port: int, host: str) -> None:
        self._listening = listening
        self._port = upstream_port
        self._host = host.encode()
        self._deliveries = asyncio.Semaphore(_DELIVERIES_AT_ONCE)
        self._server = BackgroundServer(self._serve, "proxy")

    def open(self) -> None:
        """Start to answer."""
        try:
            self._listening.listen(128)
        except OSError:
            raise Problem(
                'the port was taken meanwhile: give another one with --port (make: ARGS="--port …")'
            ) from None
        self._server.start(lambda accept: asyncio.start_server(accept, sock=self._listening))

    def close(self) -> None:
        """Stop to answer."""
        self._server.stop()
        self._listening.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Visit(Peer(h11.SERVER, reader, writer), self._port, self._host, self._deliveries)
        try:
            await visit.serve()
        finally:
            visit.drop_upstream()


class Visit:
    """One client's connection, with one connection of its own to the emulator."""

    def __init__(self, client: Peer, port: int, host: bytes, deliveries: asyncio.Semaphore) -> None:
        self._client, self._deliveries = client, deliveries
        self._port = port
        self._host = host
        self._upstream: Peer | None = None
        self._used = 0.0

    async def serve(self) -> None:
        """Answer request after request."""
        while True:
            try:
                request = await self._client.event()
                if not isinstance(request, h11.Request):
                    return
                await self._answer(request)
                self._client.http.start_next_cycle()
            except h11.RemoteProtocolError as error:
                await self._refuse(error.error_status_hint, b"Bad Request")
                return
            except h11.LocalProtocolError:  # the connection ends with this answer
                return

    def drop_upstream(self) -> None:
        """End the connection to the emulator, whatever is under way on it."""
        if self._upstream is not None:
            self._upstream.abort()
            self._upstream = None

    async def _answer(self, request: h11.Request) -> None:
        try:
            body = await self._client.body(_BODY_LIMIT)
        except TooLarge:
            await self._refuse(413, b"Request Entity Too Large")
            return
        try:
            async with asyncio.timeout(_PATIENCE), self._turn(request):
                answer, answer_body = await self._forward(request, body)
        except (OSError, TimeoutError, h11.RemoteProtocolError):
            self.drop_upstream()
            await self._refuse(503, b"Service Unavailable")
            return
        await self._client.send(answer, h11.Data(data=answer_body), h11.EndOfMessage())

    def _turn(self, request: h11.Request) -> contextlib.AbstractAsyncContextManager[None]:
        is_delivery = request.target.startswith(_DELIVERIES)
        return self._deliveries if is_delivery else contextlib.nullcontext()

    async def _forward(self, request: h11.Request, body: bytes) -> tuple[h11.Response, bytes]:
        upstream = await self._connected()
        headers = [(b"Host", self._host), *_of_the_message(request.headers, but={b"host"})]
        onward = h11.Request(method=request.method, target=request.target, headers=headers)
        await upstream.send(onward, h11.Data(data=body), h11.EndOfMessage())
        answer = await upstream.event()
        while isinstance(answer, h11.InformationalResponse):
            answer = await upstream.event()
        if not isinstance(answer, h11.Response):
            raise ConnectionResetError
        answer_body = await upstream.body(_BODY_LIMIT)
        await self._settle(upstream)
        return h11.Response(
            status_code=answer.status_code, reason=answer.reason, headers=_of_the_message(answer.headers)
        ), answer_body

    async def _connected(self) -> Peer:
        # One the emulator may be about to close is not used: a request lost on it could not be sent again safely.
        if self._upstream is not None and time.monotonic() - self._used > _IDLE:
            self.drop_upstream()
        if self._upstream is None:
            self._upstream = await Peer.connect(self._port)
        return self._upstream

    async def _settle(self, upstream: Peer) -> None:
        self._used = time.monotonic()
        try:
            upstream.http.start_next_cycle()
        except h11.LocalProtocolError:
            self.drop_upstream()

    async def _refuse(self, status: int, message: bytes) -> None:
        if self._client.http.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        body = b'{"message":"%s"}' % message
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
        await self._client.send(
            h11.Response(status_code=status, reason=message, headers=headers), h11.Data(data=body), h11.EndOfMessage()
        )


def _of_the_message(headers: Headers, but: frozenset[bytes] | set[bytes] = frozenset()) -> list[tuple[bytes, bytes]]:
    left_out = _OF_THE_CONNECTION | but
    return [(name, value) for name, value in headers.raw_items() if name.lower() not in left_out]
