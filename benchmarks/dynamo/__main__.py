"""`python -m benchmarks.dynamo`: serves the stand-in on loopback; prints `READY <port>`.

A small server of its own, because a framework would take from the processor that the worker is measured on.
`GET /` answers with every table's bill, `PUT /<milliseconds>` sets how long an operation takes.
"""

import asyncio
import json
from collections import Counter
from typing import Any

from benchmarks.dynamo.neighbours import answered
from benchmarks.dynamo.operations import Database, Refused

HOST = "127.0.0.1"
CALLS = "calls"
BREAK = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def __init__(self, service: "Service") -> None:
        self._service = service
        self._buffer = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        self._buffer += data
        end = self._buffer.find(BREAK)
        if end < 0:
            return
        first, headers = _head(bytes(self._buffer[:end]))
        length = end + len(BREAK) + int(headers.get("content-length", 0))
        if len(self._buffer) < length:
            return
        body = bytes(self._buffer[end + len(BREAK) : length])
        del self._buffer[:length]
        self._service.serve(first, headers, body, self._transport)


class Service:
    """What all connections share."""

    def __init__(self) -> None:
        self._database = Database()
        self._calls: Counter[str] = Counter()
        self._seconds = 0.0

    def serve(self, first: str, headers: dict[str, str], body: bytes, transport: asyncio.WriteTransport) -> None:
        """Answer one request, an operation of DynamoDB after the set time."""
        method, target, _ = first.split(" ")
        if method == "POST":
            asyncio.get_running_loop().call_later(self._seconds, transport.write, self._operation(headers, body))
            return
        if method == "PUT":
            self._seconds = float(target[1:]) / 1000
        transport.write(_message("200 OK", self._bills()))

    def _operation(self, headers: dict[str, str], body: bytes) -> bytes:
        service, _, operation = headers["x-amz-target"].rpartition(".")
        self._calls[operation] += 1
        if not service.startswith("DynamoDB"):
            return _message("200 OK", answered(operation, json.loads(body)))
        try:
            return _message("200 OK", self._database.answer(operation, json.loads(body)))
        except Refused as error:
            return _message("400 Bad Request", error.body)

    def _bills(self) -> dict[str, dict[str, int]]:
        """By table, and under `calls` how often each operation was called, of other services too."""
        return self._database.bills() | {CALLS: dict(self._calls)}


def _head(text: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = text.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return first, {name.lower(): value.strip() for name, _, value in pairs}


def _message(status: str, body: Any) -> bytes:
    content = json.dumps(body, separators=(",", ":")).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def main() -> None:
    """Serve until a signal comes."""
    service = Service()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(service), HOST, 0)
    print("READY", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
