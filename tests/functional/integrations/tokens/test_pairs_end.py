"""Pairs that were replaced or removed end in GitLab, also those that were just being renewed: one lives, or none."""

import random
from collections.abc import Iterable
from itertools import chain, repeat
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from tests.fakes.events import Context, http_event
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, a_third, faulty
from tests.fakes.gitlab import CANARY, OTHER_CANARY
from tests.fakes.interleaving import Interleaving
from tests.fakes.oauth import LIFE
from tests.functional.integrations.oauth_hub import PATH, OAuthHub, aside
from tests.functional.integrations.tokens.refreshing import TOKEN, attempt, expired

LONGEST = 40


def assert_only_the_stored_pair_lives(hub: OAuthHub, one: str) -> None:
    assert [token_pair.refresh for token_pair in hub.gitlab.living] == [hub.loaded(one).tokens.refresh_token]


def assert_both_end_well(schedule: Iterable[int]) -> None:
    """Let one worker renew the pair while somebody authorizes again, in this order of their steps."""
    hub, one = expired()
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    credential_id = hub.loaded(one).credential.id
    turns = Interleaving(schedule)
    hub.use(turns.wrapped(hub.stored_rows), turns.wrapped(hub.stored_secrets), sleep=turns.sleep)
    hub.gitlab.on_call = lambda path: turns.step() if path.startswith("/oauth/") else None
    refresher = hub.feature.tokens.refresher
    body = {"integration_id": one, "code": code, "state": state}
    event = http_event("POST", f"{PATH}/authorize", body)

    def authorize() -> Any:
        return hub.api.resolve(event, Context())["statusCode"]

    def renew() -> Any:
        return refresher.get_credential(one, credential_id)

    renewed, authorized = turns.run(renew, authorize)
    assert authorized == 200
    assert isinstance(renewed, LoadedCredential), renewed
    hub.gitlab.on_call = lambda _path: None
    hub.use(hub.stored_rows, hub.stored_secrets)
    assert_only_the_stored_pair_lives(hub, one)
    assert (hub.integration(one)["status"], hub.told.lost) == ("active", [])


@pytest.mark.parametrize("first", range(0, LONGEST, 4))
def test_an_authorization_that_races_a_refresh_leaves_one_pair(first: int) -> None:
    for second in a_third(LONGEST, first=first):
        assert_both_end_well(chain(repeat(0, first), repeat(1, second), repeat(0, 300)))
        assert_both_end_well(chain(repeat(1, first), repeat(0, second), repeat(1, 300)))


@pytest.mark.parametrize("seed", range(40))
def test_in_any_order_too(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a schedule, not a secret
    assert_both_end_well([draw.randrange(2) for _ in range(150)])


@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", range(1, 20))
def test_what_a_crashed_worker_has_kept_ends_with_the_next_authorization(at: int, applied: bool) -> None:
    hub, one = expired()
    plan = Plan(at=at, applied=applied)
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    attempt(hub, one)
    hub.use(hub.stored_rows, hub.stored_secrets)
    kept = plan.calls[at - 1 :] != ["write"] or applied
    assert hub.finish(one)[0] == 200
    if kept:
        assert_only_the_stored_pair_lives(hub, one)
    # Else nobody knows of the pair: its worker ended before it could write it down.
    assert hub.integration(one)["status"] == "active"


def test_what_a_worker_keeps_behind_the_new_authorization_and_ends_is_ended_by_the_next_renewal() -> None:
    hub, one = expired()
    plan = Plan()
    hub.use(hub.stored_rows, faulty(hub.stored_secrets, plan))

    def authorized() -> None:
        assert hub.beside().finish(one)[0] == 200
        plan.at, plan.applied = len(plan.calls) + 1, True  # Keeps its pair, and ends.

    hub.meanwhile(TOKEN, authorized, done=True)
    assert isinstance(attempt(hub, one), Crash)
    assert len(hub.gitlab.living) == 2
    hub.use(hub.stored_rows, hub.stored_secrets)
    hub.now += LIFE
    hub.gitlab.expire()
    assert isinstance(attempt(hub, one), LoadedCredential)
    assert_only_the_stored_pair_lives(hub, one)


# ---- a credential that is deleted


def delete(hub: OAuthHub, one: str) -> int:
    body = {"id": hub.loaded(one).credential.id}
    return hub("POST", f"/api/connections/{one}/credentials.delete", body)[0]


def test_a_deleted_credential_ends_its_pair() -> None:
    hub = OAuthHub()
    one = hub.connected()
    assert delete(hub, one) == 200
    assert hub.gitlab.living == []


def test_a_deleted_access_token_is_its_owners() -> None:
    hub = OAuthHub()
    body = {"host_url": "https://gitlab.example.com", "auth_mode": "personal_token", "access_token": CANARY}
    one = hub("POST", f"{PATH}/start", body)[1]["integration"]["id"]
    assert delete(hub, one) == 200
    assert hub.gitlab.pats[CANARY].alive


@pytest.mark.parametrize("moment", ["on_call", "on_done"])
@pytest.mark.parametrize("removal", ["credential", "integration"])
def test_a_pair_that_is_renewed_while_it_is_removed_ends_too(moment: str, removal: str) -> None:
    hub, one = expired()

    def removed(path: str) -> None:
        if path == TOKEN:
            setattr(hub.gitlab, moment, lambda _path: None)
            other = hub.beside()
            done = delete(other, one) if removal == "credential" else other("DELETE", f"/v1/integrations/{one}")[0]
            assert done == 200

    setattr(hub.gitlab, moment, lambda path: aside(lambda: removed(path)) if path == TOKEN else None)
    assert isinstance(attempt(hub, one), GitLabError)
    assert hub.gitlab.living == []


def test_a_rotated_token_that_comes_too_late_ends() -> None:
    """Somebody gives another token while the old one is being rotated: the new one of the rotation is nobody's."""
    hub = OAuthHub()
    body = {"host_url": "https://gitlab.example.com", "auth_mode": "personal_token", "access_token": CANARY}
    one = hub("POST", f"{PATH}/start", body)[1]["integration"]["id"]
    hub.gitlab.pats[OTHER_CANARY] = type(hub.gitlab.pats[CANARY])(token=OTHER_CANARY, family=2)
    hub.gitlab._refresh_users()

    def replaced() -> None:
        put = hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": OTHER_CANARY})
        assert put[0] == 200

    hub.meanwhile("/personal_access_tokens/self/rotate", replaced, done=True)
    hub("POST", f"/v1/integrations/{one}/gitlab-token/rotate")
    assert [token for token, pat in hub.gitlab.pats.items() if pat.alive] == [OTHER_CANARY]
    assert hub.loaded(one).tokens.access_token == OTHER_CANARY
