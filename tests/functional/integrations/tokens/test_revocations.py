"""What was replaced or removed ends in GitLab also when GitLab is away at that moment, or the process ends there."""

from contextlib import suppress
from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.integrations.tokens.due import RETRY_SECONDS
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from gitlab_hub.integrations.tokens.revocations import MOST_TRIES, SETTLED_SECONDS
from gitlab_hub.storage.ports import StorageUnavailable
from tests.fakes.events import Context, http_event
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, faulty
from tests.fakes.gitlab import CANARY, HOST, OTHER_CANARY, answer, html
from tests.fakes.oauth import LIFE, Pat
from tests.functional.integrations.oauth_hub import PATH, OAuthHub, aside

REVOKE, TOKEN, KIND = "/oauth/revoke", "/oauth/token", "credential_not_revoked"
DAY = 86_400
TROUBLES = [answer(503), answer(429), httpx.ConnectError("no"), httpx.ReadTimeout("?"), html(200), answer(403)]
FOR_EVER = 10_000


@pytest.fixture
def hub() -> OAuthHub:
    return OAuthHub()


@pytest.fixture
def one(hub: OAuthHub) -> str:
    return hub.connected()


def tick(hub: OAuthHub, *, after: float = 0) -> None:
    hub.now += after
    hub.feature.tokens.monitor(rotate=False).tick(lambda: 900.0)


def sweep(hub: OAuthHub, *, after: float) -> int:
    hub.now += after
    return hub.feature.lifecycle.cleanup_orphans()


def refuse_only(hub: OAuthHub, refresh_token: str) -> None:
    step: Any = hub.gitlab.script[REVOKE]
    hub.gitlab.script[REVOKE] = lambda sent: answer(503) if refresh_token in sent.content.decode() else step(sent)


def delete(hub: OAuthHub, one: str) -> int:
    return hub("POST", f"/api/connections/{one}/credentials.delete", {"id": hub.loaded(one).credential.id})[0]


def replace(hub: OAuthHub, one: str) -> int:
    return hub.finish(one)[0]


def noted(hub: OAuthHub) -> list[Any]:
    return [item for item in hub.stored_rows.dump() if str(item["sk"]).startswith("REVOCATION#")]


def incidents(hub: OAuthHub, one: str) -> list[Any]:
    return [incident for incident in hub.feature.incidents.of(one) if incident.kind == KIND]


def lives(hub: OAuthHub) -> list[str]:
    return [token_pair.refresh for token_pair in hub.gitlab.living]


def stored(hub: OAuthHub, one: str) -> list[str | None]:
    live = [each for each in hub.feature.store.holding(one).credentials if each.live]
    return [hub.loaded(one).tokens.refresh_token] if live else []


@pytest.mark.parametrize("change", [replace, delete])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_it_ends_when_gitlab_is_back(hub: OAuthHub, one: str, trouble: Any, change: Any) -> None:
    hub.gitlab.fail(REVOKE, trouble, times=3)
    assert change(hub, one) == 200
    living = len(lives(hub))
    for _ in range(4):
        tick(hub, after=SETTLED_SECONDS)
    tick(hub, after=600)
    assert (living, lives(hub), noted(hub)) == (1 + len(stored(hub, one)), stored(hub, one), [])


@pytest.mark.parametrize("change", [replace, delete])
def test_what_ended_at_once_is_looked_at_once_more_and_dropped(hub: OAuthHub, one: str, change: Any) -> None:
    assert change(hub, one) == 200
    assert (lives(hub), len(noted(hub))) == (stored(hub, one), 1)
    tick(hub)
    assert len(noted(hub)) == 1
    tick(hub, after=SETTLED_SECONDS)
    asked = hub.gitlab.paths.count(REVOKE)
    assert (lives(hub), noted(hub), asked) == (stored(hub, one), [], 2)
    tick(hub, after=DAY)
    assert hub.gitlab.paths.count(REVOKE) == asked


def test_no_secret_is_in_a_row(hub: OAuthHub, one: str) -> None:
    hub.gitlab.fail(REVOKE, answer(503), times=FOR_EVER)
    assert hub.finish(one)[0] == 200
    tick(hub, after=SETTLED_SECONDS)
    [row] = noted(hub)
    assert (row["tries"], hub.spilled(hub.stored_rows.dump())) == (1, [])


def requested(hub: OAuthHub, one: str, what: str) -> Any:
    """What is sent to the hub, prepared so that only the request itself meets the fault."""
    if what == "delete":
        body = {"id": hub.loaded(one).credential.id}
        return http_event("POST", f"/api/connections/{one}/credentials.delete", body)
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    return http_event("POST", f"{PATH}/authorize", {"integration_id": one, "code": code, "state": state})


def crashed(what: str, at: int, *, applied: bool) -> tuple[OAuthHub, str, Plan]:
    hub = OAuthHub()
    one = hub.connected()
    event, plan = requested(hub, one, what), Plan(at=at, applied=applied)
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    with suppress(Crash):
        hub.api.resolve(event, Context())
    hub.use(hub.stored_rows, hub.stored_secrets)
    return hub, one, plan


