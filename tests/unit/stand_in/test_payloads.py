"""The bodies of webhooks have the fields of recorded ones."""

import json
from pathlib import Path
from typing import Any

import pytest

RECORDED = Path(__file__).parents[2] / "data" / "gitlab"

# Recorded bodies carry fields of other releases, of features the stand-in has not, or of the things' own contents.
LEFT_OUT = {
    "webhooks/merge_request.json": {"assignees", "reviewers"},
    "webhooks/pipeline.json": {"source_pipeline"},
}
EVENTS = (
    *("push_events", "tag_push_events", "merge_requests_events", "pipeline_events", "job_events"),
    *("deployment_events", "releases_events", "note_events"),
)
EVERYTHING = dict.fromkeys(EVENTS, True)


def recorded(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((RECORDED / name).read_text("utf-8"))
    return body


@pytest.fixture
def told(hooked: Any) -> dict[str, dict[str, Any]]:
    """One body of every kind, by the name of the recorded one."""
    hooked.hook(**EVERYTHING)
    hooked.do("push", project_id=1, branch="main", files=["a"], pipeline=True)
    hooked.do("push_tag", project_id=1, tag="v1")
    hooked.do("open_merge_request", project_id=1, source_branch="f", files=["b"], labels=["x"])
    for verb, what in (("deploy", {}), ("release", {"tag": "v1"}), ("note", {"text": "n"})):
        hooked.do(verb, project_id=1, **what)
    hooked.advance(3600)
    found = {f"webhooks/{each['object_kind']}.json": each for each in hooked.heard()}
    found["webhooks/job.json"] = found.pop("webhooks/build.json")
    found["webhooks/note_commit.json"] = found.pop("webhooks/note.json")
    hooked.do("note", project_id=1, text="n", iid=1)
    found["webhooks/note_merge_request.json"] = hooked.heard()[0]
    return found


def test_every_recorded_field_is_there(told: dict[str, dict[str, Any]]) -> None:
    assert len(told) == 9
    for name, body in told.items():
        lacking = set(recorded(name)) - set(body) - LEFT_OUT.get(name, set())
        assert not lacking, (name, lacking)
        for part in ("project", "repository", "user"):
            if part in recorded(name):
                lacking = set(recorded(name)[part]) - set(body[part]) - {"ci_config_path", "visibility_level"}
                assert not lacking, (name, part, lacking)


@pytest.mark.parametrize("name", ["pipeline", "merge_request", "note_commit", "note_merge_request"])
def test_attributes_too(told: dict[str, dict[str, Any]], name: str) -> None:
    whole = f"webhooks/{name}.json"
    assert set(recorded(whole)["object_attributes"]) <= set(told[whole]["object_attributes"])


@pytest.mark.parametrize(("name", "part"), [("push", "commits"), ("tag_push", "commits"), ("pipeline", "builds")])
def test_rows_inside_too(told: dict[str, dict[str, Any]], name: str, part: str) -> None:
    whole = f"webhooks/{name}.json"
    assert set(recorded(whole)[part][0]) <= set(told[whole][part][0])


@pytest.mark.parametrize("name", ["member", "subgroup"])
def test_a_group_s_bodies(hooked: Any, name: str) -> None:
    hooked.hook("/groups/1/hooks", member_events=True, subgroup_events=True)
    if name == "member":
        hooked.do("add_member", source="group", source_id=1, user_id=2, level=20, expires_at="2027-01-01")
    else:
        hooked.do("add_group", path="below", parent_id=1)
    (body,) = hooked.heard()
    assert set(recorded(f"webhooks/{name}.json")) <= set(body)


def test_system_bodies(hooked: Any) -> None:
    hooked.hook("/hooks", push_events=True, tag_push_events=True, merge_requests_events=True)
    user = hooked.do("add_user", username="u")["id"]
    group = hooked.do("add_group", path="g")["id"]
    project = hooked.do("add_project", path="p", group_id=group)["id"]
    hooked.do("add_member", source="project", source_id=project, user_id=user, level=30)
    hooked.do("push", project_id=1, branch="main", files=["a"])
    hooked.do("push_tag", project_id=1, tag="v1")
    bodies = {each["event_name"]: each for each in hooked.heard()}
    for name, body in bodies.items():
        lacking = set(recorded(f"systemhooks/{name}.json")) - set(body)
        assert not lacking, (name, lacking)
    assert set(bodies) == {
        *("user_create", "group_create", "project_create", "user_add_to_team"),
        *("push", "tag_push", "repository_update"),
    }
