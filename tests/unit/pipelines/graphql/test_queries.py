from typing import Any

import pytest
from graphql import OperationDefinitionNode, get_operation_ast, parse

from gitlab_hub.gitlab.fields import millis
from gitlab_hub.gitlab.graphql import GraphQLQuery, GraphQLReply
from gitlab_hub.pipelines.graphql import queries
from gitlab_hub.pipelines.graphql.queries import Newest
from gitlab_hub.pipelines.graphql.schema import Schema
from gitlab_hub.pipelines.model import in_seconds, pipeline_of
from gitlab_hub.pipelines.window import Stream
from stand_in_gitlab.graphql.limits import Cost
from stand_in_gitlab.graphql.schema import schema

AT = millis("2026-02-01T00:00:00Z") or 0
REST = {
    "id": 9, "iid": 4, "project_id": 7, "sha": "a1", "ref": "v1.0", "status": "success", "source": "push",
    "created_at": "2026-01-01T10:00:00.123Z", "updated_at": "2026-01-01T10:10:00.999Z", "name": "Build",
    "web_url": "https://g/sub/a/b/-/pipelines/9", "before_sha": "00", "tag": True, "yaml_errors": None,
    "user": {"id": 3, "username": "u3", "name": "U", "state": "active", "web_url": "https://g/u3"},
    "started_at": "2026-01-01T10:00:05.500Z", "finished_at": "2026-01-01T10:09:59.001Z", "committed_at": None,
    "duration": 594, "queued_duration": 5, "coverage": "81.40", "detailed_status": {},
}  # fmt: skip


def connection(*nodes: Any, more: bool = False, count: int | None = None) -> dict[str, Any]:
    return {
        "count": len(nodes) if count is None else count, "pageInfo": {"hasNextPage": more}, "nodes": list(nodes),
    }  # fmt: skip


def job(number: int, kind: str = "Ci::Build") -> dict[str, Any]:
    return {"id": f"gid://gitlab/{kind}/{number}"}


def node(number: int = 9, **more: Any) -> dict[str, Any]:
    return {
        "id": f"gid://gitlab/Ci::Pipeline/{number}", "iid": "4", "name": "Build", "status": "SUCCESS", "sha": "a1",
        "beforeSha": "00", "ref": "v1.0", "refPath": "refs/tags/v1.0", "source": "push",
        "createdAt": "2026-01-01T10:00:00Z", "updatedAt": "2026-01-01T10:10:00Z", "startedAt": "2026-01-01T10:00:05Z",
        "finishedAt": "2026-01-01T10:09:59Z", "committedAt": None, "duration": 594, "queuedDuration": 5.0,
        "coverage": 81.4, "yamlErrorMessages": None,
        "user": {"id": "gid://gitlab/User/3", "username": "u3", "name": "U"},
        "jobs": connection(job(1), job(2, "Ci::Bridge"), job(3, "GenericCommitStatus")),
        **more,
    }  # fmt: skip


def project(*nodes: Any, children: Any = (), **more: Any) -> dict[str, Any]:
    return {
        "webUrl": "https://g/sub/a/b", "recent": connection(*nodes), "recentChildren": connection(*children), **more,
    }  # fmt: skip


def test_a_pipeline_is_what_rest_would_have_told_but_for_parts_of_seconds() -> None:
    detail = queries.details_of(project(node()), 7, at=AT)[9]
    assert in_seconds(pipeline_of(detail.body, 7)) == in_seconds(pipeline_of(REST, 7))
    assert (detail.builds, detail.has_bridges) == (frozenset({1}), True)
    # A field that is kept and not asked for would be another one each time, and leave everything to REST.
    assert pipeline_of({"id": 1}, 7).keys() <= detail.body.keys()


@pytest.mark.parametrize(
    "wrong",
    [
        {"user": None},
        {"user": {"id": None}},
        {"jobs": None},
        {"jobs": connection(job(1), more=True)},
        {"jobs": connection(job(1), count=2)},
        {"jobs": connection({"id": None})},
        {"jobs": connection(None)},
        {"jobs": connection(job(1, "Ci::Unheard"))},
        {"refPath": None},
        {"iid": None},
        {"iid": "x"},
        {"id": "gid://gitlab/Project/9"},
        {"updatedAt": None},
        {"status": None},
        {"updatedAt": "2026-01-31T23:59:55Z"},
    ],
)
def test_what_is_not_whole_or_too_young_is_no_pipeline(wrong: dict[str, Any]) -> None:
    assert queries.details_of(project(node(**wrong), node(8)), 7, at=AT).keys() == {8}


