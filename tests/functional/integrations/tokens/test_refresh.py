"""Renewing a pair: when, how often, what every failure leaves, and that a pair is never lost that could be found."""

import asyncio
from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.errors import GitLabError, Unauthorized, Unavailable
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from gitlab_hub.integrations.tokens.refresh import TokenNeed
from gitlab_hub.integrations.tokens.replacement import NeedsReauth
from gitlab_hub.integrations.tokens.source import CredentialTokens
from gitlab_hub.storage.ports import StorageUnavailable
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, faulty, unavailable
from tests.fakes.gitlab import answer
from tests.fakes.oauth import LIFE
from tests.functional.integrations.oauth_hub import OAuthHub, aside

TOKEN = "/oauth/token"
INVALID = answer(400, {"error": "invalid_grant"})


@pytest.fixture
def hub() -> OAuthHub:
    return OAuthHub()


@pytest.fixture
def one(hub: OAuthHub) -> str:
    return hub.connected()


def get_credential(hub: OAuthHub, one: str, need: TokenNeed | None = None) -> LoadedCredential:
    credential = next(each for each in hub.feature.store.holding(one).credentials if each.live)
    return hub.feature.tokens.refresher.get_credential(one, credential.id, need)


def attempt(hub: OAuthHub, one: str, need: TokenNeed | None = None) -> LoadedCredential | BaseException:
    try:
        return get_credential(hub, one, need)
    except (GitLabError, StorageUnavailable, Crash) as error:
        return error


def expire(hub: OAuthHub) -> None:
    hub.now += LIFE
    hub.gitlab.expire()


def states(hub: OAuthHub, one: str) -> tuple[str, str]:
    shown = hub.integration(one)
    return shown["status"], shown["credential_status"]


# ---- when


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


@pytest.mark.parametrize("trouble", [
    answer(503), answer(500), answer(429, retry_after="17"), httpx.ConnectError("no"), httpx.ConnectTimeout("no"),
])  # fmt: skip
def test_trouble_that_may_pass_changes_nothing_however_often(hub: OAuthHub, one: str, trouble: Any) -> None:
    expire(hub)
    for _ in range(6):
        hub.gitlab.fail(TOKEN, trouble)
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

    def renamed(path: str) -> None:
        if path == TOKEN:
            hub.gitlab.on_call = lambda _path: None
            aside(lambda: hub("PATCH", f"/v1/integrations/{one}", {"display_name": "changed"}))

    hub.gitlab.on_call = renamed
    got = get_credential(hub, one)
    assert got == hub.loaded(one)
    assert (got.tokens.access_token, got.integration.display_name) == (hub.gitlab.living[0].access, "changed")


# ---- what others did meanwhile


def test_a_refusal_while_a_newer_pair_is_stored_uses_that_one(hub: OAuthHub, one: str) -> None:
    """B10: another worker renewed between our look and our call."""
    expire(hub)
    rival = OAuthHub(hub.gitlab)
    rival.stored_rows, rival.stored_secrets, rival.now = hub.stored_rows, hub.stored_secrets, hub.now + 100
    rival.use(hub.stored_rows, hub.stored_secrets)

    def overtaken(path: str) -> None:
        if path == TOKEN:
            hub.gitlab.on_call = lambda _path: None
            aside(lambda: get_credential(rival, one))  # By its clock, our lease has run out.

    hub.gitlab.on_call = overtaken
    got = get_credential(hub, one)
    assert got.tokens.access_token == hub.gitlab.living[0].access
    assert (states(hub, one), hub.told.lost, rival.told.lost) == (("active", "valid"), [], [])


def test_a_pair_that_a_crashed_worker_has_kept_is_found(hub: OAuthHub, one: str) -> None:
    expire(hub)
    plan = Plan()
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    get_credential(hub, one)
    at = plan.calls.index("write") + 1
    later = OAuthHub()
    two = later.connected()
    expire(later)
    plan = Plan(at=at, applied=True)
    later.use(faulty(later.stored_rows, plan), faulty(later.stored_secrets, plan))
    assert isinstance(attempt(later, two), Crash)
    later.use(later.stored_rows, later.stored_secrets)
    later.now += 31
    assert get_credential(later, two).tokens.access_token == later.gitlab.living[0].access
    assert (later.gitlab.refreshes, states(later, two)) == (1, ("active", "valid"))


def test_a_refusal_finds_what_a_faster_worker_has_kept_before_it_crashed(hub: OAuthHub, one: str) -> None:
    expire(hub)
    rival = OAuthHub(hub.gitlab)
    # A look at the token, one for a successor (our call is noted already), then its own is kept.
    plan = Plan(at=3, applied=True)
    rival.use(hub.stored_rows, faulty(hub.stored_secrets, plan))
    rival.now = hub.now + 100

    def overtaken(path: str) -> None:
        if path == TOKEN:
            hub.gitlab.on_call = lambda _path: None
            aside(lambda: attempt(rival, one))

    hub.gitlab.on_call = overtaken
    got = get_credential(hub, one)
    assert (plan.calls[-1], len(plan.calls)) == ("write", 3)
    assert got.tokens.access_token == hub.gitlab.living[0].access
    assert (states(hub, one), hub.told.lost) == (("active", "valid"), [])


async def test_what_is_lost_stays_lost_whatever_a_sync_says_of_its_last_token(hub: OAuthHub, one: str) -> None:
    target = hub.targets.target(one)
    assert target is not None
    tokens = hub.targets.tokens(target)
    token = await tokens.current()
    hub.gitlab.fail(TOKEN, INVALID)
    assert await tokens.renewed(token) is None
    for judge in (hub.targets.mark_valid, hub.targets.mark_rejected):
        judge(target)
        assert states(hub, one) == ("error", "refresh_failed")


