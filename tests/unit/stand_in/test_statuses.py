"""Commit statuses: the state machine, the pipeline behind it, the refusals."""

from collections.abc import Callable
from typing import Any

import pytest

from stand_in_gitlab.app import StandIn

Post = Callable[..., Any]


@pytest.fixture
def sha(control: Any) -> str:
    return str(control("POST", "changes", {"do": "push", "project_id": 1, "branch": "new", "files": ["a.py"]})["sha"])


@pytest.fixture
def post(ask: Any, sha: str) -> Post:
    def call(state: str, holder: str = "admin", **sent: Any) -> Any:
        return ask(f"/projects/1/statuses/{sent.pop('sha', sha)}", holder, "POST", {"state": state, **sent})

    return call


def test_a_status_makes_an_external_pipeline_and_is_answered_in_gitlab_s_shape(post: Post, ask: Any, sha: str) -> None:
    got = post("running", name="hub", target_url="https://hub.test/1", description="Building", coverage=81.5)
    assert got.status == 201
    pipeline = ask(f"/projects/1/pipelines/{got.json['pipeline_id']}", "admin").json
    assert (pipeline["source"], pipeline["sha"], pipeline["ref"], pipeline["status"]) == (
        "external",
        sha,
        "new",
        "running",
    )
    expected: dict[str, Any] = {
        "sha": sha,
        "ref": "new",
        "status": "running",
        "name": "hub",
        "target_url": "https://hub.test/1",
    }
    expected |= {"description": "Building", "coverage": 81.5, "allow_failure": False, "finished_at": None}
    assert {name: got.json[name] for name in expected} == expected
    assert got.json["author"]["username"] == "root"
    assert set(got.json) - set(expected) == {"id", "created_at", "started_at", "pipeline_id", "author"}


def test_the_same_status_moves_on_in_the_same_pipeline(post: Post, ask: Any, app: StandIn) -> None:
    seen = []
    for state in ("pending", "running", "success"):
        app.clock.advance(5)
        seen.append(post(state, name="hub").json)
    assert len({each["id"] for each in seen}) == len({each["pipeline_id"] for each in seen}) == 1
    assert [each["status"] for each in seen] == ["pending", "running", "success"]
    assert seen[-1]["started_at"] < seen[-1]["finished_at"]
    assert ask(f"/projects/1/pipelines/{seen[0]['pipeline_id']}", "admin").json["status"] == "success"


@pytest.mark.parametrize(
    ("first", "second", "event"),
    [
        ("pending", "pending", ":enqueue from :pending"),
        ("running", "running", ":run from :running"),
        ("running", "pending", ":enqueue from :running"),
        ("running", "skipped", ":skip from :running"),
    ],
)
def test_a_move_that_is_none_is_refused_and_changes_nothing(
    post: Post, ask: Any, sha: str, first: str, second: str, event: str
) -> None:
    kept = post(first, name="hub", description="kept").json
    got = post(second, name="hub", description="lost")
    assert got.status == 400
    assert got.json["message"].startswith(f"Cannot transition status via {event} (Reason(s): ")
    assert ask(f"/projects/1/repository/commits/{sha}/statuses", "admin").json == [kept]


@pytest.mark.parametrize("state", ["success", "failed", "canceled", "skipped"])
def test_what_has_ended_begins_anew(post: Post, ask: Any, sha: str, state: str) -> None:
    first, second = post(state, name="hub").json, post("pending", name="hub").json
    assert first["id"] != second["id"]
    assert first["pipeline_id"] == second["pipeline_id"]
    here = f"/projects/1/repository/commits/{sha}/statuses"
    assert [each["id"] for each in ask(here, "admin").json] == [second["id"]]
    assert [each["id"] for each in ask(f"{here}?all=true", "admin").json] == [first["id"], second["id"]]


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        (("success", "success"), "success"),
        (("success", "failed"), "failed"),
        (("success", "running"), "running"),
        (("pending", "pending"), "pending"),
        (("canceled", "success"), "canceled"),
    ],
)
def test_the_pipeline_follows_its_statuses(post: Post, ask: Any, states: tuple[str, str], whole: str) -> None:
    number = {post(state, name=f"part {n}").json["pipeline_id"] for n, state in enumerate(states)}.pop()
    assert ask(f"/projects/1/pipelines/{number}", "admin").json["status"] == whole
    assert ask(f"/projects/1/pipelines/{number}/jobs", "admin").json == []


