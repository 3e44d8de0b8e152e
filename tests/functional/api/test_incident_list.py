"""The list of what needs a person, over the whole hub."""

from dataclasses import replace

import pytest

from gitlab_hub.incidents import PARTITION, Incident, IncidentStore
from gitlab_hub.integrations.rows import is_live
from gitlab_hub.sync.incidents import note
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.web.principal import Principal, Role
from tests.functional.api.api_hub import ApiHub

PATH = "/v1/incidents"
AT = 1_789_000_000


@pytest.fixture
def hub() -> ApiHub:
    return ApiHub()


@pytest.fixture
def store(hub: ApiHub) -> IncidentStore:
    return IncidentStore(hub.tables["integrations"], hub.now, is_live)


def lost(integration_id: str, kind: str = "credential_lost") -> Incident:
    return Incident(kind=kind, integration_id=integration_id, subject="cred_1", at=AT, hint="Give a new one.")


def kinds(hub: ApiHub, **more: object) -> list[tuple[str, str]]:
    status, body = hub("GET", PATH, **more)
    assert status == 200
    return [(one["kind"], one["integration_id"]) for one in body["incidents"]]


def test_where_all_is_well_there_are_none(hub: ApiHub) -> None:
    assert hub("GET", PATH) == (200, {"incidents": [], "next_cursor": None})


def test_whatever_needs_a_person_is_listed_with_what_to_do(hub: ApiHub, store: IncidentStore) -> None:
    store.open(replace(lost(hub.own), details={"days": 7, "expires_at": 1_790_500_000}))
    run = Run(integration_id=hub.own, kind=Kind.ACCESS, finished_at=AT)
    note(store, replace(run, status=RunStatus.SUSPECT, suspected={"members": 40}))
    error = {"code": "gitlab_unavailable", "hint": "Wait."}
    note(store, replace(run, kind=Kind.PIPELINES, status=RunStatus.FAILED, last_error=error))
    _, body = hub("GET", PATH)
    found = {one["kind"]: one for one in body["incidents"]}
    assert set(found) == {"credential_lost", "sync_suspect", "sync_failed"}
    assert found["credential_lost"] == {
        "kind": "credential_lost", "integration_id": hub.own, "subject": "cred_1", "at": AT,
        "hint": "Give a new one.", "details": {"days": 7, "expires_at": 1_790_500_000},
    }  # fmt: skip
    assert found["sync_suspect"]["details"] == {"members": 40}
    assert (found["sync_failed"]["hint"], found["sync_failed"]["details"]) == ("Wait.", {"code": "gitlab_unavailable"})


def test_a_sync_that_a_pause_has_cut_short_needs_nobody(hub: ApiHub, store: IncidentStore) -> None:
    paused = {"code": "paused", "hint": "The integration is paused."}
    run = Run(integration_id=hub.own, kind=Kind.ACCESS, finished_at=AT, status=RunStatus.FAILED, last_error=paused)
    note(store, run)
    assert kinds(hub) == []


def test_a_sync_that_ends_well_leaves_none(hub: ApiHub, store: IncidentStore) -> None:
    run = Run(integration_id=hub.own, kind=Kind.ACCESS, finished_at=AT)
    note(store, replace(run, status=RunStatus.SUSPECT, suspected={"members": 40}))
    note(store, replace(run, status=RunStatus.FAILED))
    assert kinds(hub) == [("sync_failed", hub.own)]
    note(store, replace(run, status=RunStatus.IDLE))
    assert kinds(hub) == []


def test_an_open_incident_keeps_the_time_it_was_first_seen(hub: ApiHub, store: IncidentStore) -> None:
    store.open(lost(hub.own))
    store.open(replace(lost(hub.own), at=AT + 999, hint="Still lost."))
    _, body = hub("GET", PATH)
    assert [(one["at"], one["hint"]) for one in body["incidents"]] == [(AT, "Still lost.")]


