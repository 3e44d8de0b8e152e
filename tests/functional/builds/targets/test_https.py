"""Signed requests to HTTPS endpoints, and where they must not go."""

import asyncio
import base64
import hmac
import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import httpcore
import httpx
import pytest

from gitlab_hub.builds.runs.model import Build
from gitlab_hub.builds.targets import https
from gitlab_hub.builds.targets.allowed import AllowedArns
from gitlab_hub.builds.targets.base import (
    CANCELED,
    REQUESTED,
    TargetDenied,
    TargetMissing,
    TargetRefused,
    TargetUnavailable,
    message_of,
)
from gitlab_hub.builds.targets.https import HttpsTarget, TargetCheck, TargetNotAllowed
from gitlab_hub.builds.targets.signing import SecretVersions, TargetSecrets, TargetSigner
from gitlab_hub.gitlab.errors import HostNotAllowed, HostUnreachable
from gitlab_hub.gitlab.policy import NetworkPolicy
from tests.fakes.gitlab_client import ScriptedTransport
from tests.fakes.table import MemoryTable
from tests.functional.builds.build_aws import BUILD

URL = "https://builder.example/hooks/gitlab?team=1"


def secrets() -> TargetSecrets:
    return TargetSecrets(lambda: b"k" * 32)


def signer(versions: SecretVersions | None = None, now: float = 1_700_000_000) -> TargetSigner:
    return TargetSigner(secrets(), versions or SecretVersions(MemoryTable()), lambda: now)


def build(url: str = URL) -> Build:
    return replace(BUILD, target={"type": "https", "url": url})


def send(transport: httpx.AsyncBaseTransport, *, url: str = URL, policy: NetworkPolicy | None = None) -> None:
    target = HttpsTarget(policy or NetworkPolicy(), signer(), transports=lambda _: transport)
    target.start(build(url), message_of(BUILD, REQUESTED, gitlab_url=None))


def test_a_build_is_posted_signed_and_whole() -> None:
    transport = ScriptedTransport(httpx.Response(202))
    send(transport)
    [request] = transport.requests
    assert (request.method, str(request.url)) == ("POST", URL)
    assert json.loads(request.content)["build"]["id"] == BUILD.id
    assert request.headers["webhook-id"] == f"{BUILD.id}-requested"
    expected = secrets().sign(
        BUILD.trigger_id, [1], message_id=f"{BUILD.id}-requested", at=1_700_000_000, body=request.content
    )
    assert request.headers["webhook-signature"] == expected["webhook-signature"]
    assert "authorization" not in request.headers
    assert transport.closed


def test_a_repetition_has_the_same_id_and_a_cancellation_another() -> None:
    transport = ScriptedTransport(httpx.Response(200))
    send(transport)
    send(transport)
    target = HttpsTarget(NetworkPolicy(), signer(), transports=lambda _: transport)
    target.stop(build(), message_of(BUILD, CANCELED, gitlab_url=None))
    ids = [request.headers["webhook-id"] for request in transport.requests]
    assert ids == [f"{BUILD.id}-requested", f"{BUILD.id}-requested", f"{BUILD.id}-canceled"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, TargetRefused),
        (302, TargetRefused),
        (307, TargetRefused),
        (400, TargetRefused),
        (401, TargetDenied),
        (403, TargetDenied),
        (404, TargetMissing),
        (410, TargetMissing),
        (408, TargetUnavailable),
        (409, TargetUnavailable),
        (425, TargetUnavailable),
        (429, TargetUnavailable),
        (500, TargetUnavailable),
        (503, TargetUnavailable),
    ],
)
def test_every_answer_but_success_is_a_decision(status: int, kind: type[Exception]) -> None:
    transport = ScriptedTransport(httpx.Response(status, headers={"Location": "https://elsewhere.example/"}))
    with pytest.raises(kind) as raised:
        send(transport)
    assert type(raised.value) is kind
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("no"),
        httpcore.ReadTimeout("no"),
        httpcore.RemoteProtocolError("no"),
        HostUnreachable("no"),
        TimeoutError(),
    ],
)
def test_no_answer_is_for_now(fault: Exception) -> None:
    with pytest.raises(TargetUnavailable):
        send(ScriptedTransport(fault))


def test_an_endpoint_that_never_answers_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(60)
            raise AssertionError("not reached")

    monkeypatch.setattr(https, "DEADLINE_SECONDS", 0.01)
    with pytest.raises(TargetUnavailable):
        send(Silent())


def test_the_body_of_an_answer_is_not_even_read() -> None:
    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"x"
            raise AssertionError("nobody wants it")

    transport = ScriptedTransport(httpx.Response(200, stream=Endless()))
    send(transport)
    assert len(transport.requests) == 1


