"""Making, reading, changing and removing triggers."""

from typing import Any

import pytest

from gitlab_hub.builds.triggers.store import TriggerStore
from gitlab_hub.ids import owner_of
from gitlab_hub.web.principal import Principal
from tests.fakes.triggers import INTEGRATION
from tests.functional.builds.triggers_hub import ADMIN, BODY, DEVELOPER, LIMITED, OTHER, PATH, VIEWER, TriggersHub

EMPTY: dict[str, list[str]] = {"include": [], "exclude": []}
FULL: dict[str, Any] = {
    "events": ["push", "tag_push", "merge_request"],
    "branches": {"include": ["main", "release/*"], "exclude": ["release/old"]},
    "tags": {"include": ["v*"], "exclude": []},
    "paths": {"include": ["**/*.py"], "exclude": ["docs/**"]},
    "merge_requests": {"drafts": False, "labels": ["ci"], "target_branches": ["main"], "forks": "allow"},
    "on_branch_create": False,
    "on_branch_delete": True,
    "skip_ci": False,
    "concurrency": {"cancel_previous": True},
    "target": {"type": "codebuild", "project": "tests"},
    "report_status": {"enabled": False, "name": "aws"},
    "enabled": False,
}


@pytest.fixture
def hub() -> TriggersHub:
    return TriggersHub()


def test_a_trigger_is_made_with_plain_defaults(hub: TriggersHub) -> None:
    made = hub.made()
    assert owner_of(made["id"]) == INTEGRATION
    assert made == BODY | {
        "id": made["id"],
        "group": None,
        "group_id": None,
        "branches": EMPTY,
        "tags": EMPTY,
        "paths": EMPTY,
        "merge_requests": {"drafts": True, "labels": [], "target_branches": [], "forks": "approve"},
        "on_branch_create": True,
        "on_branch_delete": False,
        "skip_ci": True,
        "concurrency": {"cancel_previous": False},
        "report_status": {"enabled": True, "name": "gitlab-hub"},
        "enabled": True,
        "created_by": "t-owner",
        "created_at": 1_750_000_000,
        "updated_at": 1_750_000_000,
        "version": 1,
    }
    assert hub.shown(made["id"]) == made


def test_everything_that_was_said_is_kept(hub: TriggersHub) -> None:
    made = hub.made(**FULL)
    assert {name: made[name] for name in FULL} == FULL


def test_a_trigger_can_be_for_all_projects_of_a_group(hub: TriggersHub) -> None:
    body = {name: value for name, value in BODY.items() if name != "project_id"}
    status, answer = hub("POST", body=body | {"group": "acme/tools.x/a_b-c"})
    assert status == 201
    assert (answer["trigger"]["group"], answer["trigger"]["project_id"]) == ("acme/tools.x/a_b-c", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"project_id": None},
        {"group": "acme"},
        {"project_id": 0},
        {"project_id": 2**63},
        {"project_id": "15"},
        {"project_id": True},
        {"project_id": None, "group": "/acme"},
        {"project_id": None, "group": "acme/"},
        {"project_id": None, "group": "a b"},
        {"events": []},
        {"events": ["pipeline"]},
        {"events": "push"},
        {"events": ["push"] * 11},
        {"branches": {"includes": ["x"]}},
        {"branches": {"include": "main"}},
        {"branches": {"include": [""]}},
        {"branches": {"include": ["/main"]}},
        {"branches": {"include": ["docs/"]}},
        {"branches": {"include": ["a\u0000b"]}},
        {"branches": {"include": ["a" * 201]}},
        {"branches": {"include": ["a"] * 51}},
        {"paths": {"exclude": ["a"] * 51}},
        {"merge_requests": {"forks": "maybe"}},
        {"merge_requests": {"drafts": "no"}},
        {"merge_requests": {"labels": [""]}},
        {"merge_requests": {"target_branches": ["/x"]}},
        {"concurrency": {"limit": 1}},
        {"report_status": {"name": ""}},
        {"report_status": {"name": "x" * 256}},
        {"skip_ci": 1},
        {"id": "trg_0a1b_1"},
        {"version": 1},
        {"created_at": 1},
        {"integration_id": ""},
        {"integration_id": 5},
    ],
)
def test_a_body_that_cannot_be_a_trigger_is_refused(hub: TriggersHub, changes: dict[str, Any]) -> None:
    status, answer = hub("POST", body=BODY | changes)
    assert (status, answer["code"]) == (422, "invalid_input")
    assert hub.rows.dump() == []


