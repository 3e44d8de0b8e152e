"""A signed request to somebody's own HTTPS endpoint, which reports back with PATCH."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpcore
import httpx

from gitlab_hub.builds.runs.model import Build, BuildStatus
from gitlab_hub.builds.targets.allowed import AllowedArns
from gitlab_hub.builds.targets.base import (
    Started,
    TargetDenied,
    TargetMissing,
    TargetRefused,
    TargetUnavailable,
    target_field,
)
from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import ClientOptions
from gitlab_hub.gitlab.errors import HostNotAllowed, HostUnreachable, InvalidUrl
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.gitlab.wire import VettedTransport
from gitlab_hub.web.errors import Unprocessable

# Where targets may lie: the deployer says so, not the caller who names one.

_QUERY = re.compile(r"[!-\"$-~]*", re.ASCII)


def vetted(url: str, policy: NetworkPolicy) -> tuple[Address, str]:
    """Read the URL of an endpoint that the rules must allow; gives where to connect to and what to ask for.

    Its name is not resolved here: that is done, and vetted, for every connection. Raises InvalidUrl or HostNotAllowed.
    """
    try:
        parts = urlsplit(url)
        address = policy.vetted(f"{parts.scheme}://{parts.netloc}")
        whole = address.url(parts.path or "/")
    except ValueError:
        raise InvalidUrl("The URL of the target is no plain URL.") from None
    if parts.fragment or not _QUERY.fullmatch(parts.query):
        raise InvalidUrl("The URL of the target has no fragment, and no blanks in its query.")
    return address, f"{whole}?{parts.query}" if parts.query else whole


class TargetNotAllowed(Unprocessable):
    """The deployer does not allow builds to be sent there (422)."""

    code = "target_not_allowed"


class TargetHostNotAllowed(TargetNotAllowed):
    """The same of the host of an HTTPS target."""

    code = "host_not_allowed"


class TargetCheck:
    """Refuses a target that no build could be sent to, where somebody is there to mend it."""

    def __init__(self, policy: NetworkPolicy, arns: AllowedArns) -> None:
        self._policy, self._arns = policy, arns

    def __call__(self, target: Mapping[str, Any]) -> None:
        """Check a well-formed target. Raises TargetNotAllowed."""
        if target.get("type") == "https":
            self._check_host(str(target.get("url")))
        else:
            self._check_arn(target)

    def _check_host(self, url: str) -> None:
        try:
            vetted(url, self._policy)
        except (InvalidUrl, HostNotAllowed) as error:
            raise TargetHostNotAllowed(
                f"{error} The deployer lists the hosts that builds may be sent to in the parameter BuildTargetHosts; "
                "a private address also needs AllowedPrivateCidrs.",
                details={"fields": [{"field": "body.target.url", "problem": error.code}]},
            ) from None

    def _check_arn(self, target: Mapping[str, Any]) -> None:
        if elsewhere := self._arns.other_region(target):
            raise TargetNotAllowed(
                f"This target lies in {elsewhere.region} and the hub in {elsewhere.own_region}: builds go to targets of"
                f" the hub's own region. Send them to a bus in {elsewhere.own_region}, whose rules send them on.",
                details={"fields": [{"field": f"body.target.{elsewhere.field}", "problem": TargetNotAllowed.code}]},
            )
        found = self._arns.refusal(target)
        if found is None:
            return
        target_field = "" if found.arn is None else f" ({found.arn})"
        raise TargetNotAllowed(
            f"The deployer does not allow builds to be sent to this target{target_field}. "
            f"Its ARN has to be in the parameter {found.parameter} of the stack.",
            details={"fields": [{"field": f"body.target.{found.field}", "problem": TargetNotAllowed.code}]},
        )


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

    def poll(self, build: Build) -> BuildStatus | None:  # noqa: ARG002 - the port's signature
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
        return vetted(target_field(build, "url"), policy)
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
