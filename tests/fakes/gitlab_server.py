"""A server on loopback that breaks HTTP in every way a network, a proxy or an enemy can.

It speaks raw bytes, so nothing repairs what a test breaks. Every request gets the next step of the script, the last one
for ever; a step says whether the connection stays open.
"""

import asyncio
import gzip
import json
import socket
import ssl
import struct
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

Step = Callable[[asyncio.StreamWriter], Awaitable[bool]]
JSON = "application/json"


class FaultServer:
    """Plays a script to whoever connects, and keeps all bytes it was sent."""

    def __init__(self, *script: Step, tls: ssl.SSLContext | None = None) -> None:
        self.script = list(script)
        self.requests: list[bytes] = []
        self.connections = 0
        self._tls = tls
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        return int(self._listening().sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        server = self._listening()
        server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await server.wait_closed()

    def _listening(self) -> asyncio.Server:
        if self._server is None:
            raise RuntimeError("The server runs only inside `async with`.")
        return self._server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._answer(reader, writer):
                    pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        stays = await step(writer)
        await writer.drain()
        return stays


def head(status: int, **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status} Whatever", *lines, "", ""]).encode()


def raw(*pieces: bytes, stays: bool = False) -> Step:
    """Send these bytes, then close."""

    async def step(writer: asyncio.StreamWriter) -> bool:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return stays

    return step


def answer(status: int, body: bytes, content_type: str = JSON, **headers: str) -> Step:
    """Send a proper answer."""
    sent = {"Content-Type": content_type, "Content-Length": str(len(body)), **headers}
    return raw(head(status, **sent), body, stays=True)


def as_json(value: Any, status: int = 200, **headers: str) -> Step:
    return answer(status, json.dumps(value).encode(), **headers)


def packed(value: Any, *, cut: int = 0) -> Step:
    """Send gzip in chunks, with its last bytes missing where `cut` says so; the chunks themselves end properly."""
    body = gzip.compress(json.dumps(value).encode())
    return raw(
        head(200, Content_Type=JSON, Content_Encoding="gzip", Transfer_Encoding="chunked"),
        *chunks(body[: len(body) - cut], b""),
        stays=True,
    )


def chunks(*pieces: bytes) -> list[bytes]:
    return [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]


def cut_by_length() -> Step:
    return raw(head(200, Content_Type=JSON, Content_Length="500"), b'[{"id": 1}]')


def cut_in_chunk() -> Step:
    return raw(head(200, Content_Type=JSON, Transfer_Encoding="chunked"), b'ff\r\n[{"id": 1}')


def cut_between_chunks() -> Step:
    return raw(head(200, Content_Type=JSON, Transfer_Encoding="chunked"), *chunks(b'[{"id": 1}]'))


def close_delimited() -> Step:
    return raw(head(200, Content_Type=JSON), b'[{"id": 1}]')


def closing_when_idle(value: Any) -> Step:
    """Send a proper answer, and close the connection a little later, as servers do with one that rests."""

    async def step(writer: asyncio.StreamWriter) -> bool:
        await as_json(value)(writer)
        await writer.drain()
        await asyncio.sleep(0.05)
        return False

    return step


def hang_up() -> Step:
    return raw()


def reset(before: bytes = b"") -> Step:
    """Break the connection with RST, after some bytes."""

    async def step(writer: asyncio.StreamWriter) -> bool:
        writer.write(before)
        await writer.drain()
        await asyncio.sleep(0.01)
        raw_socket: socket.socket = writer.get_extra_info("socket")
        raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False

    return step


def drip(pause: float, *, headers_too: bool = False) -> Step:
    """Send one byte now and then, for ever: no single read takes long."""

    async def step(writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\nX-" if headers_too else head(200, Content_Type=JSON, Content_Length="100000"))
        while True:
            writer.write(b"a" if headers_too else b" ")
            await writer.drain()
            await asyncio.sleep(pause)

    return step


def silence(before: bytes = b"") -> Step:
    """Stop answering, after some bytes."""

    async def step(writer: asyncio.StreamWriter) -> bool:
        writer.write(before)
        await writer.drain()
        await asyncio.sleep(60)
        return False

    return step


def bomb(megabytes: int) -> Step:
    """Send zeros that a small body unpacks to."""
    packer = zlib.compressobj(9, wbits=31)
    body = b"".join(packer.compress(bytes(1_000_000)) for _ in range(megabytes)) + packer.flush()
    return answer(200, body, Content_Encoding="gzip")


def endless(piece: bytes) -> Step:
    """Send chunks without end."""

    async def step(writer: asyncio.StreamWriter) -> bool:
        writer.write(head(200, Content_Type=JSON, Transfer_Encoding="chunked"))
        while True:
            # Not `writelines`: some releases of Python let it fill the memory without ever pausing.
            writer.write(b"".join(chunks(piece)))
            await writer.drain()

    return step
