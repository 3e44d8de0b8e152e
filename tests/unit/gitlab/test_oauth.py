"""The token endpoint: forms without a bearer, one try, and refusals that say what they mean."""

from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.errors import (
    GitLabError,
    GrantRefused,
    HostUnreachable,
    InvalidGrant,
    NoConnection,
    NotGitLab,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.oauth import Application, code_fields, grant_of, refresh_fields, revoke_fields
from gitlab_hub.gitlab.options import Reply
from gitlab_hub.gitlab.policy import NetworkPolicy
from tests.fakes.gitlab_client import FixedTokens, Script, ScriptedTransport

APPLICATION = Application(client_id="app", client_secret="gloas-canary")
FIELDS = {"client_secret": "s&= é", "token": "t-canary"}


def client(transport: ScriptedTransport) -> GitLab:
    address = Address.parse("https://example.com/gitlab", allow_http=False)
    return GitLab(address, FixedTokens("glpat-canary"), policy=NetworkPolicy(), transport=transport)


async def posted(*script: Script) -> tuple[Reply, ScriptedTransport]:
    transport = ScriptedTransport(*script)
    return await client(transport).form("/oauth/token", FIELDS), transport


async def test_a_form_goes_out_encoded_and_without_the_token() -> None:
    reply, transport = await posted(httpx.Response(200, json={"ok": 1}))
    [request] = transport.requests
    assert (request.method, str(request.url)) == ("POST", "https://example.com/gitlab/oauth/token")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in request.headers
    assert dict(parse_qsl(request.content.decode())) == FIELDS
    assert reply.body == {"ok": 1}


async def test_a_header_that_echoes_a_field_is_dropped() -> None:
    reply, _ = await posted(httpx.Response(200, json={}, headers={"x-echo": "a t-canary b", "x-request-id": "r1"}))
    assert ("x-echo" in reply.headers, reply.request_id) == (False, "r1")


async def test_an_anonymous_read_has_no_token_and_is_not_tried_with_another() -> None:
    transport = ScriptedTransport(httpx.Response(401, json={"message": "401 Unauthorized"}))
    with pytest.raises(Unauthorized):
        await client(transport).get("/version", anonymous=True)
    assert ["authorization" in request.headers for request in transport.requests] == [False]


async def test_a_form_and_an_anonymous_read_do_not_even_ask_for_the_token() -> None:
    class Keeper(FixedTokens):
        async def current(self) -> str:
            raise AssertionError("nobody needs it")

    address = Address.parse("https://example.com", allow_http=False)
    transport = ScriptedTransport(lambda _: httpx.Response(200, json={}))
    gitlab = GitLab(address, Keeper("x"), policy=NetworkPolicy(), transport=transport)
    await gitlab.form("/oauth/token", FIELDS)
    await gitlab.get("/version", anonymous=True)
    assert len(transport.requests) == 2


@pytest.mark.parametrize(("answer", "error", "reason"), [
    (httpx.Response(400, json={"error": "invalid_grant", "hint": "canary"}), InvalidGrant, "invalid_grant"),
    (httpx.Response(401, json={"error": "invalid_grant"}), InvalidGrant, "invalid_grant"),
    (httpx.Response(401, json={"error": "invalid_client"}), GrantRefused, "invalid_client"),
    (httpx.Response(400, json={"error": "unauthorized_client"}), GrantRefused, "unauthorized_client"),
    (httpx.Response(400, json={"error": "canary"}), UnexpectedResponse, None),
    (httpx.Response(503, json={}), Unavailable, None),
    (httpx.Response(302, headers={"location": "https://evil.example"}), NotGitLab, None),
    (httpx.Response(200, html="<html>"), GitLabError, None),
    (httpx.ConnectError("no"), NoConnection, None),
    (httpx.ConnectTimeout("no"), NoConnection, None),
    (httpx.ReadTimeout("?"), HostUnreachable, None),
    (httpx.RemoteProtocolError("?"), HostUnreachable, None),
])  # fmt: skip
async def test_each_failure_says_what_it_leaves_and_is_not_tried_again(
    answer: Any, error: type[GitLabError], reason: str | None
) -> None:
    transport = ScriptedTransport(answer)
    with pytest.raises(error) as refused:
        await client(transport).form("/oauth/token", FIELDS)
    assert (len(transport.requests), refused.value.details.get("reason")) == (1, reason)
    assert "canary" not in f"{refused.value} {refused.value.details}"
    assert isinstance(refused.value, NoConnection) is (error is NoConnection)


def reply(body: Any) -> Reply:
    return Reply(body, 200, None, None, {})


def test_a_grant_is_read() -> None:
    grant = grant_of(
        reply({"access_token": "a-canary", "refresh_token": "r-canary", "scope": "api x", "expires_in": 7200})
    )
    assert (grant.access_token, grant.refresh_token, grant.scopes, grant.seconds) == (
        "a-canary", "r-canary", ("api", "x"), 7200,
    )  # fmt: skip
    assert "canary" not in repr(grant)


@pytest.mark.parametrize(("more", "seconds", "scopes"), [
    ({}, None, None),
    ({"expires_in": None, "scope": ["api"]}, None, ("api",)),
    ({"expires_in": -1, "scope": ""}, None, ()),
    ({"expires_in": True}, None, None),
    ({"expires_in": "7200"}, None, None),
    ({"expires_in": 10**12}, 366 * 86_400, None),
])  # fmt: skip
def test_what_gitlab_does_not_say_stays_unknown(more: dict[str, Any], seconds: int | None, scopes: Any) -> None:
    grant = grant_of(reply({"access_token": "a"} | more))
    assert (grant.seconds, grant.scopes, grant.refresh_token) == (seconds, scopes, None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        {"access_token": ""},
        {"access_token": 1},
        {"access_token": "a b"},
        {"access_token": "a", "token_type": "mac"},
        {"access_token": "a", "token_type": 7},
        {"access_token": "a", "token_type": None},
    ],
)
def test_an_answer_without_a_usable_token_is_none(body: Any) -> None:
    with pytest.raises(UnexpectedResponse):
        grant_of(reply(body))


@pytest.mark.parametrize("refresh", [{}, {"refresh_token": None}, {"refresh_token": ""}, {"refresh_token": 7}])
@pytest.mark.parametrize("kind", [{}, {"token_type": "Bearer"}, {"token_type": "bearer"}])
def test_a_refresh_token_that_cannot_be_used_is_none(refresh: dict[str, Any], kind: dict[str, Any]) -> None:
    grant = grant_of(reply({"access_token": "a"} | refresh | kind))
    assert (grant.access_token, grant.refresh_token) == ("a", None)


def test_the_forms_are_those_of_the_rfcs() -> None:
    assert code_fields(APPLICATION, code="c", verifier="v", redirect_uri="https://hub/cb") == {
        "grant_type": "authorization_code", "client_id": "app", "client_secret": "gloas-canary", "code": "c",
        "code_verifier": "v", "redirect_uri": "https://hub/cb",
    }  # fmt: skip
    assert "client_secret" not in refresh_fields(Application(client_id="app"), "r")
    assert refresh_fields(APPLICATION, "r")["grant_type"] == "refresh_token"
    assert revoke_fields(APPLICATION, "t", None)["token"] == "t"
    assert revoke_fields(APPLICATION, "t", "r") == {
        **APPLICATION.fields(), "token": "r", "token_type_hint": "refresh_token",
    }  # fmt: skip
    assert "canary" not in repr(APPLICATION)