def test_without_the_address_of_its_project_no_pipeline_is_whole() -> None:
    assert queries.details_of(project(node(), webUrl=None), 7, at=AT) == {}


def test_a_list_is_told_in_the_order_of_time() -> None:
    later = node(3, updatedAt="2026-01-02T00:00:00Z")
    rows = queries.recent_of(project(later, node(9), node(4)), Stream.DEFAULT, at=AT)
    assert [row["id"] for row in rows or ()] == [4, 9, 3]
    assert (rows or [{}])[0] == {
        "id": 4, "status": "success", "updated_at": "2026-01-01T10:10:00Z", "source": "push", "sha": "a1",
    }  # fmt: skip


@pytest.mark.parametrize(
    "recent",
    [
        None,
        {},
        connection(node(), more=True),
        connection(node(), count=2),
        connection(node(), None),
        connection(node(updatedAt=None)),
        connection(node(updatedAt="2026-01-31T23:59:55Z")),
        {**connection(node()), "pageInfo": None},
        {**connection(node()), "count": None},
    ],
)
def test_a_list_that_is_not_whole_is_none(recent: Any) -> None:
    assert queries.recent_of({"recent": recent}, Stream.DEFAULT, at=AT) is None


def test_the_newest_are_told_with_whether_there_are_others() -> None:
    newest = {"newest": connection(node(9), node(8), more=True), "newestChildren": connection()}
    assert queries.newest_of(newest, Stream.DEFAULT) == Newest((9, 8), whole=False)
    assert queries.newest_of(newest, Stream.CHILD) == Newest((), whole=True)
    # A release that does not know the source gives the other list again.
    assert queries.newest_of({"newestChildren": connection(node(9))}, Stream.CHILD) is None
    assert queries.newest_of({"newest": connection(None)}, Stream.DEFAULT) is None
    assert queries.newest_of({"newest": None}, Stream.DEFAULT) is None


def test_counts_are_told_where_both_are_there() -> None:
    told = {"all": {"count": 3}, "dated": {"count": 2}, "allChildren": {"count": 1}, "datedChildren": {"count": 1}}
    assert (queries.counts_of(told, Stream.DEFAULT), queries.counts_of(told, Stream.CHILD)) == ((3, False), (1, True))
    assert queries.counts_of({**told, "dated": None}, Stream.DEFAULT) is None


@pytest.mark.parametrize("limit", [250, 300])
@pytest.mark.parametrize("counts", [True, False])
def test_queries_cost_no_more_than_they_may(limit: int, *, counts: bool) -> None:
    looked, read = queries.most_looked_at(limit, counts=counts), queries.most_read(limit)
    since = dict.fromkeys(Stream, AT)
    numbers = list(range(1, max(looked, read) + 1))
    look = cost(queries.look_query(looked, counts=counts), queries.look_values(numbers[:looked], since, counts=counts))
    detail = cost(queries.detail_query(read), queries.detail_values(numbers[:read], since))
    assert (looked >= 200, read) == (True, 42 if limit == 250 else 71)
    assert look <= limit
    assert limit - 20 <= detail <= limit


def cost(query: GraphQLQuery, values: dict[str, Any]) -> int:
    document = parse(query.text)
    operation = get_operation_ast(document)
    assert isinstance(operation, OperationDefinitionNode)
    return Cost(schema(old=False, community=False), document, values).of(operation)[0]


def test_a_schema_needs_all_of_its_fields() -> None:
    fields: dict[str, dict[str, list[str]]] = {
        "query": {"projects": ["ids"]},
        "project": {"pipelines": ["updatedAfter", "updatedBefore", "source"], "jobsEnabled": [], "webUrl": []},
        "pipeline": {name: [] for name in (*node(), "jobs")},
        "pipelines": {"count": []},
        "jobs": {"count": []},
    }
    assert Schema.of(described(fields, limit=300)) == Schema(is_enough=True, limit=300)
    for kind, known in fields.items():
        for name in known:
            rest = {other: args for other, args in known.items() if other != name}
            assert not Schema.of(described({**fields, kind: rest})).is_enough, name
    older = {**fields, "project": {**fields["project"], "pipelines": ["source"]}}
    assert not Schema.of(described(older)).is_enough


def described(fields: dict[str, dict[str, list[str]]], limit: int | None = None) -> GraphQLReply:
    types = {
        kind: {"fields": [{"name": name, "args": [{"name": one} for one in args]} for name, args in known.items()]}
        for kind, known in fields.items()
    }
    return GraphQLReply({**types, "queryComplexity": {"limit": limit}})