def test_nobody_hears_of_an_integration_that_their_token_may_not_see(hub: ApiHub, store: IncidentStore) -> None:
    for integration_id in (hub.own, hub.other):
        store.open(lost(integration_id))
    limited = Principal("t-limited", Role.VIEWER, frozenset({hub.own}))
    assert kinds(hub, principal=limited) == [("credential_lost", hub.own)]
    assert len(kinds(hub)) == 2


@pytest.mark.parametrize("is_limited", [True, False])
def test_pages_go_on_where_they_ended(hub: ApiHub, store: IncidentStore, is_limited: bool) -> None:
    ids = (hub.own, hub.other)
    for integration_id in ids:
        for kind in ("credential_lost", "credential_expiring"):
            store.open(lost(integration_id, kind))
    principal = Principal("t-1", Role.VIEWER, frozenset(ids) if is_limited else None)
    whole, pages, cursor = kinds(hub, principal=principal), [], None
    for _ in range(len(whole)):
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        _, body = hub("GET", PATH, query=query, principal=principal)
        pages += [(one["kind"], one["integration_id"]) for one in body["incidents"]]
        cursor = body["next_cursor"]
    assert (pages, len(whole), cursor) == (whole, 4, None)


def test_a_removed_integration_leaves_none(hub: ApiHub, store: IncidentStore) -> None:
    store.open(lost(hub.own))
    assert hub("DELETE", f"/v1/integrations/{hub.own}", query={"force": "true"})[0] == 200
    assert kinds(hub) == []


def test_what_fails_behind_a_removal_needs_nobody(hub: ApiHub, store: IncidentStore) -> None:
    assert hub("DELETE", f"/v1/integrations/{hub.own}", query={"force": "true"})[0] == 200
    error = {"code": "gitlab_unauthorized", "hint": "Give a new token."}
    run = Run(integration_id=hub.own, kind=Kind.PIPELINES, finished_at=AT, status=RunStatus.FAILED, last_error=error)
    note(store, run)
    store.open(lost(hub.own))
    assert kinds(hub) == []


def test_rows_of_the_release_before_are_read(hub: ApiHub, store: IncidentStore) -> None:
    row = {
        "pk": PARTITION, "sk": f"INCIDENT#{hub.own}#credential_expiring#cred_1", "schema_version": 1,
        "kind": "credential_expiring", "integration_id": hub.own, "credential_id": "cred_1", "token_version": "v",
        "days": 7, "token_expires_at": AT, "first_at": AT - 9, "updated_at": AT - 5, "expires_at": AT + 9,
    }  # fmt: skip
    hub.tables["integrations"].put(row)
    [incident] = store.of(hub.own)
    assert (incident.subject, incident.at, incident.revision) == ("cred_1", AT - 9, "v")
    assert incident.details == {"days": 7, "expires_at": AT}
    store.close(incident.kind, hub.own, incident.subject)
    assert kinds(hub) == []


def test_those_of_one_integration_are_found_behind_any_number_of_others(hub: ApiHub, store: IncidentStore) -> None:
    first, last = sorted((hub.own, hub.other))
    for number in range(5):
        store.open(replace(lost(first), subject=f"cred_{number}"))
    store.open(lost(last))
    assert kinds(hub, query={"integration_id": last, "limit": "2"}) == [("credential_lost", last)]
    _, page = hub("GET", PATH, query={"integration_id": first, "limit": "3"})
    _, rest = hub("GET", PATH, query={"integration_id": first, "limit": "3", "cursor": page["next_cursor"]})
    assert [one["subject"] for one in (*page["incidents"], *rest["incidents"])] == [f"cred_{n}" for n in range(5)]
    assert (rest["next_cursor"], hub("GET", PATH, query={"cursor": page["next_cursor"]})[0]) == (None, 400)
    limited = Principal("t-limited", Role.VIEWER, frozenset({first}))
    assert hub("GET", PATH, query={"integration_id": last}, principal=limited)[0] == 404
