"""A credential that needs a person is an incident from that moment on, whoever finds it out, until it is over."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import GitLabError, Unauthorized
from gitlab_hub.gitlab.limits import Unlimited
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.incidents import PARTITION
from gitlab_hub.integrations.gitlab_access import GitLabClients
from gitlab_hub.integrations.model import CredentialStatus
from gitlab_hub.integrations.verification.outcome import apply_verification
from gitlab_hub.storage.ports import StorageUnavailable
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, faulty
from tests.fakes.gitlab import CANARY, HOST, OTHER_CANARY, answer, html
from tests.fakes.oauth import LIFE
from tests.functional.integrations.oauth_hub import PATH, OAuthHub

SELF, TOKEN = "/personal_access_tokens/self", "/oauth/token"
REFUSED, EXPIRED = (
    "credential_rejected",
    answer(401, {"error": "invalid_token", "error_description": "Token is expired."}),
)
Found = Callable[[OAuthHub, str], None]


def by_token(hub: OAuthHub) -> str:
    body = {"host_url": HOST, "auth_mode": "personal_token", "access_token": CANARY}
    status, answered = hub("POST", f"{PATH}/start", body)
    assert status == 201, answered
    return str(answered["integration"]["id"])


def kinds(hub: OAuthHub, one: str) -> list[str]:
    return [incident.kind for incident in hub.feature.incidents.of(one)]


def revoke_everything(hub: OAuthHub) -> None:
    for pat in hub.gitlab.pats.values():
        pat.alive = False
    hub.gitlab._refresh_users()


# ---- every way by which it is found


def by_verify(hub: OAuthHub, one: str) -> None:
    revoke_everything(hub)
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["code"] == "invalid_credentials"


def by_check(hub: OAuthHub, one: str) -> None:
    revoke_everything(hub)
    assert hub("POST", f"/v1/integrations/{one}/gitlab-token/check")[1]["status"] == "rejected"


def by_sync(hub: OAuthHub, one: str) -> None:
    target = hub.targets.target(one)
    assert target is not None
    asyncio.run(hub.targets.tokens(target).current())
    hub.targets.mark_rejected(target)


def by_expiry(hub: OAuthHub, one: str) -> None:
    hub.gitlab.script[SELF] = EXPIRED
    assert hub("POST", f"/v1/integrations/{one}/gitlab-token/check")[1]["status"] == "expired"


def by_rights(hub: OAuthHub, one: str) -> None:
    hub.gitlab.script["/user"] = answer(403, {"message": "403 Forbidden - Your account has been blocked"})
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["code"] == "account_blocked"


def by_repositories(hub: OAuthHub, one: str) -> None:
    revoke_everything(hub)
    assert hub("GET", f"/v1/integrations/{one}/repositories")[0] == 400


def by_hook_or_status(hub: OAuthHub, one: str) -> None:
    revoke_everything(hub)
    with pytest.raises(Unauthorized):
        write(hub, one)


def write(hub: OAuthHub, one: str) -> None:
    clients = GitLabClients(
        store=hub.feature.store,
        source=hub.feature.tokens.refresher,
        limiter_for=lambda _origin, _user: Unlimited(),
        policy=NetworkPolicy(),
        open_client=lambda address, tokens, _limiter: hub.connector.open(address, tokens),
        refused=hub.feature.tokens.rejection_check.refused,
    )
    connection = clients.connection(one)
    assert connection is not None

    async def run() -> None:
        async with clients.open(connection) as gitlab:
            await gitlab.send("POST", "/projects/3/hooks", {})

    asyncio.run(run())


EVERY_WAY: list[Found] = [
    by_verify, by_check, by_sync, by_expiry, by_rights, by_repositories, by_hook_or_status,
]  # fmt: skip


@pytest.mark.parametrize("found", EVERY_WAY)
def test_a_refused_token_is_an_incident_and_told_once(hub: OAuthHub, found: Found) -> None:
    one = by_token(hub)
    found(hub, one)
    [incident] = hub.feature.incidents.of(one)
    status = hub.integration(one)["credential_status"]
    assert (incident.kind, incident.details["status"]) == (REFUSED, status)
    assert "give a new token" in incident.hint
    assert (hub.told.refused, incident.subject) == ([(one, status)], hub.loaded(one).credential.id)
    before = hub.stored_rows.dump()
    for again in (by_verify, by_check):
        if found not in (by_expiry, by_rights):
            again(hub, one)
    assert (len(hub.told.refused), kinds(hub, one)) == (1, [REFUSED])
    assert [row for row in before if row["pk"] == PARTITION] != []


@pytest.mark.parametrize("fault", [answer(503), html(), answer(200, {"id": 7})])
def test_a_single_refusal_of_a_write_judges_nothing(hub: OAuthHub, fault: Any) -> None:
    one = by_token(hub)
    hub.gitlab.script |= {"/projects/3/hooks": answer(401), "/user": fault}
    with pytest.raises(GitLabError):
        write(hub, one)
    assert (hub.integration(one)["credential_status"], kinds(hub, one)) == ("valid", [])


def test_a_lost_pair_is_an_incident_at_once(hub: OAuthHub) -> None:
    one = hub.connected()
    hub.now += LIFE
    hub.gitlab.expire()
    hub.gitlab.fail(TOKEN, answer(400, {"error": "invalid_grant"}))
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["ok"] is False
    [incident] = hub.feature.incidents.of(one)
    assert (incident.kind, hub.told.lost) == ("credential_lost", [(one, "invalid_grant")])
    assert "authorize the integration again" in incident.hint


# ---- and when it is over


def heal_by_put(hub: OAuthHub, one: str) -> None:
    hub.gitlab.pats[OTHER_CANARY] = replace(hub.gitlab.pats[CANARY], token=OTHER_CANARY, alive=True)
    hub.gitlab._refresh_users()
    assert hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": OTHER_CANARY})[0] == 200


def heal_by_itself(hub: OAuthHub, one: str) -> None:
    hub.gitlab.pats[CANARY].alive = True
    hub.gitlab._refresh_users()
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["ok"] is True


def heal_by_deletion(hub: OAuthHub, one: str) -> None:
    body = {"id": hub.loaded(one).credential.id}
    assert hub("POST", f"/api/connections/{one}/credentials.delete", body)[0] == 200


@pytest.mark.parametrize("heal", [heal_by_put, heal_by_itself, heal_by_deletion])
def test_it_ends_with_its_cause(hub: OAuthHub, heal: Found) -> None:
    one = by_token(hub)
    by_verify(hub, one)
    heal(hub, one)
    assert kinds(hub, one) == []
    if heal is not heal_by_deletion:
        assert hub.integration(one)["status"] == "active"


def test_authorizing_again_ends_it(hub: OAuthHub) -> None:
    one = hub.connected()
    hub.now += LIFE
    hub.gitlab.fail(TOKEN, answer(400, {"error": "invalid_grant"}))
    hub("POST", f"/v1/integrations/{one}/verify")
    assert kinds(hub, one) == ["credential_lost"]
    assert hub.finish(one)[0] == 200
    assert kinds(hub, one) == []


def test_one_that_an_earlier_release_has_marked_is_found_by_the_caretaker(hub: OAuthHub) -> None:
    one = by_token(hub)
    by_verify(hub, one)
    for row in [row for row in hub.stored_rows.dump() if row["pk"] == PARTITION]:
        hub.stored_rows.delete(row["pk"], row["sk"])
    hub.feature.tokens.monitor(rotate=False).tick(lambda: 900.0)
    assert kinds(hub, one) == [REFUSED]


# ---- neither is there without the other, wherever a process ends


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
@pytest.mark.parametrize("at", range(1, 20))
def test_a_status_and_its_incident_are_written_together(at: int, error: Any, applied: bool) -> None:
    hub = OAuthHub()
    one = by_token(hub)
    revoke_everything(hub)
    plan = Plan(at=at, error=error, applied=applied)
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    with suppress(Crash, StorageUnavailable):
        hub.feature.token_service.check(one)
    hub.use(hub.stored_rows, hub.stored_secrets)
    refused = hub.integration(one)["credential_status"] == "rejected"
    assert kinds(hub, one) == [REFUSED] * refused
    assert len(hub.told.refused) >= refused


def test_every_call_of_a_check_is_tried() -> None:
    hub, plan = OAuthHub(), Plan()
    one = by_token(hub)
    revoke_everything(hub)
    hub.use(faulty(hub.stored_rows, plan), faulty(hub.stored_secrets, plan))
    hub.feature.token_service.check(one)
    assert len(plan.calls) < 20


def test_rivals_that_find_it_at_once_open_it_once(hub: OAuthHub) -> None:
    one = by_token(hub)
    store = hub.feature.store

    def decide(before: Any) -> Any:
        [credential] = before.credentials
        return apply_verification(
            before, replace(credential, status=CredentialStatus.REJECTED), works=False, now=int(hub.now)
        )

    for _ in range(3):
        store.change(one, decide)
    assert (kinds(hub, one), len(hub.told.refused)) == ([REFUSED], 1)
