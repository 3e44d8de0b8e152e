"""The client over a scripted transport: tokens, tries, limits. Real connections have their own tests."""

import asyncio
from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.client import ClientOptions
from gitlab_hub.gitlab.errors import (
    GitLabError,
    HostUnreachable,
    Interrupted,
    NotGitLab,
    RateLimited,
    Unavailable,
)
from gitlab_hub.gitlab.rates import RateFacts
from tests.fakes.gitlab_client import BASE, DATE, TOKEN, ScriptedTransport, Sleeps, client, ok, status


class Limits:
    """A limiter that writes down what it hears."""

    def __init__(self, refusal: GitLabError | None = None) -> None:
        self.acquired: list[str] = []
        self.observed: list[tuple[str, RateFacts]] = []
        self._refusal = refusal

    async def acquire(self, endpoint: str) -> None:
        self.acquired.append(endpoint)
        if self._refusal:
            raise self._refusal

    def observe(self, endpoint: str, facts: RateFacts) -> None:
        self.observed.append((endpoint, facts))


async def test_a_reply_carries_what_callers_need() -> None:
    transport = ScriptedTransport(ok({"id": 7}, date=DATE, x_request_id="01J"))
    reply = await client(transport).get("/user", {"with_projects": False})
    assert (reply.body, reply.http_status, reply.request_id) == ({"id": 7}, 200, "01J")
    assert reply.server_time is not None
    assert reply.server_time.isoformat() == "2015-10-21T07:28:00+00:00"
    assert reply.headers["x-request-id"] == "01J"


async def test_a_request_carries_the_token_as_bearer_and_no_cookie() -> None:
    transport = ScriptedTransport(ok(set_cookie="session=1; Path=/"))
    gitlab = client(transport)
    await gitlab.get("/user", {"a": "b c"})
    await gitlab.get("/user")
    first, second = transport.requests
    assert str(first.url) == f"{BASE}/api/v4/user?a=b+c"
    assert dict(first.headers) == {
        "host": "gitlab.example", "authorization": f"Bearer {TOKEN}", "accept": "application/json",
        "accept-encoding": "gzip", "user-agent": "gitlab-hub",
    }  # fmt: skip
    assert "cookie" not in second.headers


async def test_paths_outside_the_api() -> None:
    transport = ScriptedTransport(ok())
    await client(transport).get("/oauth/token/info", outside_api=True)
    assert str(transport.requests[0].url) == f"{BASE}/oauth/token/info"


async def test_the_client_closes_its_transport() -> None:
    transport = ScriptedTransport(ok())
    async with client(transport):
        pass
    assert transport.closed


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("10.0.0.1"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
        status(500),
        status(429, retry_after="1"),
        httpx.Response(200, content=b"[", headers={"content-type": "application/json"}),
    ],
)
async def test_a_passing_fault_is_overcome_within_three_tries(fault: Any) -> None:
    transport = ScriptedTransport(fault, fault, ok({"id": 7}))
    gitlab = client(transport)
    assert (await gitlab.get("/user")).body == {"id": 7}
    assert gitlab.requests == len(transport.requests) == 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (httpx.ConnectError("10.0.0.1"), HostUnreachable),
        (status(503), Unavailable),
        (status(429, retry_after="1"), RateLimited),
    ],
)
async def test_after_three_tries_the_fault_is_told(fault: Any, kind: type[GitLabError]) -> None:
    transport, sleeps = ScriptedTransport(fault), Sleeps()
    with pytest.raises(kind) as failed:
        await client(transport, sleep=sleeps).get("/user")
    assert len(transport.requests) == 3
    assert len(sleeps) == 2
    assert "10.0.0.1" not in f"{failed.value}"


@pytest.mark.parametrize(
    "fault", [status(404), status(403), status(302), httpx.Response(200, html="<html>"), status(400),
              httpx.Response(200, content=b"[" * 200 + b"]" * 200, headers={"content-type": "application/json"})]
)  # fmt: skip
async def test_a_lasting_fault_is_told_at_once(fault: Any) -> None:
    transport = ScriptedTransport(fault)
    with pytest.raises(GitLabError):
        await client(transport).get("/user")
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({"retry_after": "1200"}, 1200), ({}, 60), ({"ratelimit_reset": "1445412580", "date": DATE}, 100)],
)
async def test_a_long_429_is_the_callers_to_wait_for(headers: dict[str, str], wait: int) -> None:
    transport, sleeps = ScriptedTransport(status(429, **headers)), Sleeps()
    gitlab = client(transport, sleep=sleeps)
    with pytest.raises(RateLimited) as limited:
        await gitlab.get("/user")
    assert (limited.value.retry_after, len(transport.requests), list(sleeps)) == (wait, 1, [])
    assert gitlab.rate_limited == 1


