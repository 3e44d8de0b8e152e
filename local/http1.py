"""One HTTP/1.1 connection: h11 for the protocol, asyncio for the bytes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Self

import h11

_CHUNK = 65536
_HEADERS = 65536


class TooLarge(Exception):
    """The body is longer than API Gateway takes."""


class Peer:
    """Either end of a connection, event by event."""

    def __init__(
        self, role: type[h11.CLIENT] | type[h11.SERVER], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.http = h11.Connection(role, max_incomplete_event_size=_HEADERS)
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> Self:
        """Connect to a server on this machine."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        return cls(h11.CLIENT, reader, writer)

    async def event(self) -> h11.Event | type[h11.PAUSED]:
        """Wait for the other side's next event."""
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]  # h11 types its sentinels as classes
            if self.http.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            try:
                self.http.receive_data(await self._reader.read(_CHUNK))
            except ConnectionError:
                self.http.receive_data(b"")

    async def body(self, limit: int) -> bytes:
        """Read a whole body, up to a limit."""
        parts, size = [], 0
        async for part in self._parts():
            size += len(part)
            if size > limit:
                raise TooLarge
            parts.append(part)
        return b"".join(parts)

    async def send(self, *events: h11.Event) -> None:
        """Send events in one go."""
        self._writer.write(b"".join(self.http.send(event) or b"" for event in events))
        await self._writer.drain()

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()

    async def _parts(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self.event(), h11.Data):
            yield bytes(event.data)
        if not isinstance(event, h11.EndOfMessage):
            raise ConnectionResetError
