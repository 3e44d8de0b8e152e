"""Blocking calls off the loop, as every session makes them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Offload:
    """The part of `ports.Session` that runs other people's calls; a session says when none may begin any more."""

    def __init__(self) -> None:
        self._writes: set[asyncio.Task[Any]] = set()

    def check(self) -> None:
        """Raise where this worker must not go on."""
        raise NotImplementedError

    async def before_write(self) -> None:
        """Raise where this worker may not write any more."""
        raise NotImplementedError

    async def io(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run a blocking read of a store off the loop."""
        self.check()
        return await asyncio.to_thread(call, *args, **kwargs)

    async def write(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run a blocking write off the loop, only while that is ours to do; a started write is never abandoned."""
        await self.before_write()
        self.check()
        task = asyncio.create_task(asyncio.to_thread(call, *args, **kwargs))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return await asyncio.shield(task)

    async def gather(self, *jobs: Callable[[], Awaitable[T]]) -> list[T]:
        """Run jobs concurrently; the first failure cancels the others and is raised."""
        tasks = [asyncio.ensure_future(job()) for job in jobs]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """Wait for writes under way: nothing may land after the work is given back."""
        await asyncio.gather(*self._writes, return_exceptions=True)
