"""The emulator as a child process that ends when its parent does, however that ended."""

import os
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from hypercorn.config import Config
from ministack import app as ministack

from local.end_with_parent import end_group, end_with_parent
from local.unpacking import unpack_once

_GRACE_SECONDS = 1.0
"""How long requests under way may take once the emulator was asked to stop; hypercorn's own default is three."""

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
_emulate = ministack.app
_orphaned = threading.Event()


async def _app(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    async def send_or_end(message: Mapping[str, Any]) -> None:
        # The state is written by now. What is left are threads that wait for functions, for up to half a minute.
        # The parent ends those functions with the process group; where it is gone, that is done here.
        if message["type"] == "lifespan.shutdown.complete":
            if _orphaned.is_set():
                end_group()
            os._exit(0)
        await send(message)

    await _emulate(scope, receive, send_or_end if scope["type"] == "lifespan" else send)


if __name__ == "__main__":
    end_with_parent(_orphaned.set)
    unpack_once()
    Config.graceful_timeout = _GRACE_SECONDS
    ministack.app = _app
    sys.argv[1:] = []
    ministack.main()
