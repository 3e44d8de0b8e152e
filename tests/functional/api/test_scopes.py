"""What the syncs could not read, over the whole hub."""

import pytest

from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.scope_notes import partition
from gitlab_hub.sync.store import RunStore
from gitlab_hub.web.principal import Principal, Role
from tests.functional.api.api_hub import ApiHub

AT = 1_789_000_000
VIEWER = Principal("t1", Role.VIEWER)
HARBOR = {"type": "project", "id": 7, "full_path": "acme/harbor"}


@pytest.fixture
def hub() -> ApiHub:
    return ApiHub()


def note(hub: ApiHub, kind: Kind, stage: str, key: str, status: str, **more: object) -> None:
    sk = f"SCOPE#{kind}#{stage}#{key}"
    said = {"code": "invalid_permissions", "hint": "No.", "at": AT, "sync_id": "s1", "schema_version": 1, **more}
    hub.tables["integrations"].put({"pk": partition(hub.own), "sk": sk, "status": status, **said})


def scopes(hub: ApiHub, **query: str) -> list[tuple[str, str, str]]:
    status, body = hub("GET", f"/v1/integrations/{hub.own}/scopes", query=query, principal=VIEWER)
    assert (status, body["next_cursor"]) == (200, None)
    return [(one["kind"], one["name"], one["status"]) for one in body["scopes"]]


def test_where_all_was_read_there_are_none(hub: ApiHub) -> None:
    assert scopes(hub) == []


def test_what_was_not_read_is_named_with_its_reason(hub: ApiHub) -> None:
    note(hub, Kind.ACCESS, "groups", "all", "forbidden")
    note(hub, Kind.PIPELINES, "pipelines", f"{7:012d}", "partial", resource=HARBOR)
    _, body = hub("GET", f"/v1/integrations/{hub.own}/scopes", principal=VIEWER)
    assert body["scopes"] == [
        {"kind": "access", "name": "groups", "resource": None, "status": "forbidden", "code": "invalid_permissions",
         "reason": "No.", "at": AT},
        {"kind": "pipelines", "name": "pipelines", "resource": HARBOR, "status": "partial",
         "code": "invalid_permissions", "reason": "No.", "at": AT},
    ]  # fmt: skip


def test_they_are_listed_by_status_and_kind(hub: ApiHub) -> None:
    for number, status in enumerate(("forbidden", "gone", "failed", "partial")):
        note(hub, Kind.ACCESS, "project_members", f"{number:012d}", status)
        note(hub, Kind.PIPELINES, "pipelines", f"{number:012d}", status)
    assert scopes(hub, status="gone") == [
        ("access", "project_members", "gone"),
        ("pipelines", "pipelines", "gone"),
    ]
    assert scopes(hub, status="failed", kind="pipelines") == [("pipelines", "pipelines", "failed")]
    assert len(scopes(hub)) == 8
    assert hub("GET", f"/v1/integrations/{hub.own}/scopes", query={"status": "lost"})[0] == 422


def test_pages_go_on_where_they_ended(hub: ApiHub) -> None:
    for number in range(5):
        note(hub, Kind.ACCESS, "group_members", f"{number:012d}", "forbidden" if number % 2 else "gone")
    path, query = f"/v1/integrations/{hub.own}/scopes", {"status": "gone", "limit": "2"}
    _, first = hub("GET", path, query=query)
    _, second = hub("GET", path, query={**query, "cursor": first["next_cursor"]})
    assert [len(page["scopes"]) for page in (first, second)] == [2, 1]
    assert second["next_cursor"] is None
    other = {"status": "failed", "cursor": first["next_cursor"]}
    assert hub("GET", path, query=other)[1]["code"] == "invalid_cursor"


def test_notes_of_the_release_before_are_shown(hub: ApiHub) -> None:
    row = {"pk": partition(hub.own), "sk": "SCOPE#access#groups#all", "status": "forbidden", "code": "not_found"}
    hub.tables["integrations"].put({**row, "sync_id": "s0", "schema_version": 1})
    _, body = hub("GET", f"/v1/integrations/{hub.own}/scopes")
    assert body["scopes"] == [
        {"kind": "access", "name": "groups", "resource": None, "status": "forbidden", "code": "not_found",
         "reason": "", "at": None}
    ]  # fmt: skip


def test_another_integration_shows_its_own_only(hub: ApiHub) -> None:
    note(hub, Kind.ACCESS, "groups", "all", "forbidden")
    assert hub("GET", f"/v1/integrations/{hub.other}/scopes")[1]["scopes"] == []


def test_the_state_of_a_sync_says_how_complete_it_is(hub: ApiHub) -> None:
    store = RunStore(hub.tables["integrations"])
    path = f"/v1/integrations/{hub.own}/sync"
    none = {"forbidden": 0, "gone": 0, "failed": 0, "partial": 0, "disabled": 0}
    assert hub("GET", path)[1]["kinds"]["access"]["completeness"] == {"complete": None, **none}
    run = Run(integration_id=hub.own, kind=Kind.ACCESS, status=RunStatus.IDLE, finished_at=AT)
    read = store.save(run)
    assert hub("GET", path)[1]["kinds"]["access"]["completeness"] == {"complete": True, **none}
    store.save(
        Run(
            integration_id=hub.own,
            kind=Kind.ACCESS,
            version=read.version,
            finished_at=AT,
            incomplete=3,
            counts={"scopes_gone": 1, "scopes_partial": 2},
        )
    )
    shown = hub("GET", path)[1]["kinds"]["access"]["completeness"]
    assert shown == {"complete": False, **none, "gone": 1, "partial": 2}