def test_a_change_leaves_what_it_does_not_name(hub: TriggersHub) -> None:
    made = hub.made(**FULL)
    hub.now += 60
    change = {"enabled": True, "branches": {"exclude": []}, "merge_requests": {"drafts": True}}
    status, answer = hub("PATCH", f"{PATH}/{made['id']}", change)
    assert status == 200
    assert answer["trigger"] == made | {
        "enabled": True,
        "branches": {"include": ["main", "release/*"], "exclude": []},
        "merge_requests": FULL["merge_requests"] | {"drafts": True},
        "updated_at": 1_750_000_060,
        "version": 2,
    }
    assert hub.shown(made["id"]) == answer["trigger"]


def test_null_brings_a_default_back(hub: TriggersHub) -> None:
    made = hub.made(**FULL)
    change = {"paths": None, "skip_ci": None, "merge_requests": None, "report_status": None}
    changed = hub("PATCH", f"{PATH}/{made['id']}", change)[1]["trigger"]
    plain = hub.made()
    assert {name: changed[name] for name in change} == {name: plain[name] for name in change}
    assert changed["tags"] == FULL["tags"]


def test_a_trigger_moves_from_a_project_to_a_group_and_back(hub: TriggersHub) -> None:
    path = f"{PATH}/{hub.made()['id']}"
    moved = hub("PATCH", path, {"group": "acme"})[1]["trigger"]
    assert (moved["group"], moved["project_id"]) == ("acme", None)
    back = hub("PATCH", path, {"project_id": 16})[1]["trigger"]
    assert (back["group"], back["project_id"]) == (None, 16)


@pytest.mark.parametrize(
    "change",
    [
        {"target": None},
        {"events": None},
        {"project_id": None},
        {"project_id": 1, "group": "acme"},
        {"integration_id": OTHER},
        {"events": []},
        {"target": {"project": "x"}},
        {"version": "1"},
        {"created_by": "me"},
    ],
)
def test_a_change_that_leaves_no_trigger_is_refused(hub: TriggersHub, change: dict[str, Any]) -> None:
    made = hub.made()
    status, answer = hub("PATCH", f"{PATH}/{made['id']}", change)
    assert (status, answer["code"]) == (422, "invalid_input")
    assert hub.shown(made["id"]) == made


def test_a_change_made_for_another_version_is_a_conflict(hub: TriggersHub) -> None:
    path = f"{PATH}/{hub.made()['id']}"
    assert hub("PATCH", path, {"version": 1, "enabled": False})[0] == 200
    status, answer = hub("PATCH", path, {"version": 1, "enabled": True})
    assert (status, answer["code"]) == (409, "conflict")
    assert hub("PATCH", path, {"version": 2, "enabled": True})[0] == 200


def test_a_removed_trigger_is_gone(hub: TriggersHub) -> None:
    path = f"{PATH}/{hub.made()['id']}"
    assert hub("DELETE", path) == (200, {"ok": True})
    assert [hub(method, path)[0] for method in ("GET", "DELETE")] == [404, 404]
    assert hub("PATCH", path, {"enabled": False})[0] == 404
    assert hub.listed() == []


def test_an_integration_has_so_many_triggers_and_no_more(hub: TriggersHub) -> None:
    hub.feature.store._limit = 1
    hub.made()
    status, answer = hub("POST", body=BODY)
    assert (status, answer["code"]) == (422, "trigger_limit_reached")
    assert hub.made(integration_id=OTHER)["integration_id"] == OTHER


def test_the_same_key_makes_one_trigger(hub: TriggersHub) -> None:
    key = {"idempotency-key": "k1"}
    first, again = (hub("POST", body=BODY, headers=key) for _ in range(2))
    assert first == again
    assert len(hub.listed()) == 1
    assert hub("POST", body=BODY | {"project_id": 16}, headers=key)[0] == 422
    hub("POST", body=BODY)
    assert len(hub.listed()) == 2


