"""What was replaced or removed ends in GitLab also when GitLab is away at that moment, or the process ends there."""

from contextlib import suppress
from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.integrations.tokens.due import RETRY_SECONDS
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from gitlab_hub.integrations.tokens.revocations import SETTLED_SECONDS
from gitlab_hub.storage.ports import StorageUnavailable
from tests.fakes.events import Context, http_event
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, faulty
from tests.fakes.gitlab import CANARY, HOST, OTHER_CANARY, answer, html
from tests.fakes.oauth import LIFE, Pat
from tests.functional.integrations.oauth_hub import PATH, OAuthHub
from tests.functional.integrations.tokens.revoking import (
    DAY,
    FOR_EVER,
    REVOKE,
    TOKEN,
    delete,
    lives,
    noted,
    replace,
    stored,
    tick,
)

FAULTS = [answer(503), answer(429), httpx.ConnectError("no"), httpx.ReadTimeout("?"), html(200), answer(403)]


@pytest.mark.parametrize("change", [replace, delete])
@pytest.mark.parametrize("fault", FAULTS)
def test_it_ends_when_gitlab_is_back(hub: OAuthHub, one: str, fault: Any, change: Any) -> None:
    hub.gitlab.fail(REVOKE, fault, times=3)
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
@pytest.mark.parametrize("fault", ["crash", "away"])
def test_what_a_renewal_brings_too_late_ends(hub: OAuthHub, one: str, change: Any, fault: str) -> None:
    hub.now += LIFE
    hub.gitlab.expire()
    credential_id, plan = hub.loaded(one).credential.id, Plan()
    hub.use(hub.stored_rows, faulty(hub.stored_secrets, plan))

    def changed() -> None:
        assert change(hub.beside(), one) == 200
        if fault == "crash":
            plan.at, plan.applied = len(plan.calls) + 1, True
        else:
            hub.gitlab.fail(REVOKE, answer(503), times=2)

    hub.meanwhile(TOKEN, changed, done=True)
    try:
        result: LoadedCredential | BaseException = hub.feature.tokens.refresher.get_credential(one, credential_id)
    except (GitLabError, Crash) as error:
        result = error
    assert isinstance(result, Crash) == (fault == "crash")
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

    def replaced() -> None:
        put = hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": OTHER_CANARY})
        assert put[0] == 200
        hub.gitlab.fail("/personal_access_tokens/self", answer(503))

    hub.meanwhile("/personal_access_tokens/self/rotate", replaced, done=True)
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
