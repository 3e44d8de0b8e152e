"""The real client against a server that breaks HTTP; deadlines are short, everything else is as in production."""

import asyncio
import gc
import logging
import time
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import ClientOptions, GitLab
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    HostNotAllowed,
    HostUnreachable,
    InsufficientScope,
    Interrupted,
    NotGitLab,
    RateLimited,
    ResourceNotFound,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.policy import NetworkPolicy
from tests.fakes import gitlab_server as server
from tests.fakes.gitlab_client import FixedTokens
from tests.fakes.gitlab_server import FaultServer, Step

pytestmark = pytest.mark.enable_socket

TOKEN = "glpat-canary-0123456789"
LOCAL = NetworkPolicy(allow_loopback=True, allow_http=True)
GOOD = server.as_json({"id": 7})
OPTIONS = ClientOptions(deadline=30.0, read_timeout=20.0, connect_timeout=20.0, max_body=100_000)
"""Far more patience than any answer needs: who tests impatience says for how long."""


def client(url: str, tokens: FixedTokens | None = None, **options: Any) -> GitLab:
    chosen = replace(OPTIONS, **options)
    address = Address.parse(url, allow_http=True)
    return GitLab(address, tokens or FixedTokens(TOKEN), policy=LOCAL, options=chosen, random=lambda: 0.01)


@pytest.mark.parametrize(
    "fault",
    [
        server.cut_by_length(),
        server.cut_in_chunk(),
        server.cut_between_chunks(),
        server.packed({"id": 7}, cut=1),
        server.packed({"id": 7}, cut=9),
        server.hang_up(),
        server.reset(),
        server.reset(server.head(200, Content_Type="application/json", Content_Length="50") + b"[{"),
        server.raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
        server.answer(200, b'[{"id": 1}'),
        server.answer(500, b"{}"),
        server.answer(502, b"<html>Bad gateway</html>", "text/html"),
        server.answer(429, b"Retry later\n", "text/plain", Retry_After="0"),
    ],
)
async def test_a_passing_fault_is_overcome(fault: Step) -> None:
    async with FaultServer(fault, fault, GOOD) as gitlab_server:
        async with client(gitlab_server.url) as gitlab:
            assert (await gitlab.get("/user")).body == {"id": 7}
        assert len(gitlab_server.requests) == gitlab.requests == 3


