"""Connecting to exactly the addresses that were vetted.

A name is resolved anew for every connection, every address it has is vetted, and the connection goes to one of these
very addresses: there is no second lookup that could answer differently. TLS still checks the name, not the address.
"""

import asyncio
import select
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

import certifi
import httpcore

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.errors import HostNotAllowed, NoConnection, TlsError
from gitlab_hub.gitlab.policy import NetworkPolicy

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]

_MAX_DIALS = 4
_DEFAULT_TIMEOUT = 10.0
_NO_CONNECTION = "GitLab cannot be reached. Check the base URL, DNS, and the way there."


async def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a host, in the system's order of preference."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class VettedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to one origin only, and only to addresses the policy lets pass."""

    def __init__(
        self,
        address: Address,
        policy: NetworkPolicy,
        *,
        resolve: Resolve = resolve,
        dialer: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._origin = (address.host, address.port)
        self._policy, self._resolve = policy, resolve
        self._dialer = dialer or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,  # noqa: ARG002 - httpcore's signature
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, vet all, dial."""
        if (host, port) != self._origin:
            raise HostNotAllowed("Requests go only to the GitLab of the integration.")
        self._policy.check_host(host)
        seconds = _DEFAULT_TIMEOUT if timeout is None else timeout
        addresses = await self._vetted(host, port, seconds)
        return await self._dial(addresses, port, seconds / len(addresses), socket_options)

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002 - httpcore's signature
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's signature
        socket_options: Iterable[SocketOption] | None = None,  # noqa: ARG002 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: no GitLab of an integration is a socket file."""
        raise HostNotAllowed("Requests go only to the GitLab of the integration.")

    async def sleep(self, seconds: float) -> None:
        """Wait, for the pool."""
        await asyncio.sleep(seconds)

    async def _vetted(self, host: str, port: int, seconds: float) -> Sequence[str]:
        addresses = [host] if _is_address(host) else await self._addresses(host, port, seconds)
        # One bad address rejects all: an honest name does not point both outside and inside.
        for address in addresses:
            self._policy.vet(address)
        return addresses[:_MAX_DIALS]

    async def _addresses(self, host: str, port: int, seconds: float) -> Sequence[str]:
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise NoConnection(_NO_CONNECTION) from None
        if not addresses:
            raise NoConnection(_NO_CONNECTION)
        return addresses

    async def _dial(
        self, addresses: Sequence[str], port: int, seconds: float, options: Iterable[SocketOption] | None
    ) -> httpcore.AsyncNetworkStream:
        for address in addresses:
            try:
                dialed = await self._dialer.connect_tcp(address, port, timeout=seconds, socket_options=options)
                return _ClosingStream(dialed)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        raise NoConnection(_NO_CONNECTION)


class _ClosingStream(httpcore.AsyncNetworkStream):
    """A connection that does not stay open when its handshake is cancelled, as httpcore's own would.

    Before each request the pool asks of every idle connection whether the server has closed it. Where the socket is
    known that costs one system call; looking the socket up anew each time was a fifth of what a sync computes.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._socket = stream.get_extra_info("socket")
        self._readable = select.poll()
        if self._socket is not None and self._socket.fileno() >= 0:
            self._readable.register(self._socket, select.POLLIN)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's signature
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        try:
            return _ClosingStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except asyncio.CancelledError:
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable" and self._socket is not None:
            # To read from an idle connection without waiting means to read its end.
            return self._socket.fileno() < 0 or bool(self._readable.poll(0))
        return self._stream.get_extra_info(info)


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


# The TLS context: certificates are always verified.

_PEM = "-----BEGIN"


@lru_cache(maxsize=8)
def tls_context(ca_bundle: str | None = None) -> ssl.SSLContext:
    """Build a context that trusts the public authorities and those of `ca_bundle` (a file's path, or PEM text).

    Building one takes a tenth of a second, so it happens on first use, once per bundle.
    """
    trust = ssl.create_default_context(cafile=certifi.where())
    trust.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_bundle is not None:
        _add(trust, ca_bundle)
    return trust


def _add(trust: ssl.SSLContext, ca_bundle: str) -> None:
    is_text = ca_bundle.lstrip().startswith(_PEM)
    try:
        trust.load_verify_locations(cadata=ca_bundle) if is_text else trust.load_verify_locations(cafile=ca_bundle)
    except (OSError, ValueError):
        raise TlsError("The CA bundle this installation is configured with is not a readable PEM file.") from None
