"""Sends requests by the clock, not by the answers: what is slow is not spared the next one.

`python -m benchmarks.sender` reads `{"port", "rate", "requests": [[method, path, headers, body], …]}` and prints for
every request its status (0: no answer) and the seconds from when it was due to when its answer was whole. Connections
are kept alive; there are as many as are under way at once. A process of its own, and hardly more than sockets: neither
the stack's reverse proxy nor a client's own work is in its times.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

HOST = "127.0.0.1"
PATIENCE = 10.0
"""As long as GitLab waits."""

BREAK = b"\r\n\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Sender:
    """Connections to one server on loopback."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[Streams] = []

    async def send(self, message: bytes, due: float) -> tuple[int, float]:
        """Send when it is due; the status and how long after that its answer was there."""
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(due - clock())
        try:
            async with asyncio.timeout(PATIENCE):
                status = await self._exchange(message)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            status = 0
        return status, clock() - due

    async def _exchange(self, message: bytes) -> int:
        streams = self._idle.pop() if self._idle else await asyncio.open_connection(HOST, self._port)
        reader, writer = streams
        try:
            writer.write(message)
            head = (await reader.readuntil(BREAK)).decode("latin-1").lower().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
            await reader.readexactly(int(headers.get("content-length", 0)))
        except BaseException:
            writer.close()
            raise
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append(streams)
        return int(head[0].split(" ")[1])


def message_of(port: int, method: str, path: str, headers: Mapping[str, str], body: str) -> bytes:
    """A request as it travels."""
    content = body.encode()
    given = {**headers, "Host": f"{HOST}:{port}", "Content-Length": str(len(content))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + content


async def sent(task: Mapping[str, Any]) -> list[tuple[int, float]]:
    """Send everything."""
    sender = Sender(task["port"])
    messages = [message_of(task["port"], *request) for request in task["requests"]]
    begin = asyncio.get_running_loop().time() + 0.1
    return await asyncio.gather(
        *(sender.send(message, begin + number / task["rate"]) for number, message in enumerate(messages))
    )


if __name__ == "__main__":
    print(json.dumps(asyncio.run(sent(json.load(sys.stdin)))))