@pytest.mark.parametrize(
    ("fault", "kind", "tries"),
    [
        (server.cut_by_length(), Interrupted, 3),
        (server.cut_in_chunk(), Interrupted, 3),
        (server.packed([], cut=2), Interrupted, 3),
        (server.hang_up(), HostUnreachable, 3),
        (server.answer(503, b"{}"), Unavailable, 3),
        (server.answer(503, b"{}", Retry_After="600"), Unavailable, 1),
        (server.close_delimited(), UnexpectedResponse, 1),
        (server.answer(200, b"<html>Sign in</html>", "text/html; charset=utf-8"), NotGitLab, 1),
        (server.answer(200, b"hello", "text/plain"), NotGitLab, 1),
        (server.answer(302, b"", Location="https://example.com/login"), NotGitLab, 1),
        (server.answer(200, b"[" * 101 + b"]" * 101), UnexpectedResponse, 1),
        (server.answer(200, b"[" * 90_000), UnexpectedResponse, 1),
        (server.answer(200, b"[" + b" " * 100_000 + b"]"), UnexpectedResponse, 1),
        (server.endless(b" " * 10_000), UnexpectedResponse, 1),
        (server.bomb(5), UnexpectedResponse, 1),
        (server.answer(200, b"{}", Content_Encoding="br"), UnexpectedResponse, 1),
        (server.answer(429, b"Retry later\n", "text/plain", Retry_After="1200"), RateLimited, 1),
        (
            server.as_json({"message": {"error": "This endpoint has been requested too many times."}}, 429),
            RateLimited,
            1,
        ),
        (server.as_json({"message": "404 Not Found"}, 404), ResourceNotFound, 1),
        (server.as_json({"message": "403 Forbidden"}, 403), Forbidden, 1),
        (server.as_json({"error": "insufficient_scope", "scope": "api read_api"}, 403), InsufficientScope, 1),
        (server.raw(server.head(404), b"closes"), ResourceNotFound, 1),
    ],
)
async def test_every_fault_has_its_error(
    fault: Step, kind: type[GitLabError], tries: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with FaultServer(fault) as gitlab_server:
        async with client(gitlab_server.url) as gitlab:
            with pytest.raises(GitLabError) as failed:
                await gitlab.get("/user")
        assert type(failed.value) is kind
        assert len(gitlab_server.requests) == tries
        assert not any(secret in f"{failed.value!r}" for secret in (TOKEN, "127.0.0.1", "Sign in"))
        assert TOKEN not in caplog.text


@pytest.mark.parametrize("fault", [server.drip(0.02), server.drip(0.02, headers_too=True), server.silence()])
async def test_a_slow_server_is_left_at_the_deadline(fault: Step) -> None:
    begun = time.monotonic()
    async with FaultServer(fault) as gitlab_server, client(gitlab_server.url, deadline=0.4) as gitlab:
        with pytest.raises(HostUnreachable):
            await gitlab.get("/user")
    assert time.monotonic() - begun < OPTIONS.read_timeout


async def test_a_stalled_try_leaves_time_for_another() -> None:
    async with (
        FaultServer(server.silence(), GOOD) as gitlab_server,
        client(gitlab_server.url, deadline=4.0, read_timeout=0.5) as gitlab,
    ):
        assert (await gitlab.get("/user")).body == {"id": 7}


async def test_a_body_that_stalls_is_asked_for_again() -> None:
    stalls = server.silence(server.head(200, Content_Type="application/json", Content_Length="50") + b"[")
    async with (
        FaultServer(stalls, GOOD, stalls) as gitlab_server,
        client(gitlab_server.url, deadline=4.0, read_timeout=0.5) as gitlab,
    ):
        assert (await gitlab.get("/user")).body == {"id": 7}
        with pytest.raises(HostUnreachable) as failed:
            await gitlab.get("/user")
    assert failed.value.http_status == 200


async def test_a_name_is_resolved_by_the_system() -> None:
    async with FaultServer(GOOD) as gitlab_server:
        async with client(gitlab_server.url.replace("127.0.0.1", "localhost")) as gitlab:
            assert (await gitlab.get("/user")).body == {"id": 7}
        assert f"\r\nHost: localhost:{gitlab_server.port}\r\n".encode() in gitlab_server.requests[0]


async def test_a_left_connection_is_not_used_again() -> None:
    async with FaultServer(server.endless(b" " * 10_000), GOOD) as gitlab_server:
        async with client(gitlab_server.url) as gitlab:
            with pytest.raises(UnexpectedResponse):
                await gitlab.get("/user")
            assert (await gitlab.get("/user")).body == {"id": 7}
        assert gitlab_server.connections == 2


async def test_good_answers_share_a_connection() -> None:
    async with FaultServer(GOOD, server.packed({"id": 8}), GOOD) as gitlab_server:
        async with client(gitlab_server.url) as gitlab:
            assert [(await gitlab.get("/user")).body["id"] for _ in range(3)] == [7, 8, 7]
        assert gitlab_server.connections == 1
        assert b"Cookie" not in gitlab_server.requests[-1]


async def test_a_connection_that_was_closed_while_idle_is_not_used_again() -> None:
    async with FaultServer(server.closing_when_idle({"id": 7}), GOOD) as gitlab_server:
        async with client(gitlab_server.url, tries=1) as gitlab:
            assert (await gitlab.get("/user")).body == {"id": 7}
            await asyncio.sleep(0.3)
            assert (await gitlab.get("/user")).body == {"id": 7}
        assert gitlab_server.connections == 2


async def test_a_bomb_does_not_fill_the_memory() -> None:
    async with FaultServer(server.bomb(60)) as gitlab_server, client(gitlab_server.url, max_body=2_000_000) as gitlab:
        gc.collect()
        tracemalloc.start()
        try:
            with pytest.raises(UnexpectedResponse):
                await gitlab.get("/user")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_gives_nothing_to_the_other_server(status: int) -> None:
    async with FaultServer(GOOD) as other:
        redirect = server.answer(status, b"", Location=f"{other.url}/api/v4/user")
        async with FaultServer(redirect) as gitlab_server, client(gitlab_server.url) as gitlab:
            with pytest.raises(NotGitLab):
                await gitlab.get("/user")
            with pytest.raises(NotGitLab):
                await gitlab.send("POST", "/oauth/token", {"refresh_token": TOKEN}, outside_api=True)
        assert (other.connections, other.requests) == (0, [])


async def test_a_foreign_link_gives_nothing_to_the_other_server() -> None:
    async with FaultServer(GOOD) as other:
        linked = server.as_json([{"id": 1}], Link=f'<{other.url}/api/v4/users?page=2>; rel="next"')
        last = server.as_json([{"id": 2}], X_Next_Page="")
        async with FaultServer(linked, last) as gitlab_server, client(gitlab_server.url) as gitlab:
            pages = [page.rows async for page in gitlab.pages("/projects")]
            asked = [request.split(b" ")[1] for request in gitlab_server.requests]
        assert pages == [[{"id": 1}], [{"id": 2}]]
        assert asked == [b"/api/v4/projects?per_page=100", b"/api/v4/projects?per_page=100&page=2"]
        assert (other.connections, other.requests) == (0, [])


async def test_a_link_to_itself_ends() -> None:
    async with FaultServer(server.as_json([])) as gitlab_server:
        link = f'<{gitlab_server.url}/api/v4/projects?per_page=100&page=2>; rel="next"'
        gitlab_server.script[:] = [server.as_json([{"id": 1}], Link=link)]
        async with client(gitlab_server.url) as gitlab:
            with pytest.raises(UnexpectedResponse, match="circle"):
                _ = [page async for page in gitlab.pages("/projects")]
        assert len(gitlab_server.requests) == 2


@pytest.mark.parametrize("fault", [server.answer(502, b""), server.cut_by_length(), server.reset(), server.hang_up()])
async def test_a_page_is_never_empty_because_it_broke(fault: Step) -> None:
    first = server.as_json([{"id": 1}], X_Next_Page="2")
    async with FaultServer(first, fault) as gitlab_server, client(gitlab_server.url) as gitlab:
        pages = gitlab.pages("/projects")
        page = await anext(pages)
        with pytest.raises(GitLabError):
            await anext(pages)
    assert (page.rows, (page.next or "").partition("#")[0]) == ([{"id": 1}], "per_page=100&page=2")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"message": "401 Unauthorized"}, "unknown"),
        ({"error": "invalid_token", "error_description": "Token is expired. Renew it."}, "token_expired"),
        ({"error": "invalid_token", "error_description": "Token was revoked. Re-authorize."}, "token_revoked"),
    ],
)
async def test_a_rejected_token_is_renewed_and_else_its_reason_told(body: Any, reason: str) -> None:
    rejected = server.as_json(body, 401, X_Request_Id="01JREQ")
    async with FaultServer(rejected, GOOD) as gitlab_server:
        async with client(gitlab_server.url, FixedTokens(TOKEN, "glpat-newer")) as gitlab:
            await gitlab.get("/user")
        assert b"\r\nAuthorization: Bearer glpat-newer\r\n" in gitlab_server.requests[1]
    async with FaultServer(rejected) as gitlab_server, client(gitlab_server.url) as gitlab:
        with pytest.raises(Unauthorized) as refused:
            await gitlab.get("/user")
    assert (refused.value.details["reason"], refused.value.request_id) == (reason, "01JREQ")


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FaultServer(GOOD) as proxy, FaultServer(GOOD) as gitlab_server, client(gitlab_server.url) as gitlab:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        await gitlab.get("/user")
        assert (proxy.connections, gitlab_server.connections) == (0, 1)


async def test_loopback_is_refused_where_the_deployer_did_not_allow_it() -> None:
    async with FaultServer(GOOD) as gitlab_server:
        address = Address.parse(gitlab_server.url, allow_http=True)
        policy = NetworkPolicy(
            allow_http=True, allowed_ports=(gitlab_server.port,), allowed_private_cidrs=("0.0.0.0/0",)
        )
        async with GitLab(address, FixedTokens(TOKEN), policy=policy) as gitlab:
            with pytest.raises(HostNotAllowed):
                await gitlab.get("/user")
        assert gitlab_server.connections == 0


async def test_nobody_listens() -> None:
    async with FaultServer(GOOD) as gone:
        url = gone.url
    async with client(url) as gitlab:
        with pytest.raises(HostUnreachable):
            await gitlab.get("/user")
