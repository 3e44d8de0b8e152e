"""Blocking calls off the loop, as every session makes them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from gitlab_hub.blocking import to_the_end

T = TypeVar("T")


class Offload:
    """The part of `ports.Session` that runs other people's calls; a session says when none may begin any more."""

    def check(self) -> None:
        """Raise where this worker must not go on."""
        raise NotImplementedError

    async def before_write(self) -> None:
        """Raise where this worker may not write any more."""
        raise NotImplementedError

    async def io(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run a blocking read of a store off the loop."""
        self.check()
        return await to_the_end(call, *args, **kwargs)

    async def write(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run a blocking write off the loop, only while that is ours to do."""
        await self.before_write()
        self.check()
        return await to_the_end(call, *args, **kwargs)

    async def gather(self, *jobs: Callable[[], Awaitable[T]]) -> list[T]:
        """Run jobs concurrently; the first failure cancels the others and is raised."""
        tasks = [asyncio.ensure_future(job()) for job in jobs]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
