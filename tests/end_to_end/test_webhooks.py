"""Hooks in GitLab, and what they tell: everything arrives, is verified and logged, and the syncs ask GitLab for it."""

import pytest

from tests.end_to_end.coding_company import EVENTS, FEATURES, CodingCompany, Row
from tests.end_to_end.companies import DEVELOPER, token
from tests.end_to_end.hub_client import Hub, until

FIELDS = {
    "id", "scope", "gitlab_hook_id", "target", "url", "verification", "events", "status",
}  # fmt: skip
IGNORED = '{"ok":true,"ignored":"unsupported_event"}'


def told(company: CodingCompany, hook: Row, events: int) -> dict[tuple[str, str], list[str]]:
    """What became of a hook's deliveries: (event, action) → status and reasons."""
    rows = company.worked_on(events, hook_id=hook["id"])
    assert {row["verification"] for row in rows} == {"signature"}
    return {(row["event"], row["action"] or ""): [row["status"], *row["reasons"]] for row in rows}


def test_a_projects_hook_tells_of_its_code(company: CodingCompany) -> None:
    gitlab, project = company.gitlab, company.project()
    hook = company.hook("project", project)
    assert hook.keys() >= FIELDS
    assert (hook["scope"], hook["status"], hook["verification"]) == ("project", "active", "signature")
    assert hook["events"] == list(EVENTS)
    [there] = company.there(project_id=project)
    assert (there["id"], there["url"]) == (hook["gitlab_hook_id"], hook["url"])
    assert hook["url"] == f"{company.hub.url}/v1/webhooks/gitlab/{hook['id']}"

    gitlab.push(project, "main", files=["a.py"])
    gitlab.push_tag(project, "v1")
    iid = gitlab.open_merge_request(project, "feature", files=["b.py"])["iid"]
    gitlab.update_merge_request(project, iid, action="merge")
    gitlab.change("add_pipeline", project_id=project, jobs=1)
    for verb, more in (("deploy", {}), ("release", {"tag": "v1"}), ("note", {"text": "Well done"})):
        gitlab.change(verb, project_id=project, **more)

    sent = company.sent(hook)
    answers = {(row["trigger"], row["response_status"]) for row in sent}
    assert {status for _, status in answers} == {"200", "202"}, answers
    unheard = {row["trigger"] for row in sent if row["response_body"] == IGNORED}
    assert unheard == {"release_hooks", "note_hooks"}
    accepted = [row for row in sent if row["response_status"] == "202"]
    found = told(company, hook, len(accepted))
    assert len(company.deliveries(hook_id=hook["id"])) == len(accepted)
    no_trigger = ["ignored", "no_trigger"]
    assert found.items() >= {
        ("push", ""): no_trigger, ("tag_push", ""): no_trigger,
        ("merge_request", "open"): no_trigger, ("merge_request", "merge"): no_trigger,
        ("pipeline", "created"): ["handled", "asks_gitlab"], ("job", "created"): ["handled", "asks_gitlab"],
    }.items()  # fmt: skip
    shown = company.hub.get(f"{company.path}/webhooks/{hook['id']}")["webhook"]
    assert shown["last_delivery_at"]


def test_a_pipelines_event_makes_it_appear(hub: Hub, company: CodingCompany) -> None:
    gitlab, project = company.gitlab, company.project()
    company.hook("project", project, "pipeline", "job")
    number = gitlab.change("add_pipeline", project_id=project, jobs=2)["id"]
    one = f"{company.path}/projects/{project}/pipelines/{number}"
    until(lambda: hub.call("GET", one).status == 200)
    gitlab.control("POST", "advance", {"seconds": 3600, "idle": True})
    [real] = [row for row in gitlab.truth("pipelines", project_id=project) if row["id"] == number]
    until(lambda: hub.get(one)["pipeline"]["status"] == real["status"])
    jobs = {row["id"]: row["status"] for row in gitlab.truth("jobs", pipeline_id=number)}
    assert until(lambda: {row["id"]: row["status"] for row in hub.rows(f"{one}/jobs", include_retried="true")} == jobs)


