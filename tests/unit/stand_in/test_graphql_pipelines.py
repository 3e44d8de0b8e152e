"""Pipelines in GraphQL: what REST tells of them, in GraphQL's order and spelling, to whoever may see them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from stand_in_gitlab.app import StandIn
from stand_in_gitlab.rest.api import Call

PIPELINE = """
    id iid status sha beforeSha ref refPath source createdAt updatedAt startedAt finishedAt duration queuedDuration
    coverage user { id username } jobs { count nodes { id } }
"""


@pytest.fixture
def pipelines(app: StandIn) -> Callable[..., Any]:
    """Ask for the pipelines of a project: the nodes, or the whole answer where there are errors."""

    def send(number: int, arguments: str = "", holder: str = "admin-read", wanted: str = PIPELINE) -> Any:
        selection = f"pipelines{arguments} {{ count nodes {{ {wanted} }} pageInfo {{ hasNextPage }} }}"
        text = f'{{ projects(ids: ["gid://gitlab/Project/{number}"]) {{ nodes {{ jobsEnabled {selection} }} }} }}'
        headers = {"authorization": f"Bearer {app.company.well_known[holder]}"}
        body = json.dumps({"query": text}).encode()
        call = Call(method="POST", path="/api/graphql", segments=(), params={}, headers=headers, body=body)
        told = json.loads(app.graphql.answer(call).body)
        return told if "errors" in told else told["data"]["projects"]["nodes"][0]

    return send


def projects(app: StandIn) -> list[int]:
    return [project.id for project in app.company.projects.values() if project.builds_enabled]


def test_it_tells_what_rest_tells_but_for_parts_of_seconds(
    pipelines: Callable[..., Any], ask: Any, app: StandIn
) -> None:
    for number in projects(app):
        told = pipelines(number)["pipelines"]
        rest = ask.everything(f"/projects/{number}/pipelines")
        assert [node["id"] for node in told["nodes"]] == [f"gid://gitlab/Ci::Pipeline/{row['id']}" for row in rest]
        for node, row in zip(told["nodes"], rest, strict=True):
            path = f"/projects/{number}/pipelines/{row['id']}"
            body = ask(path).json
            assert (node["iid"], node["status"]) == (str(body["iid"]), body["status"].upper())
            assert [node[name] for name in ("sha", "ref", "source", "duration", "queuedDuration")] == [
                body[name] for name in ("sha", "ref", "source", "duration", "queued_duration")
            ]
            assert [node[name] for name in ("updatedAt", "finishedAt")] == [
                None if body[name] is None else body[name][:19] + "Z" for name in ("updated_at", "finished_at")
            ]
            assert node["refPath"].startswith("refs/tags/") is body["tag"]
            jobs = [*ask.everything(f"{path}/jobs?include_retried=true"), *ask.everything(f"{path}/bridges")]
            assert {one["id"].rpartition("/")[2] for one in node["jobs"]["nodes"]} == {str(one["id"]) for one in jobs}


def test_children_are_told_where_their_source_is_asked_for(pipelines: Callable[..., Any], app: StandIn) -> None:
    children = [one for rows in app.company.pipelines.values() for one in rows.values() if one.parent_id is not None]
    for child in children:
        names = [node["id"] for node in pipelines(child.project_id)["pipelines"]["nodes"]]
        found = pipelines(child.project_id, '(source: "parent_pipeline")')["pipelines"]["nodes"]
        assert f"gid://gitlab/Ci::Pipeline/{child.id}" in [node["id"] for node in found]
        assert f"gid://gitlab/Ci::Pipeline/{child.id}" not in names
    assert children


def test_a_filter_by_time_is_inclusive_and_a_page_counts_all(pipelines: Callable[..., Any], app: StandIn) -> None:
    number = projects(app)[0]
    everything = pipelines(number)["pipelines"]["nodes"]
    moment = everything[0]["updatedAt"]
    since = pipelines(number, f'(updatedAfter: "{moment}")')["pipelines"]["nodes"]
    assert [node["id"] for node in since] == [node["id"] for node in everything if node["updatedAt"] >= moment]
    first = pipelines(number, "(first: 1)")["pipelines"]
    assert (len(first["nodes"]), first["count"], first["pageInfo"]["hasNextPage"]) == (1, len(everything), True)


def test_a_pipeline_without_a_date_is_null_with_an_error(pipelines: Callable[..., Any], app: StandIn) -> None:
    number = projects(app)[0]
    next(iter(app.company.pipelines[number].values())).undated = True
    told = pipelines(number)
    assert None in told["data"]["projects"]["nodes"][0]["pipelines"]["nodes"]
    assert told["errors"][0]["path"][-1] == "updatedAt"
    assert "errors" not in pipelines(number, wanted="id")


def test_to_whom_they_are_hidden_the_list_is_empty_without_a_word(pipelines: Callable[..., Any], app: StandIn) -> None:
    number = projects(app)[0]
    app.company.projects[number].builds_enabled = False
    app.company.generation += 1
    assert pipelines(number) == {
        "jobsEnabled": False, "pipelines": {"count": 0, "nodes": [], "pageInfo": {"hasNextPage": False}},
    }  # fmt: skip