@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", range(1, 40))
@pytest.mark.parametrize("what", ["replace", "delete"])
def test_wherever_the_process_ends_the_old_pair_does_too(what: str, at: int, applied: bool) -> None:
    hub, one, plan = crashed(what, at, applied=applied)
    old = hub.gitlab.pairs[0].refresh
    tick(hub, after=SETTLED_SECONDS)
    assert (old in lives(hub)) == (stored(hub, one) == [old])
    assert (noted(hub), len(plan.calls) < 40) == ([], True)


@CRASH_OR_OUTAGE
@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", range(1, 34))
def test_wherever_the_caretaker_ends_the_next_one_goes_on(at: int, applied: bool, error: Any) -> None:
    hub = OAuthHub()
    one = hub.connected()
    hub.gitlab.fail(REVOKE, answer(503))
    assert hub.finish(one)[0] == 200
    plan = Plan(at=at, applied=applied, error=error)
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    hub.now += SETTLED_SECONDS
    with suppress(Crash, StorageUnavailable):
        tick(hub)
    hub.use(hub.stored_rows, hub.stored_secrets)
    tick(hub, after=RETRY_SECONDS)
    assert (lives(hub), noted(hub), len(plan.calls) < 34) == (stored(hub, one), [], True)


# ---- what a worker is given at that very moment


@pytest.mark.parametrize("change", [replace, delete])
@pytest.mark.parametrize("trouble", ["crash", "away"])
def test_what_a_renewal_brings_too_late_ends(hub: OAuthHub, one: str, change: Any, trouble: str) -> None:
    hub.now += LIFE
    hub.gitlab.expire()
    credential_id, plan = hub.loaded(one).credential.id, Plan()
    hub.use(hub.stored_rows, faulty(hub.stored_secrets, plan))

    def changed(path: str) -> None:
        if path == TOKEN:
            hub.gitlab.on_done = lambda _path: None
            other = OAuthHub(hub.gitlab)
            other.use(hub.stored_rows, hub.stored_secrets)
            other.now = hub.now
            assert aside(lambda: change(other, one)) == 200
            if trouble == "crash":
                plan.at, plan.applied = len(plan.calls) + 1, True
            else:
                hub.gitlab.fail(REVOKE, answer(503), times=2)

    hub.gitlab.on_done = changed
    try:
        result: LoadedCredential | BaseException = hub.feature.tokens.refresher.get_credential(one, credential_id)
    except (GitLabError, Crash) as error:
        result = error
    assert isinstance(result, Crash) == (trouble == "crash")
    hub.use(hub.stored_rows, hub.stored_secrets)
    assert len(lives(hub)) == 1 + len(stored(hub, one))
    tick(hub, after=SETTLED_SECONDS)
    tick(hub, after=60)
    assert (lives(hub), noted(hub)) == (stored(hub, one), [])


def test_what_a_rotation_brings_too_late_ends(hub: OAuthHub) -> None:
    body = {"host_url": HOST, "auth_mode": "personal_token", "access_token": CANARY}
    one = hub("POST", f"{PATH}/start", body)[1]["integration"]["id"]
    hub.gitlab.pats[OTHER_CANARY] = Pat(token=OTHER_CANARY, family=2)
    hub.gitlab._refresh_users()

    def replaced(path: str) -> None:
        if path.endswith("/rotate"):
            hub.gitlab.on_done = lambda _path: None
            put = aside(lambda: hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": OTHER_CANARY}))
            assert put[0] == 200
            hub.gitlab.fail("/personal_access_tokens/self", answer(503))

    hub.gitlab.on_done = replaced
    hub("POST", f"/v1/integrations/{one}/gitlab-token/rotate")
    assert [token for token, pat in hub.gitlab.pats.items() if pat.alive] != [OTHER_CANARY]
    tick(hub, after=SETTLED_SECONDS)
    assert [token for token, pat in hub.gitlab.pats.items() if pat.alive] == [OTHER_CANARY]
    assert noted(hub) == []


def test_a_token_that_somebody_replaced_by_hand_stays_its_owners(hub: OAuthHub) -> None:
    body = {"host_url": HOST, "auth_mode": "personal_token", "access_token": CANARY}
    one = hub("POST", f"{PATH}/start", body)[1]["integration"]["id"]
    hub.gitlab.pats[OTHER_CANARY] = Pat(token=OTHER_CANARY, family=2)
    hub.gitlab._refresh_users()
    assert hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": OTHER_CANARY})[0] == 200
    tick(hub, after=SETTLED_SECONDS)
    assert (noted(hub), hub.gitlab.pats[CANARY].alive, hub.gitlab.pats[OTHER_CANARY].alive) == ([], True, True)


def test_renewals_leave_nothing_to_be_ended(hub: OAuthHub, one: str) -> None:
    for _ in range(3):
        tick(hub, after=LIFE)
    assert (hub.gitlab.refreshes, noted(hub), hub.gitlab.paths.count(REVOKE)) == (3, [], 0)


# ---- how long it is tried


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
@pytest.mark.parametrize("at", range(1, 30))
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
    assert (noted(hub), len(plan.calls) < 30) == ([], True)
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
