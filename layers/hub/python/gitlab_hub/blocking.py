"""Blocking calls off the event loop, none of which is ever abandoned.

`asyncio.to_thread` gives up a call that is cancelled while its thread goes on: what the call writes lands later, when
nobody expects it any more. Here whoever is cancelled waits for the call's end first. That costs no more than a call of
AWS may take.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
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
