"""A network that connects to nothing and only remembers: a dialer and a resolver."""

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore


class CountingDialer(httpcore.AsyncNetworkBackend):
    """Connects to nothing and keeps every address it was asked to dial."""

    def __init__(self, *unreachable: str, stuck: bool = False) -> None:
        self.dialed: list[tuple[str, int]] = []
        self.closed = 0
        self.stuck = stuck
        self._unreachable = unreachable

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.dialed.append((host, port))
        if host in self._unreachable:
            raise httpcore.ConnectError("no route")
        return _NoStream(self)


class _NoStream(httpcore.AsyncNetworkStream):
    def __init__(self, dialer: CountingDialer) -> None:
        self._dialer = dialer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        return b"answer"

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's signature
        return

    async def aclose(self) -> None:
        self._dialer.closed += 1

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        await asyncio.sleep(60 if self._dialer.stuck else 0)
        return self

    def get_extra_info(self, info: str) -> Any:
        return None


class Names:
    """A DNS whose answers change from one question to the next; the last one stays."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(turns) for name, turns in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        turns = self._answers.get(host)
        if turns is None:
            raise OSError("unknown name")
        return turns.pop(0) if len(turns) > 1 else turns[0]