def test_a_status_joins_the_pipeline_that_the_commit_has(post: Post, ask: Any, app: StandIn) -> None:
    newest = max(app.company.pipelines[1].values(), key=lambda each: (each.parent_id is None, each.id))
    got = post("running", sha=newest.sha, name="hub").json
    assert (got["pipeline_id"], got["ref"]) == (newest.id, newest.ref)
    assert ask(f"/projects/1/pipelines/{newest.id}", "admin").json["status"] == "running"
    assert "hub" not in {each["name"] for each in ask(f"/projects/1/pipelines/{newest.id}/jobs", "admin").json}


def test_a_named_pipeline_has_to_fit_the_ref_as_well(post: Post) -> None:
    first = post("running", name="a").json["pipeline_id"]
    assert post("running", name="b", pipeline_id=first).json["pipeline_id"] == first
    assert post("running", name="c", pipeline_id=999_999).json["message"].startswith("404 Pipeline for pipeline_id")
    assert post("running", name="c", pipeline_id=first, ref="other").status == 404
    assert post("running", name="c", ref="other").json["pipeline_id"] != first


@pytest.mark.parametrize(
    ("sent", "status", "body"),
    [
        ({"state": ""}, 400, {"error": "state is missing"}),
        ({"state": "done"}, 400, {"error": "state does not have a valid value"}),
        ({"state": "running", "sha": "0" * 40}, 404, {"message": "404 Commit Not Found"}),
        ({"state": "running", "coverage": "most"}, 400, {"error": "coverage is invalid"}),
    ],
)
def test_wrong_statuses(post: Post, sent: dict[str, str], status: int, body: dict[str, str]) -> None:
    got = post(**sent)
    assert (got.status, got.json) == (status, body)


def test_contention_is_a_conflict_so_often(post: Post, control: Any) -> None:
    control("POST", "behaviour", {"status_conflicts": 2})
    assert [post("running", name="hub").status for _ in range(3)] == [409, 409, 201]


def test_reading_tokens_and_reporters_may_not_post(post: Post, control: Any) -> None:
    assert post("running", "admin-read").json["error"] == "insufficient_scope"
    user = control("POST", "changes", {"do": "add_user", "username": "rita"})["id"]
    control("POST", "changes", {"do": "add_token", "name": "rita", "user_id": user, "scopes": ["api"]})
    for level, status in ((20, 403), (30, 201)):
        enrol = {"source": "project", "source_id": 1, "user_id": user, "level": level}
        control("POST", "changes", {"do": "add_member", **enrol})
        assert post("running", "rita", name="hub").status == status


def test_the_control_board_knows_all_statuses(post: Post, control: Any, sha: str) -> None:
    number = post("failed", name="hub", description="no").json["id"]
    (row,) = control("GET", "ground-truth/statuses?project_id=1")["rows"]
    assert (row["id"], row["sha"], row["status"], row["description"]) == (number, sha, "failed", "no")


def test_a_read_only_gitlab_says_so_before_it_looks_at_anything(post: Post, ask: Any, control: Any, sha: str) -> None:
    control("POST", "behaviour", {"read_only": True})
    got = post("running", name="hub", holder="narrow")
    assert (got.status, got.json) == (
        403, {"message": "You cannot perform write operations on a read-only instance"},
    )  # fmt: skip
    assert ask(f"/projects/1/repository/commits/{sha}", "admin").status == 200
    control("POST", "behaviour", {"read_only": False})
    assert post("running", name="hub").status == 201


def test_a_read_only_gitlab_takes_what_is_no_json_for_a_browser(app: StandIn, ask: Any, control: Any) -> None:
    control("POST", "behaviour", {"read_only": True})
    assert ask("/projects/1/hooks/1", "admin", "DELETE").status == 301