REFUSED = [
    "https://127.0.0.1/x",
    "https://localhost/x",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/x",
    "https://[::1]/x",
    "https://metadata.google.internal/x",
    "https://builder.example:8443/x",
]


@pytest.mark.parametrize("url", REFUSED)
def test_addresses_that_the_deployer_did_not_allow_are_never_asked(url: str) -> None:
    transport = ScriptedTransport(httpx.Response(200))
    with pytest.raises(TargetDenied):
        send(transport, url=url)
    assert transport.requests == []
    with pytest.raises(TargetNotAllowed) as refused:
        TargetCheck(NetworkPolicy(), AllowedArns())({"type": "https", "url": url})
    assert refused.value.details["fields"][0]["problem"] == "host_not_allowed"


@pytest.mark.parametrize(
    "url",
    [
        "http://builder.example/x",
        "https://user@builder.example/x",
        "https://builder.example/x#y",
        "https://builder.example/../x",
        "https://builder.example/a b",
        "ftp://builder.example/x",
        "https://0x7f000001/x",
        "https://[::1",
        "",
    ],
)
def test_what_is_no_plain_https_url_is_never_asked(url: str) -> None:
    transport = ScriptedTransport(httpx.Response(200))
    with pytest.raises(TargetRefused):
        send(transport, url=url)
    assert transport.requests == []
    with pytest.raises(TargetNotAllowed) as refused:
        TargetCheck(NetworkPolicy(), AllowedArns())({"type": "https", "url": url})
    assert refused.value.details["fields"][0]["problem"] == "invalid_url"


def test_only_the_hosts_that_the_deployer_names_are_asked() -> None:
    policy = NetworkPolicy(allowed_hosts=("builder.example",))
    send(ScriptedTransport(httpx.Response(200)), policy=policy)
    with pytest.raises(TargetDenied):
        send(ScriptedTransport(httpx.Response(200)), url="https://elsewhere.example/", policy=policy)


def test_loopback_is_for_the_local_stack() -> None:
    local = NetworkPolicy(allow_loopback=True)
    transport = ScriptedTransport(httpx.Response(200))
    send(transport, url="http://127.0.0.1:9000/x", policy=local)
    assert len(transport.requests) == 1
    TargetCheck(local, AllowedArns())({"type": "https", "url": "http://127.0.0.1:9000/x"})


def test_a_name_that_resolves_to_the_inside_is_refused_when_it_is_dialed() -> None:
    class Refusing(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise HostNotAllowed("This host has a private address.")

    with pytest.raises(TargetDenied):
        send(Refusing())


def test_for_a_day_after_a_rotation_both_secrets_sign() -> None:
    versions: Any = SecretVersions(MemoryTable())
    versions.rotate(BUILD.integration_id, BUILD.trigger_id, seed="s1", now=1_700_000_000)
    signed = {
        now: signer(versions, now)(build(), message_id="m", body=b"{}")["webhook-signature"].split()
        for now in (1_700_000_000 + 86_399, 1_700_000_000 + 86_400)
    }
    assert [len(each) for each in signed.values()] == [2, 1]


class Endpoint(BaseHTTPRequestHandler):
    """An endpoint on this very machine."""

    got: ClassVar[list[tuple[str, dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(307 if self.path == "/moved" else 204)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def endpoint() -> Iterator[str]:
    Endpoint.got.clear()
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_request_goes_over_the_wire_as_any_receiver_of_standard_webhooks_expects_it(endpoint: str) -> None:
    target = HttpsTarget(NetworkPolicy(allow_loopback=True), signer())
    target.start(build(f"{endpoint}/hook?a=b"), message_of(BUILD, REQUESTED, gitlab_url=None))
    with pytest.raises(TargetRefused):
        target.start(build(f"{endpoint}/moved"), message_of(BUILD, REQUESTED, gitlab_url=None))
    [(path, headers, body), (moved, *_)] = Endpoint.got
    assert (path, moved, headers["content-type"]) == ("/hook?a=b", "/moved", "application/json")
    key = base64.b64decode(secrets().secret(BUILD.trigger_id, 1).removeprefix("whsec_"))
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, text, "sha256")).decode()


def test_without_the_local_stacks_switch_the_same_request_does_not_leave(endpoint: str) -> None:
    with pytest.raises(TargetRefused):
        HttpsTarget(NetworkPolicy(), signer()).start(
            build(f"{endpoint}/hook"), message_of(BUILD, REQUESTED, gitlab_url=None)
        )
    assert Endpoint.got == []


def test_nobody_at_home_is_for_now() -> None:
    target = HttpsTarget(NetworkPolicy(allow_loopback=True), signer())
    with pytest.raises(TargetUnavailable):
        target.start(build("http://127.0.0.1:9/"), message_of(BUILD, REQUESTED, gitlab_url=None))
