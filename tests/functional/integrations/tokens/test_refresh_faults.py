"""Faults at the token endpoint: only GitLab's own word ends a pair; everything else is tried again until it heals."""

from itertools import pairwise
from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.client import ClientOptions
from gitlab_hub.gitlab.errors import GitLabError, GrantRefused, Unauthorized
from gitlab_hub.integrations.connector import PATIENT
from gitlab_hub.integrations.tokens.lease import LEASE_SECONDS
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from gitlab_hub.integrations.tokens.refresh import LEAST_SECONDS, POLL_SECONDS, POLLS
from gitlab_hub.integrations.verification.codes import family
from tests.fakes.gitlab import ScriptedConnector, answer, html
from tests.functional.integrations.oauth_hub import OAuthHub
from tests.functional.integrations.tokens.refreshing import TOKEN, attempt, expire, is_as_before

JSON = {"content-type": "application/json"}
NOT_GITLABS_OWN = [
    httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("lost"), httpx.ConnectError("no"), httpx.ReadError("reset"),
    html(200), html(401), html(403), html(503), httpx.Response(200), httpx.Response(200, content=b"{", headers=JSON),
    answer(200, {}), answer(200, []), answer(200, {"access_token": None}), answer(200, {"error": "invalid_grant"}),
    answer(302, location="https://sso.example.com/"), answer(401), answer(401, {"message": "401 Unauthorized"}),
    answer(401, {"error": "invalid_token"}), answer(403), answer(403, {"error": "invalid_grant"}), answer(404),
    answer(400), answer(400, {"error": "invalid_request"}), answer(400, {"error": "invalid_scope"}),
    answer(400, {"error": "unsupported_grant_type"}), httpx.Response(400, html="invalid_grant"), answer(408),
    httpx.Response(400, text="invalid_grant"), httpx.Response(400, text='{"error": "invalid_grant"}'),
    httpx.Response(400, content=b'{"error": "invalid_grant"}'), answer(400, {"error": ["invalid_grant"]}),
    answer(418), answer(429, retry_after="17"), answer(500), answer(502), answer(503), answer(504),
]  # fmt: skip


@pytest.mark.parametrize("fault", NOT_GITLABS_OWN, ids=repr)
def test_what_is_not_gitlabs_own_refusal_ends_nothing_however_long_it_lasts(
    hub: OAuthHub, one: str, fault: Any
) -> None:
    expire(hub)
    hub.gitlab.fail(TOKEN, fault, times=40)
    for _ in range(40):
        error = attempt(hub, one)
        assert isinstance(error, GitLabError)
        assert not isinstance(error, (Unauthorized, GrantRefused)), "nobody has looked at the token"
        assert (family(error.code), error.http_status) == (None, None), (
            "it says nothing of the call that was to be made"
        )
        hub.now += 400
    is_as_before(hub, one)
    found = attempt(hub, one)
    assert isinstance(found, LoadedCredential)
    assert found.tokens.access_token == hub.gitlab.living[0].access
    assert [incident.kind for incident in hub.feature.incidents.of(one)] == []


@pytest.mark.parametrize("fault", [answer(401), html(), httpx.ReadTimeout("?")], ids=repr)
def test_pauses_grow_so_that_there_is_never_a_tight_loop(hub: OAuthHub, one: str, fault: Any) -> None:
    expire(hub)
    hub.gitlab.fail(TOKEN, fault, times=10_000)
    tries = []
    started, waits = hub.now, set()
    for _ in range(3600):
        before = hub.gitlab.refreshes
        error = attempt(hub, one)
        assert isinstance(error, GitLabError)
        waits.add(error.retry_after)
        if hub.gitlab.refreshes > before:
            tries.append(hub.now - started)
        hub.now += 1
    assert tries[:7] == [0, 5, 15, 35, 75, 155, 315]
    assert max(b - a for a, b in pairwise(tries)) == 300
    assert waits - {None} <= set(range(1, 301))


def test_a_pause_costs_nobody_time(hub: OAuthHub, one: str) -> None:
    expire(hub)
    hub.gitlab.fail(TOKEN, answer(401))
    attempt(hub, one)
    at = hub.now
    for _ in range(5):
        attempt(hub, one)
    assert hub.now == at