def test_a_slow_worker_heals_what_was_given_up_for_lost(hub: OAuthHub, one: str) -> None:
    expire(hub)
    rival = OAuthHub(hub.gitlab)
    rival.use(hub.stored_rows, hub.stored_secrets)
    rival.now = hub.now + 100
    gone: list[Any] = []

    def slow(path: str) -> None:
        if path == TOKEN:
            hub.gitlab.on_done = lambda _path: None
            gone.append(aside(lambda: attempt(rival, one)))

    hub.gitlab.on_done = slow
    get_credential(hub, one)
    assert isinstance(gone[0], NeedsReauth)
    assert (states(hub, one), len(hub.gitlab.living)) == (("active", "valid"), 1)


def test_a_new_authorization_is_never_replaced_by_an_older_pair(hub: OAuthHub, one: str) -> None:
    expire(hub)

    def overtaken(path: str) -> None:
        if path == TOKEN:
            hub.gitlab.on_done = lambda _path: None
            assert aside(lambda: hub.finish(one))[0] == 200

    hub.gitlab.on_done = overtaken
    got = get_credential(hub, one)
    assert got.tokens.access_token == hub.loaded(one).tokens.access_token == hub.gitlab.pairs[-1].access
    assert hub.integration(one)["credential_status"] == "valid"


def test_a_new_authorization_is_not_marked_lost_with_the_pair_before_it(hub: OAuthHub, one: str) -> None:
    expire(hub)
    hub.gitlab.fail(TOKEN, INVALID)

    def overtaken() -> None:
        assert aside(lambda: hub.finish(one))[0] == 200

    hub.told.on_lost = overtaken
    assert get_credential(hub, one).tokens.access_token == hub.gitlab.pairs[-1].access
    assert states(hub, one) == ("active", "valid")


def test_a_pair_for_an_integration_that_was_removed_meanwhile_ends(hub: OAuthHub, one: str) -> None:
    expire(hub)

    def removed(path: str) -> None:
        if path == TOKEN:
            hub.gitlab.on_done = lambda _path: None
            hub.feature.lifecycle.delete(one)

    hub.gitlab.on_done = removed
    assert isinstance(attempt(hub, one), Unauthorized)
    assert (hub.gitlab.living, hub.stored_secrets.dump(), hub.told.lost) == ([], {}, [])


def test_a_lease_of_a_clock_that_went_wrong_does_not_last(hub: OAuthHub, one: str) -> None:
    expire(hub)
    credential_id = hub.loaded(one).credential.id
    hub.now += 10**7
    assert hub.feature.tokens.leases.take(one, credential_id) is not None
    hub.now -= 10**7
    get_credential(hub, one)


# ---- a crash or a failing store at every single call


def calls_of_a_refresh() -> int:
    hub, plan = OAuthHub(), Plan()
    one = hub.connected()
    expire(hub)
    hub.use_faulty(plan)
    get_credential(hub, one)
    return len(plan.calls)


CALLS = range(1, 28)


def test_every_call_of_a_refresh_is_tried() -> None:
    assert calls_of_a_refresh() < max(CALLS)


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
@pytest.mark.parametrize("at", CALLS)
def test_wherever_it_ends_the_pair_is_found_or_a_person_is_told(at: int, error: Any, applied: bool) -> None:
    hub = OAuthHub()
    one = hub.connected()
    expire(hub)
    plan = Plan(at=at, error=error, applied=applied)
    hub.use_faulty(plan)
    attempt(hub, one)
    hub.heal()
    after_crash = hub.gitlab.refreshes
    results = []
    for _ in range(4):
        hub.now += 400
        results.append(attempt(hub, one))
    assert hub.gitlab.refreshes <= after_crash + 1
    if isinstance(results[-1], LoadedCredential):
        assert results[-1].tokens.access_token == hub.gitlab.living[0].access
        assert (states(hub, one), hub.told.lost) == (("active", "valid"), [])
        return
    # Only an answer that no store has seen is lost for good.
    assert plan.calls[at - 1] == (TOKEN if applied else "write")
    assert (states(hub, one)[1], len(hub.told.lost)) == ("refresh_failed", 1)


def test_a_store_that_fails_for_a_moment_does_not_cost_the_pair(hub: OAuthHub, one: str) -> None:
    expire(hub)

    class Shaky:
        left = 3

        def __getattr__(self, name: str) -> Any:
            return getattr(hub.stored_secrets, name)

        def write(self, *args: Any, **more: Any) -> None:
            if self.left:
                self.left -= 1
                raise unavailable()
            hub.stored_secrets.write(*args, **more)

    hub.use(hub.stored_rows, Shaky())
    assert get_credential(hub, one).tokens.access_token == hub.gitlab.living[0].access
    assert hub.gitlab.refreshes == 1


def test_no_secret_is_in_a_row_an_answer_or_the_log(hub: OAuthHub, one: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    expire(hub)
    get_credential(hub, one)
    expire(hub)
    hub.gitlab.fail(TOKEN, answer(400, {"error": "invalid_grant", "error_description": hub.gitlab.living[0].refresh}))
    error = attempt(hub, one)
    answers = [hub.integration(one), hub("POST", f"/v1/integrations/{one}/verify"), hub.told, repr(error), str(error)]
    assert isinstance(error, GitLabError)
    assert not hub.spilled(hub.stored_rows.dump(), answers, error.details, caplog.text)
