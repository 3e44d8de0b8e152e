"""Blocking calls off the event loop, none of which is ever abandoned.

`asyncio.to_thread` gives up a call that is cancelled while its thread goes on: what the call writes lands later, when
nobody expects it any more. Here whoever is cancelled waits for the call's end first. That costs no more than a call of
AWS may take.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def run_uncancelled(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run a blocking call in a thread; a cancellation takes effect once the call is over."""
    running = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return running.result()
    # Somebody has to look at it: asyncio complains of errors that nobody has seen.
    running.exception()
    raise cancelled


# Blocking calls off the loop, as every session makes them.

R = TypeVar("R")


class BlockingCalls:
    """The part of `ports.Session` that runs other people's calls; a session says when none may begin any more."""

    def check(self) -> None:
        """Raise where this worker must not go on."""
        raise NotImplementedError

    async def before_write(self) -> None:
        """Raise where this worker may not write any more."""
        raise NotImplementedError

    async def io(self, call: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        """Run a blocking read of a store off the loop."""
        self.check()
        return await run_uncancelled(call, *args, **kwargs)

    async def write(self, call: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        """Run a blocking write off the loop, only while that is ours to do."""
        await self.before_write()
        self.check()
        return await run_uncancelled(call, *args, **kwargs)

    async def gather(self, *jobs: Callable[[], Awaitable[R]]) -> list[R]:
        """Run jobs concurrently; the first failure cancels the others and is raised."""
        tasks = [asyncio.ensure_future(job()) for job in jobs]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
