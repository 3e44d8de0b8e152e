"""How long the end of a token is tried, with what it is asked for, and when it is given up."""

from contextlib import suppress

import httpx
import pytest

from gitlab_hub.integrations.tokens.revocations import MOST_TRIES, SETTLED_SECONDS
from tests.fakes.events import Context, http_event
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, faulty
from tests.fakes.gitlab import answer
from tests.fakes.oauth import LIFE
from tests.functional.integrations.oauth_hub import OAuthHub
from tests.functional.integrations.tokens.revoking import (
    DAY,
    FOR_EVER,
    REVOKE,
    delete,
    incidents,
    lives,
    noted,
    refuse_only,
    stored,
    sweep,
    tick,
)


def test_pauses_grow_and_a_person_is_told(hub: OAuthHub, one: str) -> None:
    hub.gitlab.fail(REVOKE, answer(503), times=FOR_EVER)
    assert delete(hub, one) == 200
    tries = [hub.gitlab.paths.count(REVOKE)]
    for _ in range(2 * 144):
        tick(hub, after=600)
        tries.append(hub.gitlab.paths.count(REVOKE))
    assert (tries[6], tries[144], tries[288]) == (6, 13, 17)
    [incident] = incidents(hub, one)
    assert incident.details == {"replaced_at": 1_750_000_000, "given_up": False}
    hub.gitlab.faults.clear()
    tick(hub, after=DAY)
    assert (lives(hub), noted(hub), incidents(hub, one)) == ([], [], [])


def test_it_is_given_up_after_four_weeks_and_that_is_said(hub: OAuthHub, one: str) -> None:
    hub.gitlab.fail(REVOKE, answer(503), times=FOR_EVER)
    assert delete(hub, one) == 200
    for _ in range(4 * 40):
        tick(hub, after=DAY / 4)
    [incident] = incidents(hub, one)
    assert (incident.details["given_up"], "does not try again" in incident.hint, noted(hub)) == (True, True, [])
    assert hub.gitlab.paths.count(REVOKE) == 1 + MOST_TRIES


def test_a_version_that_is_kept_no_longer_is_said_at_once(hub: OAuthHub, one: str) -> None:
    hub.gitlab.fail(REVOKE, answer(503))
    version = hub.loaded(one).integration.secret_version
    assert delete(hub, one) == 200
    name = f"integration/{one}"
    del hub.stored_secrets._versions[name][version]  # As Secrets Manager does after a hundred newer ones.
    tick(hub, after=SETTLED_SECONDS)
    assert ([each.details["given_up"] for each in incidents(hub, one)], noted(hub)) == ([True], [])


def test_the_next_authorization_of_the_credential_ends_the_incident(hub: OAuthHub, one: str) -> None:
    hub.gitlab.fail(REVOKE, answer(503))
    version = hub.loaded(one).integration.secret_version
    assert hub.finish(one)[0] == 200
    del hub.stored_secrets._versions[f"integration/{one}"][version]
    tick(hub, after=SETTLED_SECONDS)
    assert len(incidents(hub, one)) == 1
    tick(hub, after=LIFE)
    assert len(incidents(hub, one)) == 1
    assert hub.finish(one)[0] == 200
    assert incidents(hub, one) == []


# ---- with what it is asked for


def test_a_newer_secret_of_the_same_application_is_used(hub: OAuthHub, one: str) -> None:
    hub.gitlab.fail(REVOKE, answer(503))
    assert delete(hub, one) == 200
    hub.gitlab.client_secret = "gloas-renewed"
    tick(hub, after=SETTLED_SECONDS)
    assert len(lives(hub)) == 1
    assert hub("PATCH", f"/v1/integrations/{one}", {"client_secret": "gloas-renewed"})[0] == 200
    tick(hub, after=60)
    assert (lives(hub), noted(hub)) == ([], [])


def test_one_that_cannot_be_ended_keeps_the_others_of_its_gitlab_waiting_and_nobody_else(hub: OAuthHub) -> None:
    one = hub.connected()
    hub.gitlab.fail(REVOKE, answer(503), times=4)
    for _ in range(3):
        assert hub.finish(one)[0] == 200
    tick(hub, after=SETTLED_SECONDS)
    assert (len(lives(hub)), hub.gitlab.paths.count(REVOKE)) == (4, 4)
    tick(hub, after=60)
    assert (lives(hub), noted(hub)) == (stored(hub, one), [])


def test_a_removed_integration_tries_what_was_left_and_says_what_was_not_ended(hub: OAuthHub, one: str) -> None:
    hub.gitlab.fail(REVOKE, answer(503), times=2)
    credential = hub.loaded(one).credential.id
    assert hub.finish(one)[0] == 200
    status, body = hub("DELETE", f"/v1/integrations/{one}")
    assert (status, body["revoke_failed"], len(noted(hub)), len(lives(hub))) == (200, [credential], 1, 1)
    sweep(hub, after=900)
    assert (lives(hub), noted(hub), hub.stored_secrets.dump()) == ([], [], {})


