"""In which pipeline GitLab shows a build; GitLab's own rules decide, as the stand-in has them."""

from typing import Any

import pytest

from gitlab_hub.builds.triggers.model import MergeRequestRules
from tests.functional.builds.build_company import PROJECT, WorldWithGitLab


def shown(world: WorldWithGitLab, sha: str) -> dict[int, str]:
    """The statuses of a commit, by their pipeline."""
    rows = world.answer("GET", f"/projects/{PROJECT}/repository/commits/{sha}/statuses")
    return {row["pipeline_id"]: row["status"] for row in rows}


def pipelines(world: WorldWithGitLab) -> list[tuple[str, str]]:
    rows = world.answer("GET", f"/projects/{PROJECT}/pipelines?sort=asc")
    return [(row["source"], row["ref"]) for row in rows]


def end(world: WorldWithGitLab, build_id: str, status: str = "success") -> None:
    assert world.call("PATCH", f"/v1/builds/{build_id}", {"status": status})[0] == 200
    world.work()


def opened(world: WorldWithGitLab, **more: Any) -> tuple[Any, list[str]]:
    done, built, _ = world.happens("open_merge_request", source_branch="feature", files=["a"], **more)
    return done, built


def moved() -> tuple[WorldWithGitLab, str, int, Any]:
    """A running build that was shown in a branch's pipeline first, and is shown in its merge request's now."""
    world = WorldWithGitLab(events=("merge_request",))
    done, [build_id] = opened(world)
    world.work()
    [first] = shown(world, done["sha"])
    pipeline = world.company.do("start_merge_request_pipeline", iid=done["iid"])
    said = {"status": "running", "description": "Half of it is done."}
    assert world.call("PATCH", f"/v1/builds/{build_id}", said)[0] == 200
    world.work()
    return world, build_id, first, pipeline


@pytest.mark.parametrize("events", [("merge_request",), ("push",), ("push", "merge_request")])
def test_a_status_is_in_the_pipeline_of_its_merge_request(events: tuple[str, ...]) -> None:
    world = WorldWithGitLab(events=events)
    done, [build_id] = opened(world)
    pipeline = world.company.do("start_merge_request_pipeline", iid=done["iid"])
    world.work()
    assert shown(world, done["sha"]) == {pipeline["id"]: "running"}
    end(world, build_id)
    assert shown(world, done["sha"]) == {pipeline["id"]: "success"}
    assert pipelines(world) == [("merge_request_event", f"refs/merge-requests/{done['iid']}/head")]
    assert world.call("GET", f"/v1/builds/{build_id}")[1]["build"]["gitlab_pipeline_id"] == pipeline["id"]


@pytest.mark.parametrize("events", [("merge_request",), ("push", "merge_request")])
def test_a_pipeline_that_comes_after_the_first_report_has_the_end_and_nothing_runs_for_ever(
    events: tuple[str, ...],
) -> None:
    world = WorldWithGitLab(events=events)
    done, [build_id] = opened(world)
    world.work()
    [first] = shown(world, done["sha"])
    pipeline = world.company.do("start_merge_request_pipeline", iid=done["iid"])
    end(world, build_id)
    assert shown(world, done["sha"]) == {first: "success", pipeline["id"]: "success"}


@pytest.mark.parametrize("events", [("merge_request",), ("push",)])
def test_every_pipeline_that_showed_a_build_has_its_end(events: tuple[str, ...]) -> None:
    world = WorldWithGitLab(events=events)
    done, [build_id] = opened(world)
    world.work()
    [first] = shown(world, done["sha"])
    later: list[Any] = []
    for merged in (False, True, True):
        world.happens("push", branch="main", files=[f"main-{len(later)}"])
        later.append(world.company.do("start_merge_request_pipeline", iid=done["iid"], merged=merged))
        said = {"status": "running", "description": f"Part {len(later)}"}
        assert world.call("PATCH", f"/v1/builds/{build_id}", said)[0] == 200
        world.work()
    end(world, build_id)
    own, *results = later
    assert shown(world, done["sha"]) == {first: "success", own["id"]: "success"}
    assert len({done["sha"], *(result["sha"] for result in results)}) == 3
    for result in results:
        assert shown(world, result["sha"]) == {result["id"]: "success"}


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("action", ["merge", "close"])
@pytest.mark.parametrize("events", [("merge_request",), ("push",)])
def test_a_merge_request_that_ends_before_its_build_shows_the_builds_end(
    events: tuple[str, ...], action: str, merged: bool
) -> None:
    world = WorldWithGitLab(events=events)
    done, [build_id] = opened(world)
    pipeline = world.company.do("start_merge_request_pipeline", iid=done["iid"], merged=merged)
    world.work()
    world.company.do("update_merge_request", iid=done["iid"], action=action)
    end(world, build_id)
    assert shown(world, pipeline["sha"]) == {pipeline["id"]: "success"}
    assert pipelines(world) == [("merge_request_event", pipeline["ref"])]