def test_a_groups_hook_tells_of_its_people(hub: Hub, company: CodingCompany) -> None:
    gitlab, group = company.gitlab, company.group()
    hook = company.hook("group", group["full_path"], "push", "member", "project", "subgroup")
    assert (hook["target"], hook["target_id"], hook["status"]) == (group["full_path"], group["id"], "active")
    for_good, user_id = (gitlab.change("add_user", username=f"{name}-{group['id']}")["id"] for name in ("one", "two"))
    for each in (for_good, user_id):
        gitlab.change("add_member", source="group", source_id=group["id"], user_id=each, level=DEVELOPER)
    child = gitlab.change("add_group", path="below", parent_id=group["id"])
    project = company.project(child["id"])
    gitlab.push(project, "main", files=["a.py"])
    assert {row["response_status"] for row in company.sent(hook)} == {"202"}
    found = told(company, hook, 5)
    assert {event for event, _ in found} == {"push", "member", "project", "subgroup"}
    asked = [outcome for (event, _), outcome in found.items() if event != "push"]
    assert asked == [["handled", "asks_gitlab"]] * 3

    def granted() -> set[int]:
        grants = hub.rows(f"{company.path}/grants", view="direct", group_id=group["id"])
        return {row["account_id"] for row in grants if row["access_level"] == DEVELOPER}

    until(lambda: granted() == {for_good, user_id})
    until(lambda: project in {row["id"] for row in hub.rows(f"{company.path}/projects")})
    until(lambda: child["id"] in {row["id"] for row in hub.rows(f"{company.path}/groups")})
    gitlab.change("remove_member", source="group", source_id=group["id"], user_id=user_id)
    until(lambda: granted() == {for_good})


def test_hooks_of_projects_stand_in_for_a_groups(hub: Hub, company: CodingCompany) -> None:
    gitlab, group = company.gitlab, company.group()
    projects = {company.project(group["id"]) for _ in range(2)}
    gitlab.behave(group_hooks="unlicensed")
    wanted = {"scope": "group", "target": group["id"], "events": ["push", "member"]}
    refused = hub.call("POST", f"{company.path}/webhooks", wanted)
    assert refused.refusal == (409, "group_hooks_unavailable")
    assert refused.body["details"] == {"fallback": "project"}
    parent = company.hook("group", group["id"], "push", "member", fallback="project")
    assert (parent["spread"], parent["gitlab_hook_id"]) == (True, None)
    listed = hub.rows(f"{company.path}/webhooks")
    children = [row for row in listed if row["parent_id"] == parent["id"]]
    assert {row["target_id"] for row in children} == projects
    for child in children:
        gitlab.push(child["target_id"], "main", files=["a.py"])
        assert [row["response_status"] for row in company.sent(child)] == ["202"]
    assert hub.call("DELETE", f"{company.path}/webhooks/{parent['id']}").body == {"ok": True}
    assert not [row for number in projects for row in company.there(project_id=number)]
    assert not [row for row in hub.rows(f"{company.path}/webhooks") if row["parent_id"] == parent["id"]]


def test_a_system_hook_tells_of_everything(hub: Hub, company: CodingCompany) -> None:
    gitlab = company.gitlab
    hook = company.hook("system", None, "push", "tag_push", "merge_request", "member", "project", "subgroup")
    try:
        assert (hook["target"], hook["target_id"]) == (gitlab.base, None)
        group = company.group()
        project = company.project(group["id"])
        user_id = gitlab.change("add_user", username=f"everybody-{group['id']}")["id"]
        gitlab.change("add_member", source="project", source_id=project, user_id=user_id, level=DEVELOPER)
        gitlab.push(project, "main", files=["a.py"])
        sent = company.sent(hook)
        assert {row["response_status"] for row in sent} == {"200", "202"}
        accepted = [row for row in sent if row["response_status"] == "202"]
        found = told(company, hook, len(accepted))
        assert found[("push", "")] == ["ignored", "no_trigger"]
        others = {outcome[0] for (event, _), outcome in found.items() if event != "push"}
        assert others == {"handled"}
        until(lambda: project in {row["id"] for row in hub.rows(f"{company.path}/projects")})
    finally:
        assert hub.call("DELETE", f"{company.path}/webhooks/{hook['id']}").status == 200
    assert hook["gitlab_hook_id"] not in {row["id"] for row in company.there()}


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        ({"scope": "project", "target": 999_999, "events": ["push"]}, (404, "not_found")),
        ({"scope": "project", "events": ["push"]}, (422, "invalid_input")),
        ({"scope": "project", "target": 1, "events": ["member"]}, (422, "invalid_input")),
        ({"scope": "project", "target": 1, "events": []}, (422, "invalid_input")),
        ({"scope": "everything", "target": 1, "events": ["push"]}, (422, "invalid_input")),
        ({"scope": "project", "target": 1, "events": ["push"], "secret": "mine"}, (422, "invalid_input")),
    ],
)
def test_what_cannot_be_hooked_is_refused(company: CodingCompany, wanted: Row, refusal: tuple[int, str]) -> None:
    before = company.there()
    assert company.hub.call("POST", f"{company.path}/webhooks", wanted).refusal == refusal
    assert company.there() == before


