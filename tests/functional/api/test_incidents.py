"""The list of what needs a person, over the whole hub."""

from dataclasses import replace

import pytest

from gitlab_hub.integrations.care.incidents import EXPIRING, LOST, Incident, Incidents
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.store import RunStore
from gitlab_hub.web.principal import Principal, Role
from gitlab_hub.webhooks.hook_store import HookStore
from gitlab_hub.webhooks.model import HookStatus
from tests.functional.api.bundle import Bundle

PATH = "/v1/incidents"


@pytest.fixture
def bundle() -> Bundle:
    return Bundle()


def lost(integration_id: str, kind: str = LOST, **more: int) -> Incident:
    at = 1_789_000_000
    return Incident(
        kind=kind, integration_id=integration_id, credential_id="cred_1", token_version="v", days=more.get("days"),
        token_expires_at=more.get("expires_at"), first_at=at, updated_at=at,
    )  # fmt: skip


def kinds(bundle: Bundle, **more: object) -> list[tuple[str, str]]:
    status, body = bundle("GET", PATH, **more)
    assert status == 200
    return [(one["kind"], one["integration_id"]) for one in body["incidents"]]


def test_where_all_is_well_there_are_none(bundle: Bundle) -> None:
    assert bundle("GET", PATH) == (200, {"incidents": [], "next_cursor": None})


def test_whatever_needs_a_person_is_listed_with_what_to_do(bundle: Bundle) -> None:
    state, own = bundle.tables["integrations"], bundle.own
    notes = Incidents(state, bundle.now)
    for incident in (lost(own), lost(own, EXPIRING, days=7, expires_at=1_790_500_000)):
        notes.put(incident)
    runs = RunStore(state)
    runs.save(Run(integration_id=own, kind=Kind.ACCESS, status=RunStatus.SUSPECT, suspected={"members": 40}))
    error = {"code": "gitlab_unavailable", "hint": "Wait."}
    runs.save(Run(integration_id=own, kind=Kind.PIPELINES, status=RunStatus.FAILED, last_error=error))
    hooks = HookStore(bundle.tables["deliveries"])
    hooks.change(bundle.ids["hook_id"], lambda hook: replace(hook, status=HookStatus.DISABLED))
    _, body = bundle("GET", PATH)
    found = {one["kind"]: one for one in body["incidents"]}
    assert set(found) == {"credential_lost", "credential_expiring", "hook_disabled", "sync_suspect", "sync_failed"}
    assert found["credential_expiring"]["details"] == {"days": 7, "expires_at": 1_790_500_000}
    assert found["hook_disabled"]["subject"] == bundle.ids["hook_id"]
    assert found["sync_suspect"]["details"] == {"members": 40}
    assert found["sync_failed"]["hint"] == "Wait."
    assert all(one["hint"] for one in body["incidents"])


def test_nobody_hears_of_an_integration_that_their_token_may_not_see(bundle: Bundle) -> None:
    notes = Incidents(bundle.tables["integrations"], bundle.now)
    for integration_id in (bundle.own, bundle.other):
        notes.put(lost(integration_id))
    limited = Principal("t-limited", Role.VIEWER, frozenset({bundle.own}))
    assert kinds(bundle, principal=limited) == [("credential_lost", bundle.own)]
    assert len(kinds(bundle)) == 2


def test_pages_go_on_where_they_ended(bundle: Bundle) -> None:
    notes = Incidents(bundle.tables["integrations"], bundle.now)
    for integration_id in (bundle.own, bundle.other):
        for kind in (LOST, EXPIRING):
            notes.put(lost(integration_id, kind))
    whole, pages, cursor = kinds(bundle), [], None
    for _ in range(len(whole) + 1):
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        _, body = bundle("GET", PATH, query=query)
        pages += [(one["kind"], one["integration_id"]) for one in body["incidents"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert pages == whole
    assert len(whole) == 4