@pytest.mark.parametrize("action", ["merge", "close"])
def test_a_pipeline_that_comes_before_the_first_report_shows_it_though_its_merge_request_has_ended(
    action: str,
) -> None:
    world = WorldWithGitLab(events=("push",))
    done, [build_id] = opened(world)
    pipeline = world.company.do("start_merge_request_pipeline", iid=done["iid"])
    world.company.do("update_merge_request", iid=done["iid"], action=action)
    end(world, build_id)
    assert shown(world, done["sha"]) == {pipeline["id"]: "success"}


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("events", [("merge_request",), ("push",)])
def test_a_push_that_overtakes_a_build_leaves_it_in_its_pipeline(events: tuple[str, ...], merged: bool) -> None:
    world = WorldWithGitLab(events=events)
    done, [old] = opened(world)
    first = world.company.do("start_merge_request_pipeline", iid=done["iid"], merged=merged)
    world.work()
    _, [new], _ = world.happens("update_merge_request", iid=done["iid"], files=["b"])
    second = world.company.do("start_merge_request_pipeline", iid=done["iid"], merged=merged)
    world.work()
    end(world, old)
    end(world, new)
    assert shown(world, first["sha"]) == {first["id"]: "success"}
    assert shown(world, second["sha"]) == {second["id"]: "success"}
    assert len(pipelines(world)) == 2


def test_a_pipeline_that_has_the_status_already_is_remembered() -> None:
    world, build_id, _, _ = moved()
    result = world.company.do("start_merge_request_pipeline", iid=1, merged=True)
    lost = {"state": "running", "name": "ci/hub", "pipeline_id": result["id"]}
    world.answer("POST", f"/projects/{PROJECT}/statuses/{result['sha']}", lost)
    assert world.call("PATCH", f"/v1/builds/{build_id}", {"status": "running", "description": "Nearly."})[0] == 200
    world.work()
    world.company.do("update_merge_request", iid=1, files=["b"])
    end(world, build_id)
    assert shown(world, result["sha"]) == {result["id"]: "success"}


def test_of_two_merge_requests_of_a_branch_the_one_of_the_commit_counts_and_then_the_open_one() -> None:
    world = WorldWithGitLab(events=("push",))
    done, [first] = opened(world)
    old = world.company.do("start_merge_request_pipeline", iid=done["iid"])
    world.company.do("update_merge_request", iid=done["iid"], action="close")
    newer, [second], _ = world.happens("push", branch="feature", files=["b"])
    again = world.company.do("open_merge_request", source_branch="feature")
    new = world.company.do("start_merge_request_pipeline", iid=again["iid"])
    world.work()
    for build_id in (first, second):
        end(world, build_id)
    assert shown(world, done["sha"]) == {old["id"]: "success"}
    assert shown(world, newer["sha"]) == {new["id"]: "success"}


def test_a_pipeline_that_gitlab_removed_gets_no_successor_where_the_build_is_shown_elsewhere() -> None:
    world, build_id, first, pipeline = moved()
    del world.company.app.company.pipelines[PROJECT][first]
    before = pipelines(world)
    end(world, build_id)
    assert shown(world, pipeline["sha"])[pipeline["id"]] == "success"
    assert pipelines(world) == before