async def test_a_short_429_is_waited_for() -> None:
    transport, sleeps = ScriptedTransport(status(429, retry_after="3"), ok()), Sleeps()
    gitlab = client(transport, sleep=sleeps)
    await gitlab.get("/user")
    assert (list(sleeps), gitlab.rate_limited, gitlab.requests) == ([3.25], 1, 2)


async def test_pauses_count_against_the_deadline() -> None:
    transport = ScriptedTransport(status(429, retry_after="4"))
    with pytest.raises(RateLimited):
        await client(transport, options=ClientOptions(deadline=6.0)).get("/user")
    assert len(transport.requests) == 2


async def test_a_write_is_tried_once() -> None:
    transport = ScriptedTransport(status(500), ok())
    gitlab = client(transport)
    with pytest.raises(Unavailable):
        await gitlab.send("POST", "/personal_access_tokens/self/rotate", {"expires_at": "2030-01-01"})
    (request,) = transport.requests
    assert (request.method, request.content) == ("POST", b'{"expires_at": "2030-01-01"}')
    assert request.headers["content-type"] == "application/json"


async def test_a_write_may_be_answered_with_nothing() -> None:
    reply = await client(ScriptedTransport(httpx.Response(204))).send("DELETE", "/personal_access_tokens/self")
    assert (reply.http_status, reply.body) == (204, None)


async def test_the_limiter_is_asked_before_and_told_after_every_try() -> None:
    limits = Limits()
    transport = ScriptedTransport(status(429, retry_after="1"), ok(ratelimit_remaining="5"))
    await client(transport, limiter=limits).get("/projects/7/members")
    assert limits.acquired == ["members", "members"]
    assert [(name, facts.limited, facts.remaining) for name, facts in limits.observed] == [
        ("members", True, None), ("members", False, 5),
    ]  # fmt: skip


async def test_the_limiters_refusal_is_final() -> None:
    transport, limits = ScriptedTransport(ok()), Limits(RateLimited("parked", retry_after=1))
    with pytest.raises(RateLimited):
        await client(transport, limiter=limits).get("/user")
    assert (transport.requests, len(limits.acquired)) == ([], 1)


async def test_no_more_calls_are_in_flight_than_allowed() -> None:
    flying: list[int] = [0, 0]

    class Slow(ScriptedTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            flying[0] += 1
            flying[1] = max(flying)
            await asyncio.sleep(0.001)
            flying[0] -= 1
            return await super().handle_async_request(request)

    gitlab = client(Slow(lambda _: ok()), options=ClientOptions(concurrency=3))
    await asyncio.gather(*(gitlab.get("/user") for _ in range(12)))
    assert (flying[1], gitlab.requests) == (3, 12)


async def test_waiting_for_a_free_slot_does_not_use_up_the_deadline() -> None:
    class Slow(ScriptedTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0.05)
            return await super().handle_async_request(request)

    options = ClientOptions(concurrency=1, deadline=2.0, tries=1)  # All take longer than one may.
    gitlab = client(Slow(lambda _: ok()), options=options)
    replies = await asyncio.gather(*(gitlab.get("/user") for _ in range(45)))
    assert [reply.body for reply in replies] == [{"id": 1}] * 45


async def test_a_refusal_stands_even_without_a_readable_body() -> None:
    with pytest.raises(GitLabError) as failed:
        await client(ScriptedTransport(lambda _: _raw(403, b"no gzip", {"content-encoding": "gzip"}))).get("/user")
    assert failed.value.http_status == 403


def _raw(code: int, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return httpx.Response(code, headers={"content-length": str(len(body)), **headers}, stream=httpx.ByteStream(body))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda _: httpx.Response(200, json={}, headers={"content-type": "text/html"}), NotGitLab),
        (lambda _: httpx.Response(200, content=b"[{]", headers={"content-type": "application/json"}), Interrupted),
    ],
)
async def test_an_unusable_answer_has_its_kind(answer: Any, kind: type[GitLabError]) -> None:
    with pytest.raises(kind):
        await client(ScriptedTransport(answer)).get("/user")


async def test_a_write_without_a_body_is_json_too() -> None:
    # A read-only GitLab answers anything else with a redirection, as if a browser had asked.
    transport = ScriptedTransport(status(204), ok())
    gitlab = client(transport)
    await gitlab.send("DELETE", "/projects/1/hooks/2")
    await gitlab.get("/user")
    assert [request.headers.get("content-type") for request in transport.requests] == ["application/json", None]
