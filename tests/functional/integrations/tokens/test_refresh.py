"""Renewing a pair: when, how often, and what every failure leaves."""

import asyncio
from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.errors import GitLabError, Unauthorized, Unavailable
from gitlab_hub.integrations.tokens.refresh import TokenNeed
from gitlab_hub.integrations.tokens.replacement import NeedsReauth
from gitlab_hub.integrations.tokens.source import CredentialTokens
from tests.fakes.faults import Plan, faulty
from tests.fakes.gitlab import answer
from tests.fakes.oauth import LIFE
from tests.functional.integrations.oauth_hub import OAuthHub
from tests.functional.integrations.tokens.refreshing import INVALID, TOKEN, attempt, expire, get_credential, states


@pytest.mark.parametrize(("age", "need", "refreshes"), [
    (0, None, 0), (LIFE - 61, None, 0), (LIFE - 60, None, 1), (LIFE + 86_400, None, 1),
    (5399, TokenNeed(early=True), 0), (5400, TokenNeed(early=True), 1),
    (0, TokenNeed(rejected="an older one"), 0),
    (-86_400, None, 0),
])  # fmt: skip
def test_a_pair_is_renewed_when_it_is_time(
    hub: OAuthHub, one: str, age: int, need: TokenNeed | None, refreshes: int
) -> None:
    hub.now += age
    get_credential(hub, one, need)
    assert hub.gitlab.refreshes == refreshes


def test_a_rejected_token_is_renewed_whatever_the_clock_says(hub: OAuthHub, one: str) -> None:
    rejected = hub.loaded(one).tokens.access_token
    hub.now -= 400_000
    renewed = get_credential(hub, one, TokenNeed(rejected=rejected))
    assert renewed.tokens.access_token == hub.gitlab.living[0].access
    assert get_credential(hub, one, TokenNeed(rejected=rejected)) == renewed
    assert hub.gitlab.refreshes == 1


@pytest.mark.parametrize("more", [{}, {"refresh_token": None}, {"refresh_token": ""}, {"refresh_token": 7}])
def test_an_answer_without_a_refresh_token_leaves_the_one_before_in_use(
    hub: OAuthHub, one: str, more: dict[str, Any]
) -> None:
    before = hub.loaded(one).tokens.refresh_token
    expire(hub)
    hub.gitlab.fail(TOKEN, answer(200, {"access_token": "half-canary", "token_type": "Bearer", **more}))
    half = get_credential(hub, one).tokens
    assert (half.access_token, half.refresh_token) == ("half-canary", before)
    assert (
        get_credential(hub, one, TokenNeed(rejected="half-canary")).tokens.access_token == hub.gitlab.living[0].access
    )
    assert states(hub, one) == ("active", "valid")


def test_an_answer_with_another_kind_of_token_is_none_and_costs_nothing(hub: OAuthHub, one: str) -> None:
    before = hub.loaded(one).tokens
    expire(hub)
    hub.gitlab.fail(TOKEN, answer(200, {"access_token": "a", "refresh_token": "b", "token_type": "mac"}))
    assert isinstance(attempt(hub, one), GitLabError)
    assert hub.loaded(one).tokens == before
    hub.now += 400
    assert get_credential(hub, one).tokens.access_token == hub.gitlab.living[0].access


def test_the_successor_stands_at_its_own_version_and_nobody_elses_token_moves(hub: OAuthHub, one: str) -> None:
    before = hub.loaded(one)
    expire(hub)
    after = get_credential(hub, one)
    assert after.credential.generation == before.credential.generation + 1
    assert after.credential.token_version == after.integration.secret_version != before.integration.secret_version
    assert after.contents.application == before.contents.application


def test_with_little_time_left_nothing_is_used_up(hub: OAuthHub, one: str) -> None:
    hub.left = 17.9
    hub.now += LIFE - 30
    assert get_credential(hub, one).tokens == hub.loaded(one).tokens
    hub.now += 60
    with pytest.raises(Unavailable):
        get_credential(hub, one)
    hub.left = 18
    get_credential(hub, one)
    assert hub.gitlab.refreshes == 1


def test_time_that_went_by_while_another_worker_was_waited_for_counts_too(hub: OAuthHub, one: str) -> None:
    expire(hub)
    hub.feature.tokens.leases.take(one, hub.loaded(one).credential.id)

    def wait(seconds: float) -> None:
        hub.now += 31
        hub.left = 10.0

    hub.left = 19.0
    hub.use(hub.stored_rows, hub.stored_secrets, sleep=wait)
    with pytest.raises(Unavailable):
        get_credential(hub, one)
    assert (hub.gitlab.refreshes, len(hub.gitlab.living)) == (0, 1)
    hub.left = 300.0
    assert get_credential(hub, one).tokens.access_token == hub.gitlab.living[0].access


async def test_clients_get_fresh_tokens_before_and_after_a_rejection(hub: OAuthHub, one: str) -> None:
    target = hub.targets.target(one)
    assert target is not None
    tokens = hub.targets.tokens(target)
    first = await tokens.current()
    expire(hub)
    many = await asyncio.gather(*(tokens.current() for _ in range(8)))
    assert (len(set(many)), many[0] != first, hub.gitlab.refreshes) == (1, True, 1)
    renewed = await asyncio.gather(*(tokens.renewed(many[0]) for _ in range(8)))
    assert (len(set(renewed)), hub.gitlab.refreshes) == (1, 2)
    assert await tokens.renewed(first) == renewed[0]
    assert tokens.version == hub.loaded(one).credential.token_version