def test_a_removed_integration_tries_for_a_day_and_gives_its_secret_up_then(hub: OAuthHub, one: str) -> None:
    hub.gitlab.fail(REVOKE, answer(503), times=50)
    credential = hub.loaded(one).credential.id
    assert hub("DELETE", f"/v1/integrations/{one}")[1]["revoke_failed"] == [credential]
    assert (hub.purged, hub("GET", f"/v1/integrations/{one}")[0]) == ([one], 404)
    tries = [sweep(hub, after=600) for _ in range(24 * 6 - 1)]
    assert 20 < sum(tries) < 30
    assert (hub.gitlab.paths.count(REVOKE), len(noted(hub))) == (1 + sum(tries), 1)
    assert hub.stored_secrets.dump() != {}
    sweep(hub, after=3600)
    assert (noted(hub), hub.stored_secrets.dump(), len(lives(hub))) == ([], {}, 1)
    assert sweep(hub, after=3600) == 0


def test_what_is_revoked_is_what_was_in_use(hub: OAuthHub, one: str) -> None:
    """The pair of an earlier authorization, which GitLab had not ended, fails once more; the one in use ends."""
    hub.gitlab.fail(REVOKE, answer(503))
    [old] = lives(hub)
    assert hub.finish(one)[0] == 200
    refuse_only(hub, old)
    status, body = hub("DELETE", f"/v1/integrations/{one}")
    assert (status, body["revoked"], len(body["revoke_failed"]), lives(hub)) == (200, True, 1, [old])


def test_a_removed_integration_ends_what_was_left(hub: OAuthHub, one: str) -> None:
    hub.gitlab.fail(REVOKE, answer(503))
    assert delete(hub, one) == 200
    status, body = hub("DELETE", f"/v1/integrations/{one}")
    assert (status, body["revoked"], body["revoke_failed"]) == (200, False, [])  # None was in use any more.
    assert (lives(hub), noted(hub), hub.stored_secrets.dump()) == ([], [], {})


@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", range(1, 34))
@pytest.mark.parametrize("revoke", [True, False])
def test_wherever_a_removal_ends_its_pair_does_too(at: int, applied: bool, revoke: bool) -> None:
    hub = OAuthHub()
    one, plan = hub.connected(), Plan(at=at, applied=applied)
    old = lives(hub)
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    query = {} if revoke else {"revoke": "false"}
    with suppress(Crash):
        hub.api.resolve(http_event("DELETE", f"/v1/integrations/{one}", query=query), Context())
    hub.use(hub.stored_rows, hub.stored_secrets)
    hub.now += 3600
    hub.feature.lifecycle.cleanup_orphans()
    is_gone = not hub.feature.store.exists(one)
    assert lives(hub) == ([] if is_gone and revoke else old)
    assert (noted(hub), len(plan.calls) < 34) == ([], True)
    assert (hub.stored_secrets.dump() == {}) == is_gone


# ---- a pair that was granted and refused


def test_a_pair_that_cannot_be_verified_while_gitlab_is_away_ends_later(hub: OAuthHub) -> None:
    one = hub.start()
    hub.gitlab.fail("/version", httpx.ConnectError("no"), times=FOR_EVER)
    hub.gitlab.fail(REVOKE, httpx.ConnectError("no"), times=2)
    assert hub.finish(one)[0] >= 500
    assert (len(lives(hub)), hub.spilled(hub.stored_rows.dump())) == (1, [])
    tick(hub)
    hub.gitlab.faults = [fault for fault in hub.gitlab.faults if fault.path == REVOKE]
    for _ in range(3):
        tick(hub, after=60)
    assert (lives(hub), noted(hub), hub.integration(one)["status"]) == ([], [], "inactive")
    assert hub.finish(one)[0] == 200
    assert lives(hub) == stored(hub, one)


def test_another_users_pair_ends_later_and_the_first_one_stays(hub: OAuthHub, one: str) -> None:
    hub.gitlab.fail(REVOKE, answer(503))
    status, body = hub.finish(one, user=8)
    assert (status, body["code"], len(lives(hub))) == (409, "gitlab_account_mismatch", 2)
    tick(hub, after=60)
    assert (lives(hub), noted(hub), hub.integration(one)["status"]) == (stored(hub, one), [], "active")


def test_a_duplicates_pair_ends_before_the_unfinished_integrations_secret_goes(hub: OAuthHub, one: str) -> None:
    two = hub.start()
    hub.gitlab.fail(REVOKE, answer(503))
    assert hub.finish(two)[1]["code"] == "duplicate_integration"
    assert len(lives(hub)) == 2
    hub.now += 3600
    hub.feature.lifecycle.cleanup_orphans()
    assert (lives(hub), noted(hub)) == (stored(hub, one), [])