def test_a_registration_that_is_repeated_hangs_one_hook(hub: Hub, company: CodingCompany) -> None:
    project = company.project()
    wanted = {"scope": "project", "target": project, "events": ["push"]}
    made = [hub.call("POST", f"{company.path}/webhooks", wanted, Idempotency_Key=key) for key in ("a-1", "a-1", "a-2")]
    assert {answer.status for answer in made} == {201}
    assert len({answer.body["webhook"]["id"] for answer in made}) == 1
    assert len(company.there(project_id=project)) == 1


def test_what_the_log_shows_can_be_narrowed_down(hub: Hub, company: CodingCompany) -> None:
    gitlab, project = company.gitlab, company.project()
    hook = company.hook("project", project, "push", "tag_push")
    gitlab.push(project, "main", files=["a.py"])
    gitlab.push_tag(project, "v1")
    rows = company.worked_on(2, hook_id=hook["id"])
    assert company.deliveries(hook_id=hook["id"], event="push") == [row for row in rows if row["event"] == "push"]
    assert company.deliveries(hook_id=hook["id"], status="handled") == []
    assert company.deliveries(hook_id=hook["id"], since=rows[0]["received_at"] + 60) == []
    assert company.deliveries(hook_id=hook["id"], limit=1) == rows
    mine = hub.rows("/v1/deliveries", hook_id=hook["id"])
    assert mine == rows
    for path in ("/v1/deliveries/dlv_unknown", f"/v1/deliveries/{rows[0]['id']}0"):
        assert hub.call("GET", path).refusal == (404, "not_found")
    assert hub.call("GET", "/v1/deliveries?integration_id=int_unknown").refusal == (404, "not_found")


def test_a_renamed_groups_hook_goes_on_telling_of_its_projects(hub: Hub, company: CodingCompany) -> None:
    gitlab, group = company.gitlab, company.group()
    project = company.project(group["id"])
    hook = company.hook("group", group["full_path"], "push")
    renamed = gitlab.change("rename_group", id=group["id"], path=f"renamed-{group['id']}")["full_path"]
    gitlab.push(project, "main", files=["src/a.py"])
    [row] = company.worked_on(hook_id=hook["id"])
    assert (row["reasons"], row["project_id"]) == (["no_trigger"], project)
    assert row["project_path"].startswith(f"{renamed}/")
    until(lambda: hub.get(f"{company.path}/webhooks/{hook['id']}")["webhook"]["target"] == renamed)


def test_an_integration_limited_to_a_group_outlives_its_new_name(hub: Hub, company: CodingCompany) -> None:
    gitlab, group = company.gitlab, company.group()
    project, admin = company.project(group["id"]), next(row["id"] for row in gitlab.truth("users") if row["is_admin"])
    gitlab.change("add_pipeline", project_id=project)
    path = hub.connect(gitlab.base, token(gitlab, admin, ("api",)), features=FEATURES, group=group["full_path"])
    hub.sync(path)
    renamed = gitlab.change("rename_group", id=group["id"], path=f"renamed-{group['id']}")["full_path"]
    hub.sync(path)
    assert hub.get(path)["integration"]["group"] == renamed
    [row] = hub.rows(f"{path}/projects")
    assert (row["id"], row["full_path"].startswith(f"{renamed}/")) == (project, True)
    assert [row["project_id"] for row in hub.rows(f"{path}/pipelines")] == [project]
    assert hub.call("POST", f"{path}/verify").body["ok"]
    assert (
        hub.call("POST", f"{path}/webhooks", {"scope": "project", "target": project, "events": ["push"]}).status == 201
    )
    CodingCompany(hub, gitlab, path).guard_hooks()
    assert hub.call("DELETE", path).status == 200
