"""Code, merge requests and running pipelines as a client that others wrote sees them."""

import time
from typing import Any

import gitlab

from stand_in_gitlab.process import Running, running
from tests.integration.stand_in.receiver import ReceivedCalls, receiver

PROJECT = 2


def lab_of(server: Running) -> gitlab.Gitlab:
    return gitlab.Gitlab(server.base, private_token=server.tokens["admin"])


def test_python_gitlab_reads_branches_tags_commits_and_comparisons(server: Running) -> None:
    done = server.push(PROJECT, "compared", files=["one.py", "two.py"], message="Two files")
    server.push_tag(PROJECT, "v9", ref="compared", message="Nine")
    with lab_of(server) as lab:
        project = lab.projects.get(PROJECT)
        assert project.branches.get("compared").commit["id"] == done["sha"]
        assert "compared" in [branch.name for branch in project.branches.list(iterator=True)]
        assert project.tags.get("v9").commit["id"] == project.commits.get("v9").id == done["sha"]
        compared: Any = project.repository_compare(project.default_branch, "compared")
        assert [each["new_path"] for each in compared["diffs"]] == ["one.py", "two.py"]


def test_python_gitlab_reads_a_merge_request(server: Running) -> None:
    opened = server.open_merge_request(PROJECT, "wanted", files=["a.py"], labels=["ready"])
    pushed = server.update_merge_request(PROJECT, opened["iid"], files=["b.py"])
    with lab_of(server) as lab:
        request = lab.projects.get(PROJECT).mergerequests.get(opened["iid"])
        assert (request.sha, request.labels, request.state) == (pushed["sha"], ["ready"], "opened")
        assert [commit.id for commit in request.commits()] == [pushed["sha"], opened["sha"]]
    heads = {row["ref"]: row["sha"] for row in server.truth("refs", project_id=PROJECT)}
    assert heads["refs/heads/wanted"] == pushed["sha"]


def test_a_clock_that_runs_tells_of_pipelines_by_itself() -> None:
    with running("--pipelines", "1", "--jobs", "1", "--projects", "3") as server, receiver() as heard:
        project = next(row["id"] for row in server.truth("projects") if row["builds_enabled"])
        with lab_of(server) as lab:
            lab.projects.get(project).hooks.create({"url": heard.url, "push_events": False, "pipeline_events": True})
        made = {server.change("add_pipeline", project_id=project, jobs=2)["id"] for _ in range(4)}
        until = time.monotonic() + 60
        while time.monotonic() < until and not ({"pending", "running"} <= statuses(heard) and told_of(heard) >= made):
            time.sleep(0.1)
        assert statuses(heard) >= {"pending", "running"}
        assert told_of(heard) >= made


def told_of(heard: ReceivedCalls) -> set[int]:
    return {each["object_attributes"]["id"] for each in heard.bodies()}


def statuses(heard: ReceivedCalls) -> set[str]:
    return {each["object_attributes"]["status"] for each in heard.bodies()}