def test_what_lasts_is_an_incident_until_it_is_over(hub: OAuthHub, one: str) -> None:
    expire(hub)
    hub.gitlab.fail(TOKEN, html(), times=8)
    for _ in range(8):
        attempt(hub, one)
        hub.now += 400
    [incident] = hub.feature.incidents.of(one)
    assert (incident.kind, incident.details["code"]) == ("credential_not_renewed", "not_gitlab")
    assert hub.told.waiting == [(one, "not_gitlab")]
    assert isinstance(attempt(hub, one), LoadedCredential)
    assert list(hub.feature.incidents.of(one)) == []


CALLS = [
    ("POST", "/verify"), ("POST", "/gitlab-token/check"), ("GET", "/repositories"), ("PATCH", ""),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_refused_token_is_renewed_first(hub: OAuthHub, one: str, method: str, path: str) -> None:
    hub.gitlab.expire()
    body = {"features": {"manage_webhooks": True}} if method == "PATCH" else None
    if method == "PATCH":
        hub.gitlab.pairs[-1].scopes.append("api")
    status, answered = hub(method, f"/v1/integrations/{one}{path}", body)
    assert status == 200, answered
    assert answered.get("ok", True), answered
    assert answered.get("status", "valid") == "valid"
    is_as_before(hub, one)
    assert hub.gitlab.refreshes == 1


def test_a_verification_with_a_renewed_token_says_what_it_may(hub: OAuthHub, one: str) -> None:
    hub.gitlab.expire()
    hub.gitlab.pairs[-1].scopes = ["read_user"]
    answered = hub("POST", f"/v1/integrations/{one}/verify")[1]
    assert (answered["code"], hub.integration(one)["credential_status"]) == ("invalid_permissions", "rejected")


def test_a_token_that_is_refused_in_the_middle_is_renewed_there(hub: OAuthHub, one: str) -> None:
    def ends(path: str) -> None:
        if path == "/version":
            hub.gitlab.expire()

    hub.gitlab.on_done = ends
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["ok"] is True
    assert hub.gitlab.refreshes == 1


def test_the_verdict_is_about_the_token_that_was_used_last(hub: OAuthHub, one: str) -> None:
    """GitLab refuses the first token and every one after it: that is definite."""
    hub.gitlab.on_call = lambda _path: hub.gitlab.expire()
    for path in ("verify", "gitlab-token/check"):
        hub("POST", f"/v1/integrations/{one}/{path}")
    shown = hub.integration(one)
    assert (shown["status"], shown["credential_status"]) == ("error", "rejected")


@pytest.mark.parametrize("fault", [answer(503), answer(401), html(), httpx.ReadTimeout("?")], ids=repr)
@pytest.mark.parametrize("path", ["verify", "gitlab-token/check"])
def test_a_refused_token_that_cannot_be_renewed_now_is_not_judged(
    hub: OAuthHub, one: str, path: str, fault: Any
) -> None:
    hub.gitlab.expire()
    hub.gitlab.fail(TOKEN, fault)
    status, answered = hub("POST", f"/v1/integrations/{one}/{path}")
    assert status == 200
    assert answered.get("code") != "invalid_credentials"
    assert answered.get("status") in (None, "unknown")
    is_as_before(hub, one)


@pytest.mark.parametrize(("deadline", "kept"), [(0.5, True), (0.05, False)])
def test_a_slow_answer_is_waited_for_where_it_matters(hub: OAuthHub, one: str, deadline: float, kept: bool) -> None:
    """The client that uses tokens up is a more patient one than the client that people wait for."""
    hub.patient = ScriptedConnector(hub.gitlab, options=ClientOptions(deadline=deadline))
    hub.use(hub.stored_rows, hub.stored_secrets)
    expire(hub)
    hub.gitlab.slow[TOKEN] = 0.2
    assert isinstance(attempt(hub, one), LoadedCredential) is kept


def test_the_time_that_is_demanded_is_the_time_that_a_call_may_take() -> None:
    assert min(PATIENT.deadline, PATIENT.read_timeout) >= 15
    assert PATIENT.deadline + 3 <= LEAST_SECONDS < LEASE_SECONDS
    assert POLLS * POLL_SECONDS >= LEAST_SECONDS
