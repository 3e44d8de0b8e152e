"""A signed request to somebody's own HTTPS endpoint, which reports back with PATCH."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Protocol

import httpcore
import httpx

from gitlab_hub.builds.build import Build, Status
from gitlab_hub.builds.targets.addresses import vetted
from gitlab_hub.builds.targets.port import Started, TargetDenied, TargetMissing, TargetRefused, TargetUnavailable, named
from gitlab_hub.gitlab.address import Address, NetworkPolicy
from gitlab_hub.gitlab.client import ClientOptions, VettedTransport
from gitlab_hub.gitlab.errors import HostNotAllowed, HostUnreachable, InvalidUrl

DEADLINE_SECONDS = 10.0
_OPTIONS = ClientOptions(concurrency=1, deadline=DEADLINE_SECONDS)
_TIMEOUTS = {"connect": 5.0, "read": DEADLINE_SECONDS, "write": DEADLINE_SECONDS, "pool": DEADLINE_SECONDS}
_COME_BACK = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_BROKEN = (
    httpx.TransportError,
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    HostUnreachable,
    TimeoutError,
    OSError,
)

Transports = Callable[[Address], httpx.AsyncBaseTransport]


class Signer(Protocol):
    """Signs what is sent for a build's trigger."""

    def __call__(self, build: Build, *, message_id: str, body: bytes) -> Mapping[str, str]:
        """Give the headers of the signed request."""


class HttpsTarget:
    """Posts to the address that the trigger names.

    The deployer's rules say which hosts there are (`policy`); every address is vetted when it is dialed, and a redirect
    is an answer like any other, never followed.
    """

    def __init__(
        self, policy: NetworkPolicy, sign: Signer, *, ca_bundle: str | None = None, transports: Transports | None = None
    ) -> None:
        self._policy, self._sign = policy, sign
        options = replace(_OPTIONS, ca_bundle=ca_bundle)
        self._transports: Transports = transports or (lambda address: VettedTransport(address, policy, options))

    def start(self, build: Build, message: Mapping[str, Any]) -> Started:
        """Send the build."""
        self._post(build, message)
        return Started()

    def look(self, build: Build) -> Status | None:  # noqa: ARG002 - the port's signature
        """Nothing can be looked up there: whoever builds reports."""
        return None

    def stop(self, build: Build, message: Mapping[str, Any]) -> None:
        """Send that it is wanted no more."""
        self._post(build, message)

    def _post(self, build: Build, message: Mapping[str, Any]) -> None:
        address, url = _allowed(build, self._policy)
        body = json.dumps(message, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "gitlab-hub",
            **self._sign(build, message_id=message["id"], body=body),
        }
        request = httpx.Request("POST", url, headers=headers, content=body, extensions={"timeout": _TIMEOUTS})
        try:
            status = asyncio.run(_exchange(self._transports(address), request))
        except HostNotAllowed as refused:
            raise TargetDenied(str(refused)) from None
        except _BROKEN:
            raise TargetUnavailable("The endpoint did not answer; the hub tries again.") from None
        _judge(status)


def _allowed(build: Build, policy: NetworkPolicy) -> tuple[Address, str]:
    """The rules may have changed since the trigger was made."""
    try:
        return vetted(named(build, "url"), policy)
    except HostNotAllowed as refused:
        raise TargetDenied(str(refused)) from None
    except InvalidUrl as refused:
        raise TargetRefused(str(refused)) from None


async def _exchange(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> int:
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            response = await transport.handle_async_request(request)
            # Nobody looks at the body, so nobody reads it: whatever becomes of it, the endpoint has answered.
            await response.aclose()
            return response.status_code
    finally:
        await transport.aclose()


def _judge(status: int) -> None:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _COME_BACK:
        raise TargetUnavailable(f"The endpoint answered {status}; the hub tries again.")
    if status in _DENIED:
        raise TargetDenied(f"The endpoint answered {status}: it does not accept the hub. Check its signing secret.")
    if status in _MISSING:
        raise TargetMissing(f"The endpoint answered {status}. Check the URL in the trigger.")
    raise TargetRefused(f"The endpoint answered {status}. It has to answer 2xx itself: redirects are not followed.")
