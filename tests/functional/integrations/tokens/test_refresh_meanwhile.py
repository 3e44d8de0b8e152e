"""What others do while a pair is renewed: one lives, and it is the one that is stored."""

from typing import Any

from gitlab_hub.gitlab.errors import Unauthorized
from gitlab_hub.integrations.tokens.replacement import NeedsReauth
from tests.fakes.faults import Crash, Plan, faulty
from tests.functional.integrations.oauth_hub import OAuthHub, aside
from tests.functional.integrations.tokens.refreshing import INVALID, TOKEN, attempt, expire, get_credential, states


def test_a_refusal_while_a_newer_pair_is_stored_uses_that_one(hub: OAuthHub, one: str) -> None:
    """B10: another worker renewed between our look and our call."""
    expire(hub)
    rival = hub.beside(later=100)
    # By its clock, our lease has run out.
    hub.meanwhile(TOKEN, lambda: get_credential(rival, one))
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
    rival = hub.beside(later=100)
    # A look at the token, one for a successor (our call is noted already), then its own is kept.
    plan = Plan(at=3, applied=True)
    rival.use(hub.stored_rows, faulty(hub.stored_secrets, plan))

    hub.meanwhile(TOKEN, lambda: attempt(rival, one))
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
    rival = hub.beside(later=100)
    gone: list[Any] = []

    hub.meanwhile(TOKEN, lambda: gone.append(attempt(rival, one)), done=True)
    get_credential(hub, one)
    assert isinstance(gone[0], NeedsReauth)
    assert (states(hub, one), len(hub.gitlab.living)) == (("active", "valid"), 1)


def test_a_new_authorization_is_never_replaced_by_an_older_pair(hub: OAuthHub, one: str) -> None:
    expire(hub)

    def overtaken() -> None:
        assert hub.finish(one)[0] == 200

    hub.meanwhile(TOKEN, overtaken, done=True)
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

    hub.meanwhile(TOKEN, lambda: hub.feature.lifecycle.delete(one), done=True)
    assert isinstance(attempt(hub, one), Unauthorized)
    assert (hub.gitlab.living, hub.stored_secrets.dump(), hub.told.lost) == ([], {}, [])


def test_a_lease_of_a_clock_that_went_wrong_does_not_last(hub: OAuthHub, one: str) -> None:
    expire(hub)
    credential_id = hub.loaded(one).credential.id
    hub.now += 10**7
    assert hub.feature.tokens.leases.take(one, credential_id) is not None
    hub.now -= 10**7
    get_credential(hub, one)
