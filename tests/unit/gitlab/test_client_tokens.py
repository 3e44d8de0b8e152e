"""Tokens that GitLab refuses: renewed once, by the client over a scripted transport; and what is written with them."""

import logging
from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.errors import (
    GitLabError,
    Unauthorized,
)
from tests.fakes.gitlab_client import TOKEN, FixedTokens, ScriptedTransport, client, ok, status


async def test_a_rejected_token_is_renewed_once() -> None:
    transport, tokens = ScriptedTransport(status(401), ok()), FixedTokens("glpat-old", "glpat-new")
    await client(transport, tokens).get("/user")
    assert (transport.tokens, tokens.rejected) == (["glpat-old", "glpat-new"], ["glpat-old"])


@pytest.mark.parametrize("newer", [(), ("glpat-old",), ("glpat-new", "glpat-newest")])
async def test_a_token_that_stays_rejected_is_told(newer: tuple[str, ...]) -> None:
    transport, tokens = ScriptedTransport(status(401)), FixedTokens("glpat-old", *newer)
    with pytest.raises(Unauthorized) as refused:
        await client(transport, tokens).get("/user")
    assert len(transport.requests) == (2 if len(newer) == 2 else 1)
    assert tokens.rejected == ["glpat-old"]
    assert refused.value.details == {"reason": "unknown"}


async def test_the_renewed_token_still_has_all_its_tries() -> None:
    transport = ScriptedTransport(status(500), status(401), status(500), ok())
    await client(transport, FixedTokens("glpat-old", "glpat-new")).get("/user")
    assert transport.tokens == ["glpat-old", "glpat-old", "glpat-new", "glpat-new"]


async def test_what_is_no_token_is_never_sent() -> None:
    transport = ScriptedTransport(ok())
    with pytest.raises(Unauthorized) as refused:
        await client(transport, FixedTokens(f"{TOKEN}\r\nX-Evil: 1")).get("/user")
    assert (transport.requests, TOKEN in f"{refused.value!r}") == ([], False)


async def test_a_write_whose_token_is_refused_goes_out_with_the_newer_one() -> None:
    transport, tokens = ScriptedTransport(status(401), ok()), FixedTokens("glpat-old", "glpat-new", "glpat-newest")
    await client(transport, tokens).send("POST", "/projects/1/statuses/abc", {"state": "success"})
    assert transport.tokens == ["glpat-old", "glpat-new"]
    assert len({request.content for request in transport.requests}) == 1


@pytest.mark.parametrize(("newer", "sent"), [((), 1), (("glpat-new", "glpat-newest"), 2)])
async def test_a_write_that_is_refused_with_the_newest_token_is_refused(newer: tuple[str, ...], sent: int) -> None:
    transport = ScriptedTransport(status(401))
    with pytest.raises(Unauthorized):
        await client(transport, FixedTokens("glpat-old", *newer)).send("DELETE", "/projects/1/hooks/2")
    assert len(transport.requests) == sent


async def test_a_form_renews_no_token() -> None:
    transport, tokens = ScriptedTransport(status(401)), FixedTokens("glpat-old", "glpat-new")
    with pytest.raises(Unauthorized):
        await client(transport, tokens).form("/oauth/token", {"grant_type": "refresh_token"})
    assert (len(transport.requests), tokens.rejected) == (1, [])


@pytest.mark.parametrize("fault", [httpx.ConnectError(TOKEN), status(401), status(302, location=f"https://e/{TOKEN}"),
                                   httpx.Response(200, text=TOKEN), status(403, x_request_id=TOKEN)])  # fmt: skip
async def test_the_token_is_in_no_error_and_no_log(fault: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    gitlab = client(ScriptedTransport(fault))
    with pytest.raises(GitLabError) as failed:
        await gitlab.get("/user")
    error = failed.value
    shown = f"{error} {error!r} {error.details} {error.request_id} {gitlab!r} {caplog.text}"
    assert TOKEN not in shown
    assert error.__cause__ is None
