"""Stand-ins for the ways to a GitLab: a transport, a dialer and a resolver that only remember."""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore
import httpx

Script = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class ScriptedTransport(httpx.AsyncBaseTransport):
    """Gives scripted answers in turn, the last one for ever, and keeps the requests."""

    def __init__(self, *script: Script) -> None:
        self._script = list(script)
        self.requests: list[httpx.Request] = []
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step

    async def aclose(self) -> None:
        self.closed = True

    @property
    def tokens(self) -> list[str]:
        return [request.headers["authorization"].removeprefix("Bearer ") for request in self.requests]


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


class FixedTokens:
    """A token, and what takes its place after a 401."""

    def __init__(self, token: str, *newer: str) -> None:
        self._token, self._newer = token, list(newer)
        self.rejected: list[str] = []

    async def current(self) -> str:
        return self._token

    async def renewed(self, rejected: str) -> str | None:
        self.rejected.append(rejected)
        if not self._newer:
            return None
        self._token = self._newer.pop(0)
        return self._token
