"""Triggers: made, read, changed, removed, and asked what they would make of an event."""

from typing import Any

import pytest

from tests.end_to_end.building import Built
from tests.end_to_end.coding_company import CodingCompany, Row
from tests.end_to_end.hub_client import Hub
from tests.end_to_end.stores import items

TRIGGERS = "/v1/triggers"
BUS = {"type": "eventbridge"}
ELSEWHERE = "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:build"
"""The local stack allows what its emulator has, which is one partition."""


@pytest.fixture(scope="module")
def built(_coding_company: CodingCompany) -> Built:
    """A project whose main branch and merge requests are built, where code of the app changes."""
    return Built(
        _coding_company, BUS,
        branches={"include": ["main", "feature/**"]},
        paths={"include": ["app/**"], "exclude": ["**/*.md"]},
        merge_requests={"drafts": False, "forks": "ignore"},
    )  # fmt: skip


def wanted(company: CodingCompany, **more: Any) -> Row:
    return {"integration_id": company.id, "project_id": 1, "events": ["push"], "target": BUS, **more}


def test_a_trigger_is_made_read_changed_and_removed(hub: Hub, company: CodingCompany) -> None:
    body = wanted(company, tags={"include": ["v*"]}, concurrency={"cancel_previous": True}, on_branch_delete=True)
    made = hub.call("POST", TRIGGERS, body)
    assert made.status == 201
    trigger = made.body["trigger"]
    one = f"{TRIGGERS}/{trigger['id']}"
    assert trigger["merge_requests"] == {"drafts": True, "labels": [], "target_branches": [], "forks": "approve"}
    assert (trigger["tags"], trigger["concurrency"]) == ({"include": ["v*"], "exclude": []}, {"cancel_previous": True})
    assert (trigger["enabled"], trigger["skip_ci"], trigger["report_status"]["enabled"]) == (True, True, True)
    assert hub.get(one) == {"trigger": trigger, "warnings": []}
    assert trigger in hub.rows(TRIGGERS, integration_id=company.id)
    assert trigger in hub.rows(TRIGGERS)
    changed = hub.call("PATCH", one, {"enabled": False, "tags": {"exclude": ["v0*"]}, "version": 1})
    assert changed.status == 200
    shown = changed.body["trigger"]
    assert (shown["enabled"], shown["version"]) == (False, 2)
    assert shown["tags"] == {"include": ["v*"], "exclude": ["v0*"]}
    assert hub.call("PATCH", one, {"enabled": True, "version": 1}).refusal == (409, "conflict")
    assert hub.get(one)["trigger"] == shown
    assert hub.call("DELETE", one).body == {"ok": True}
    for method, path in (("GET", one), ("PATCH", one), ("DELETE", one), ("POST", f"{one}/test")):
        body = {"event": "push", "payload": {}} if method == "POST" else {}
        assert hub.call(method, path, body).refusal == (404, "not_found")