@pytest.mark.parametrize("integration_id", [INTEGRATION, "int_none", "x", "int_" + "a" * 90])
def test_an_integration_that_is_unknown_or_foreign_has_no_triggers(hub: TriggersHub, integration_id: str) -> None:
    hub.made()
    foreign = hub("POST", body=BODY | {"integration_id": integration_id}, principal=LIMITED)
    unknown = hub("POST", body=BODY | {"integration_id": "int_none"})
    assert (foreign[0], foreign[1]["error"]) == (unknown[0], unknown[1]["error"]) == (404, unknown[1]["error"])
    assert hub("GET", query={"integration_id": integration_id}, principal=LIMITED)[0] == 404
    assert hub("GET", query={"integration_id": "int_none"})[0] == 404
    assert len(hub.listed()) == 1


def test_a_foreign_trigger_is_an_unknown_one(hub: TriggersHub) -> None:
    made = hub.made()
    foreign, unknown = f"{PATH}/{made['id']}", f"{PATH}/trg_ffff_1"
    event = {"event": "push", "payload": {}}
    for method, more, body in [("GET", "", None), ("PATCH", "", {}), ("DELETE", "", None), ("POST", "/test", event)]:
        answers = [hub(method, path + more, body, principal=LIMITED) for path in (foreign, unknown)]
        assert [status for status, _ in answers] == [404, 404]
    assert hub.shown(made["id"]) == made


@pytest.mark.parametrize(
    ("principal", "reads", "tests", "writes"),
    [(None, 401, 401, 401), (VIEWER, 200, 403, 403), (DEVELOPER, 200, 200, 403), (ADMIN, 200, 200, 200)],
)
def test_viewers_read_developers_dry_run_and_admins_write(
    hub: TriggersHub, principal: Principal | None, reads: int, tests: int, writes: int
) -> None:
    path = f"{PATH}/{hub.made()['id']}"

    def status(method: str, path: str, body: Any = None) -> int:
        return hub(method, path, body, principal=principal)[0]

    assert [status("GET", PATH), status("GET", path)] == [reads, reads]
    assert status("POST", f"{path}/test", {"event": "push", "payload": {}}) == tests
    assert status("PATCH", path, {"enabled": False}) == writes
    assert status("POST", PATH, BODY) == {200: 201}.get(writes, writes)
    assert status("DELETE", path) == writes
    assert len(hub.listed()) == 1


def test_who_did_what_is_in_the_log(hub: TriggersHub) -> None:
    made = hub("POST", body=BODY, principal=ADMIN)[1]["trigger"]["id"]
    hub("PATCH", f"{PATH}/{made}", {"version": 1, "enabled": False})
    hub("DELETE", f"{PATH}/{made}")
    assert hub.integrations.log == [
        ("trigger.create", "t-admin", INTEGRATION, {"trigger_id": made}),
        (
            "trigger.change", "t-owner", INTEGRATION,
            {"trigger_id": made, "before": {"enabled": True}, "after": {"enabled": False}},
        ),
        ("trigger.remove", "t-owner", INTEGRATION, {"trigger_id": made}),
    ]  # fmt: skip


def test_a_change_is_logged_with_the_values_before_and_after_it(hub: TriggersHub) -> None:
    made = hub.made()["id"]
    target = {"type": "codebuild", "project": "tests"}
    patch = {"group": "acme", "branches": {"include": ["main"]}, "target": target | {"source_version": True}}
    assert hub("PATCH", f"{PATH}/{made}", patch)[0] == 200
    _, _, _, told = hub.integrations.log[-1]
    assert told["before"] == {"project_id": 15, "group": None, "branches": EMPTY, "target": BODY["target"]}
    assert told["after"] == {
        "project_id": None, "group": "acme", "branches": EMPTY | {"include": ["main"]}, "target": patch["target"],
    }  # fmt: skip


def test_the_store_and_the_routes_mean_the_same_rows(hub: TriggersHub) -> None:
    made = hub.made()
    assert TriggerStore(hub.rows).require(made["id"]).project_id == 15