def test_the_pipeline_that_the_release_before_remembered_has_the_end_too() -> None:
    world, build_id, first, pipeline = moved()
    row = world.rows.get(f"BUILD#{build_id}", "BUILD")
    assert row is not None
    new = {"status_sha", "left_pipelines"}
    assert new < set(row)
    world.rows.put({name: row[name] for name in set(row) - new} | {"left_pipeline_id": first})
    end(world, build_id)
    assert shown(world, pipeline["sha"]) == {first: "success", pipeline["id"]: "success"}
    row = world.rows.get(f"BUILD#{build_id}", "BUILD")
    assert row is not None
    assert "left_pipeline_id" not in row


def test_a_status_is_in_the_pipeline_for_the_result_of_the_merge() -> None:
    world = WorldWithGitLab(events=("merge_request",))
    done, [build_id] = opened(world)
    pipeline = world.company.do("start_merge_request_pipeline", iid=done["iid"], merged=True)
    world.work()
    end(world, build_id)
    assert shown(world, pipeline["sha"]) == {pipeline["id"]: "success"}
    assert shown(world, done["sha"]) == {}


def test_an_older_commit_of_a_merge_request_stays_in_its_own_pipeline() -> None:
    world = WorldWithGitLab(events=("merge_request",))
    done, [old] = opened(world)
    first = world.company.do("start_merge_request_pipeline", iid=done["iid"])
    newer, [new], _ = world.happens("update_merge_request", iid=done["iid"], files=["b"])
    second = world.company.do("start_merge_request_pipeline", iid=done["iid"])
    world.work()
    for build_id in (old, new):
        end(world, build_id)
    assert shown(world, done["sha"]) == {first["id"]: "success"}
    assert shown(world, newer["sha"]) == {second["id"]: "success"}


def test_a_pipeline_of_the_merge_before_is_not_taken_for_the_newest_commits() -> None:
    world = WorldWithGitLab(events=("merge_request",))
    done, _ = opened(world)
    stale = world.company.do("start_merge_request_pipeline", iid=done["iid"], merged=True)
    newer, [new], _ = world.happens("update_merge_request", iid=done["iid"], files=["b"])
    world.work()
    end(world, new)
    assert shown(world, stale["sha"]).get(stale["id"]) != "success"
    assert list(shown(world, newer["sha"]).values()) == ["success"]


def test_without_a_merge_request_pipeline_a_status_is_in_its_branchs() -> None:
    world = WorldWithGitLab()
    done, [build_id] = opened(world)
    world.work()
    end(world, build_id)
    assert pipelines(world) == [("external", "feature")]
    assert list(shown(world, done["sha"]).values()) == ["success"]


def test_a_push_to_a_branch_is_not_shown_in_the_merge_request_of_another_branch() -> None:
    world = WorldWithGitLab(events=("push",))
    done, _ = opened(world)
    world.company.do("start_merge_request_pipeline", iid=done["iid"])
    _, [forward], _ = world.happens("push", branch="main", force_to=done["sha"])
    world.work()
    end(world, forward)
    assert ("external", "main") in pipelines(world)


def test_a_forks_status_opens_no_pipeline_of_the_projects_branch_of_that_name() -> None:
    world = WorldWithGitLab(events=("merge_request",), merge_requests=MergeRequestRules(forks="allow"))
    world.happens("push", files=["x"])
    fork = world.company.do("fork_project", user_id=2)
    done, [build_id], _ = world.happens(
        "open_merge_request", source_branch="main", source_project_id=fork["id"], files=["a"]
    )
    world.work()
    end(world, build_id)
    assert pipelines(world) == [("external", f"refs/merge-requests/{done['iid']}/head")]


@pytest.mark.parametrize("read_only_at", ["start", "end"])
def test_an_end_that_falls_into_a_maintenance_is_shown_after_it(read_only_at: str) -> None:
    world = WorldWithGitLab(events=("merge_request",))
    done, [build_id] = opened(world)
    pipeline = world.company.do("start_merge_request_pipeline", iid=done["iid"])
    world.company.behave(read_only=read_only_at == "start")
    world.work()
    world.company.behave(read_only=True)
    end(world, build_id)
    for _ in range(10):
        world.later(60)
    assert "success" not in shown(world, done["sha"]).values()
    world.company.behave(read_only=False)
    for _ in range(16):
        world.later(60)
    assert shown(world, done["sha"]) == {pipeline["id"]: "success"}
