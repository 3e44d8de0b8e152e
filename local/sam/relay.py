"""Lets containers reach the emulator, which listens on this machine alone."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from local.background import BackgroundServer


@contextmanager
def relayed(address: str, port: int) -> Iterator[str]:
    """Pass connections to `address` (the containers' gateway) on to 127.0.0.1; the URL to use from a container."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
        finally:
            there_writer.transport.abort()

    listening = socket.create_server((address, 0))
    server = BackgroundServer(pass_on, "relay")
    server.start(lambda accept: asyncio.start_server(accept, sock=listening))
    try:
        yield f"http://{address}:{listening.getsockname()[1]}"
    finally:
        server.stop()
        listening.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        return
    finally:
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()
