"""Integrations as the engine sees them: tokens that are renewed, and verdicts that are only kept where they apply."""

import asyncio

import pytest

from gitlab_hub.gitlab.errors import Unauthorized
from gitlab_hub.integrations.tokens.source import CredentialTokens, StoredTokens
from gitlab_hub.sync.due import due_runs
from gitlab_hub.sync.ports import Kind, SyncTarget
from tests.fakes.gitlab import CANARY, HOST, OTHER_CANARY
from tests.functional.integrations.integrations_hub import IntegrationsHub


@pytest.fixture
def hub() -> IntegrationsHub:
    return IntegrationsHub()


@pytest.fixture
def one(hub: IntegrationsHub) -> str:
    return hub.start()


def target_of(hub: IntegrationsHub, integration_id: str) -> SyncTarget:
    target = hub.targets.target(integration_id)
    assert target is not None
    return target


def replaced(hub: IntegrationsHub, one: str) -> None:
    assert hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": OTHER_CANARY})[0] == 200


def test_a_target_says_where_and_as_whom(hub: IntegrationsHub, one: str) -> None:
    target = target_of(hub, one)
    assert (target.base_url, target.user_id, target.is_admin, target.group) == (HOST, 7, False, None)


async def test_a_token_is_read_once_and_renewed_after_a_rejection(hub: IntegrationsHub, one: str) -> None:
    tokens = hub.targets.tokens(target_of(hub, one))
    assert await tokens.current() == CANARY
    assert await tokens.renewed(CANARY) is None
    assert await tokens.renewed("an older one") == CANARY


def test_a_replaced_token_is_the_renewed_one(hub: IntegrationsHub, one: str) -> None:
    tokens = hub.targets.tokens(target_of(hub, one))
    assert asyncio.run(tokens.current()) == CANARY
    replaced(hub, one)
    assert asyncio.run(tokens.renewed(CANARY)) == OTHER_CANARY
    assert asyncio.run(tokens.current()) == OTHER_CANARY


async def test_a_removed_credential_has_no_token(hub: IntegrationsHub, one: str) -> None:
    credential_id = target_of(hub, one).credential_id
    hub.feature.lifecycle.delete(one)
    tokens = CredentialTokens(StoredTokens(hub.feature.store), one, credential_id)
    with pytest.raises(Unauthorized):
        await tokens.current()
    assert await tokens.renewed("x") is None


async def test_a_rejected_credential_stops_the_schedule(hub: IntegrationsHub, one: str) -> None:
    target = target_of(hub, one)
    await hub.targets.tokens(target).current()
    hub.targets.mark_rejected(target)
    shown = hub.integration(one)
    assert (shown["status"], shown["credential_status"]) == ("error", "rejected")
    assert hub.scheduled() == []
    hub.targets.mark_valid(target)
    assert hub.integration(one)["credential_status"] == "valid"


def test_a_verdict_about_a_token_that_was_replaced_is_not_kept(hub: IntegrationsHub, one: str) -> None:
    target = target_of(hub, one)
    asyncio.run(hub.targets.tokens(target).current())
    replaced(hub, one)
    before = hub.rows()
    hub.targets.mark_rejected(target)
    assert hub.rows() == before


def test_without_a_token_given_out_there_is_no_verdict(hub: IntegrationsHub, one: str) -> None:
    before = hub.rows()
    hub.targets.mark_rejected(target_of(hub, one))
    assert hub.rows() == before


async def test_an_acceptance_of_what_is_valid_writes_nothing(hub: IntegrationsHub, one: str) -> None:
    target, before = target_of(hub, one), hub.rows()
    await hub.targets.tokens(target).current()
    hub.targets.mark_valid(target)
    assert hub.rows() == before


def add(hub: IntegrationsHub, one: str, user_id: int) -> None:
    hub.now += 1
    hub.gitlab.users[OTHER_CANARY] = user_id
    body = {"secrets": {"api_token": OTHER_CANARY}}
    assert hub("POST", f"/api/connections/{one}/credentials.create", body)[0] == 201


def reject(hub: IntegrationsHub, one: str) -> None:
    target = target_of(hub, one)
    asyncio.run(hub.targets.tokens(target).current())
    hub.targets.mark_rejected(target)


def test_a_second_credential_of_the_same_user_takes_over(hub: IntegrationsHub, one: str) -> None:
    add(hub, one, 7)
    first = target_of(hub, one).credential_id
    reject(hub, one)
    assert (hub.integration(one)["status"], hub.scheduled()) == ("active", [one])
    assert target_of(hub, one).credential_id != first
    reject(hub, one)
    assert (hub.integration(one)["status"], hub.scheduled()) == ("error", [])


def test_another_user_never_takes_over_unasked(hub: IntegrationsHub, one: str) -> None:
    """That user sees other things: what the first one saw would look deleted."""
    first = target_of(hub, one).credential_id
    add(hub, one, 8)
    reject(hub, one)
    shown = hub.integration(one)
    assert (shown["status"], shown["account"]["id"], hub.scheduled()) == ("error", 7, [])
    add(hub, one, 8)
    assert hub.integration(one)["status"] == "error"
    hub("POST", f"/api/connections/{one}/credentials.delete", {"id": first})
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["ok"] is True
    assert (hub.integration(one)["status"], target_of(hub, one).user_id) == ("active", 8)


def looks(hub: IntegrationsHub) -> list[str]:
    """Whose runs the next ticks look at, of every kind; they are looked at with that."""
    found = []
    for kind in Kind:
        rows = due_runs(hub.stored_rows, kind)
        for page in list(rows.pages(0)):
            found += [one.subject for one in page]
            rows.drop(page)
    return found


def test_what_lets_an_integration_sync_has_its_runs_looked_at_by_the_next_tick(hub: IntegrationsHub, one: str) -> None:
    everything = [one, f"{one}@credentials", one]
    assert looks(hub) == everything
    path = f"/v1/integrations/{one}"
    assert hub("POST", f"{path}/verify")[0] == 200
    assert looks(hub) == []
    for paused, seen in ((True, []), (False, everything)):
        assert hub("PATCH", path, {"paused": paused})[0] == 200
        assert looks(hub) == seen
    reject(hub, one)
    assert looks(hub) == []
    replaced(hub, one)
    everything = [one, f"{one}@credentials", one]
    assert looks(hub) == everything


def test_many_integrations_are_asked_for_together(hub: IntegrationsHub, one: str) -> None:
    assert hub.targets.scheduled(["int_gone", one]) == {one}
    assert hub.targets.scheduled([]) == set()
