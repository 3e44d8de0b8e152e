"""The least a client can do: the same requests over plain httpx, nothing done with the answers.

`python -m benchmarks.bare` reads `{"base", "token", "targets", "concurrency"}` from standard input and prints the
seconds that it took.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import httpx

AS_JSON = {"Content-Type": "application/json"}

PATIENCE_SECONDS = 120
"""A query of GraphQL for many projects takes long on a busy machine."""


async def ask_all(base: str, token: str, targets: Sequence[tuple[str, str]], concurrency: int) -> float:
    """Send the requests, so many at a time; the seconds from the first to the last."""
    parts = urlsplit(base)
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    headers = {"Authorization": f"Bearer {token}"}
    origin = f"{parts.scheme}://{parts.netloc}"
    async with httpx.AsyncClient(
        base_url=origin, headers=headers, limits=limits, timeout=PATIENCE_SECONDS, trust_env=False
    ) as client:
        left = iter(targets)
        started = time.perf_counter()
        await asyncio.gather(*(_ask(client, left) for _ in range(concurrency)))
        return time.perf_counter() - started


async def _ask(client: httpx.AsyncClient, left: Iterator[tuple[str, str]]) -> None:
    for target, body in left:
        # A refusal (a project without pipelines) is an answer like any other: the worker got it too.
        answer = await (client.post(target, content=body, headers=AS_JSON) if body else client.get(target))
        assert not answer.is_server_error, answer.status_code


if __name__ == "__main__":
    print(asyncio.run(ask_all(**json.load(sys.stdin))))