async def test_a_lost_pair_gives_no_token(hub: OAuthHub, one: str) -> None:
    credential_id = hub.loaded(one).credential.id
    expire(hub)
    hub.gitlab.fail(TOKEN, INVALID, times=9)
    tokens = CredentialTokens(hub.feature.tokens.refresher, one, credential_id)
    for _ in range(3):
        with pytest.raises(Unauthorized):
            await tokens.current()
    assert await tokens.renewed("x") is None
    assert hub.gitlab.refreshes == 1


# ---- what failures leave


@pytest.mark.parametrize("fault", [
    answer(503), answer(500), answer(429, retry_after="17"), httpx.ConnectError("no"), httpx.ConnectTimeout("no"),
])  # fmt: skip
def test_trouble_that_may_pass_changes_nothing_however_often(hub: OAuthHub, one: str, fault: Any) -> None:
    expire(hub)
    for _ in range(6):
        hub.gitlab.fail(TOKEN, fault)
        assert isinstance(attempt(hub, one), GitLabError)
        hub.now += 400
    assert (states(hub, one), hub.told.lost) == (("active", "valid"), [])
    assert get_credential(hub, one).tokens.access_token == hub.gitlab.living[0].access


def test_a_token_that_still_lives_is_given_while_gitlab_is_in_trouble(hub: OAuthHub, one: str) -> None:
    hub.now += LIFE - 30
    hub.gitlab.fail(TOKEN, answer(503))
    assert get_credential(hub, one).tokens.access_token == hub.gitlab.living[0].access


def test_after_trouble_there_is_a_pause(hub: OAuthHub, one: str) -> None:
    hub.now += 6000
    for _ in range(5):
        hub.gitlab.fail(TOKEN, answer(503))
        attempt(hub, one, TokenNeed(early=True))
    assert hub.gitlab.refreshes == 1


def test_a_definite_refusal_needs_a_person(hub: OAuthHub, one: str) -> None:
    expire(hub)
    hub.gitlab.fail(TOKEN, INVALID)
    with pytest.raises(NeedsReauth):
        get_credential(hub, one)
    assert (states(hub, one), hub.told.lost) == (("error", "refresh_failed"), [(one, "invalid_grant")])
    assert hub.scheduled() == []
    assert hub("POST", f"/v1/integrations/{one}/gitlab-token/check")[1]["status"] == "refresh_failed"
    verified = hub("POST", f"/v1/integrations/{one}/verify")[1]
    assert (verified["ok"], verified["code"]) == (False, "invalid_credentials")
    for _ in range(5):
        hub.now += 4000
        attempt(hub, one)
    assert (hub.gitlab.refreshes, len(hub.told.lost)) == (1, 1)


def test_authorizing_again_heals(hub: OAuthHub, one: str) -> None:
    expire(hub)
    hub.gitlab.fail(TOKEN, INVALID)
    attempt(hub, one)
    assert hub.finish(one)[0] == 200
    assert states(hub, one) == ("active", "valid")
    expire(hub)
    get_credential(hub, one)
    assert len(hub.gitlab.living) == 1


def test_an_unknown_outcome_that_had_no_effect_is_mended_by_the_next_call(hub: OAuthHub, one: str) -> None:
    expire(hub)
    hub.gitlab.fail(TOKEN, httpx.ReadTimeout("?"))
    assert states(hub, one) == ("active", "valid")
    attempt(hub, one)
    hub.now += 31
    assert get_credential(hub, one).tokens.access_token == hub.gitlab.living[0].access
    assert (states(hub, one), hub.gitlab.refreshes, hub.told.lost) == (("active", "valid"), 2, [])


def test_a_lost_answer_costs_the_pair_after_one_further_call(hub: OAuthHub, one: str) -> None:
    expire(hub)
    hub.gitlab.lose(TOKEN)
    attempt(hub, one)
    assert (states(hub, one), hub.told.lost) == (("active", "valid"), [])
    for _ in range(4):
        hub.now += 400
        assert isinstance(attempt(hub, one), GitLabError)
    assert (hub.gitlab.refreshes, states(hub, one)[1]) == (2, "refresh_failed")
    assert len(hub.told.lost) == 1


def calls_of(hub: OAuthHub, one: str, need: TokenNeed | None = None) -> list[str]:
    """What a worker that needs a token asks of the table and the secrets, in this order."""
    credential_id, plan = hub.loaded(one).credential.id, Plan()
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    hub.feature.tokens.refresher.get_credential(one, credential_id, need)
    hub.use(hub.stored_rows, hub.stored_secrets)
    return plan.calls


@pytest.mark.parametrize(("age", "need"), [(LIFE, None), (5400, TokenNeed(early=True))])
def test_a_refresh_reads_nothing_again_that_has_not_changed(
    hub: OAuthHub, one: str, age: int, need: TokenNeed | None
) -> None:
    hub.now += age
    asked = ["get", "query", "get", "read"]  # The integration with its credentials, and their tokens.
    leased = ["get", "put", "get", "put"]  # The lease; whether all is as it was; that a call goes out.
    kept = ["write", "transact", "put"]  # The new pair, the rows that point to it, the end of the lease.
    assert calls_of(hub, one, need) == [*asked, *leased, *kept]
    assert len([*asked, *leased, *kept]) <= 12
    # Of one whose pair is fresh, nothing but the token is read.
    assert calls_of(hub, one, need) == asked


def test_a_refresh_during_which_somebody_changes_the_integration_keeps_both(hub: OAuthHub, one: str) -> None:
    expire(hub)

    hub.meanwhile(TOKEN, lambda: hub("PATCH", f"/v1/integrations/{one}", {"display_name": "changed"}))
    got = get_credential(hub, one)
    assert got == hub.loaded(one)
    assert (got.tokens.access_token, got.integration.display_name) == (hub.gitlab.living[0].access, "changed")
