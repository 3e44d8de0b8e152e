"""A server on an event loop in a thread of its own."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


class BackgroundServer:
    """Calls `serve` for every connection, from `start` until `stop`; every connection is closed here."""

    def __init__(self, serve: Serve, name: str) -> None:
        self._serve = serve
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def start(self, server: Callable[[Accept], Awaitable[asyncio.Server]]) -> None:
        """Start with what `asyncio.start_server` makes, then serve in the background."""

        async def create() -> asyncio.Server:
            return await server(self._accept)

        self._server = self._loop.run_until_complete(create())
        self._thread.start()

    def stop(self) -> None:
        """End every connection, then the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join(5)
        elif not self._loop.is_closed():
            self._loop.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Not left to `start_server`: a task of its own that is cancelled before it has begun would never close.
        task = self._loop.create_task(self._served(reader, writer))
        self._connections[task] = writer
        task.add_done_callback(self._done)

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await self._serve(reader, writer)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._connections.pop(task).close()

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._until_closed())

    async def _until_closed(self) -> None:
        await self._closing.wait()
        if self._server is not None:
            self._server.close()
        # What was accepted a moment ago is handed over in the next turn of the loop.
        await asyncio.sleep(0)
        connections = dict(self._connections)
        for task, writer in connections.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*connections, return_exceptions=True)
        # A transport reports its end in the turn after; the loop may close only then.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