@pytest.mark.parametrize(
    "more",
    [
        {"group": "some/group"}, {"project_id": None}, {"events": []}, {"events": ["deploy"]},
        {"target": {"type": "ftp"}},
        {"target": {"type": "https", "url": "ftp://127.0.0.1/"}}, {"target": {"type": "sqs"}}, {"colour": "red"},
        {"target": {**BUS, "secret": "x"}}, {"branches": {"include": ["/main"]}},
        {"merge_requests": {"forks": "maybe"}},
        {"target": {"type": "https", "url": "https://169.254.169.254/latest"}},
        {"target": {"type": "https", "url": "https://ci.example.com/not-listed"}},
        {"target": {"type": "stepfunctions", "state_machine_arn": ELSEWHERE}},
        {"target": {"type": "eventbridge", "bus": "arn:aws-cn:events:cn-north-1:123456789012:event-bus/theirs"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_trigger_that_cannot_be_is_refused(hub: Hub, company: CodingCompany, more: Row) -> None:
    before = hub.rows(TRIGGERS, integration_id=company.id)
    answer = hub.call("POST", TRIGGERS, wanted(company, **more))
    assert answer.status in {400, 422}
    assert answer.body["code"] in {"invalid_input", "host_not_allowed", "target_not_allowed"}
    assert hub.rows(TRIGGERS, integration_id=company.id) == before


def test_triggers_of_others_are_not_found(hub: Hub, company: CodingCompany, built: Built) -> None:
    body = wanted(company) | {"integration_id": "int_unknown"}
    assert hub.call("POST", TRIGGERS, body).refusal == (404, "not_found")
    limited = hub.call("POST", "/v1/tokens", {"role": "admin", "integration_ids": ["int_other"]}).body["token"]
    for method, path, sent in (
        ("GET", f"{TRIGGERS}/{built.id}", None),
        ("PATCH", f"{TRIGGERS}/{built.id}", {}),
        ("POST", TRIGGERS, wanted(company)),
        ("POST", f"{TRIGGERS}/{built.id}/signing-secret", {}),
        ("GET", f"/v1/builds?trigger_id={built.id}", None),
        ("POST", "/v1/builds", {"trigger_id": built.id, "ref": "main"}),
        ("GET", f"/v1/deliveries?hook_id={built.hook['id']}", None),
    ):
        assert hub.call(method, path, sent, token=limited).refusal == (404, "not_found"), path
    assert hub.call("GET", TRIGGERS, token=limited).body["triggers"] == []


def dry_run(hub: Hub, built: Built, event: str, payload: Row) -> tuple[bool, set[str], Row | None]:
    """What the trigger would make of an event: whether, the codes that say no, and the build."""
    answer = hub.call("POST", f"{TRIGGERS}/{built.id}/test", {"event": event, "payload": payload})
    assert answer.status == 200, answer
    refusals = {reason["code"] for reason in answer.body["reasons"] if not reason["ok"]}
    assert all(reason["text"] for reason in answer.body["reasons"])
    return answer.body["would_build"], refusals, answer.body["build"]


def test_a_dry_run_explains_itself_and_does_nothing(hub: Hub, company: CodingCompany, built: Built) -> None:
    """With the very bodies that GitLab has sent."""
    gitlab, project = company.gitlab, built.project
    heads = [
        built.push(message="Quiet [skip ci]"),
        gitlab.push(project, "main", files=["README.md"])["after"],
        gitlab.push(project, "wip", files=["app/a.py"])["after"],
    ]
    sent = {row["request_data"]["after"]: row["request_data"] for row in company.sent(built.hook)}
    quiet, readme, elsewhere = (sent[head] for head in heads)
    company.worked_on(3, hook_id=built.hook["id"])
    before = sorted(repr(item) for _, item in items(hub.stack) if built.id.partition("_")[2][:20] in item["pk"])
    assert dry_run(hub, built, "Push Hook", quiet)[:2] == (False, {"skip_ci_message"})
    assert dry_run(hub, built, "Push Hook", readme)[:2] == (False, {"no_path_fits"})
    assert "branch_not_included" in dry_run(hub, built, "push", elsewhere)[1]
    assert "other_project" in dry_run(hub, built, "push", {**quiet, "project_id": 1, "project": {"id": 1}})[1]
    assert "event_not_wanted" in dry_run(hub, built, "Note Hook", {"object_kind": "note"})[1]
    loud = {**quiet, "commits": [{**quiet["commits"][0], "message": "Loud"}]}
    would_build, refusals, build = dry_run(hub, built, "push", loud)
    assert (would_build, refusals) == (True, set())
    assert build is not None
    assert (build["sha"], build["ref"], build["target"]) == (quiet["after"], "main", BUS)
    assert built.builds() == []
    after = sorted(repr(item) for _, item in items(hub.stack) if built.id.partition("_")[2][:20] in item["pk"])
    assert after == before
