"""A server on an event loop in a thread of its own."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable

Guest = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class BackgroundServer:
    """Calls `guest` for every connection, from `start` until `stop`."""

    def __init__(self, guest: Guest, name: str) -> None:
        self._guest = guest
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._server: asyncio.Server | None = None

    def start(self, server: Callable[[Guest], Awaitable[asyncio.Server]]) -> None:
        """Start with what `asyncio.start_server` makes, then serve in the background."""

        async def create() -> asyncio.Server:
            return await server(self._guest)

        self._server = self._loop.run_until_complete(create())
        self._thread.start()

    def stop(self) -> None:
        """End every connection, then the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join(5)
        elif not self._loop.is_closed():
            self._loop.close()

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        await self._closing.wait()
        if self._server is not None:
            self._server.close()
        guests = asyncio.all_tasks() - {asyncio.current_task()}
        for guest in guests:
            guest.cancel()
        await asyncio.gather(*guests, return_exceptions=True)
