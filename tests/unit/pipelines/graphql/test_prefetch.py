"""Which projects GraphQL is taken for, and what is asked to find out."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from gitlab_hub.gitlab.errors import CiDisabled, GitLabError, HostUnreachable, NotGitLab, RateLimited
from gitlab_hub.gitlab.fields import from_datetime
from gitlab_hub.pipelines.graphql.prefetch import Prefetch
from gitlab_hub.pipelines.read_states import ReadState
from gitlab_hub.pipelines.store import PipelineStore
from gitlab_hub.pipelines.window import Stream
from gitlab_hub.sync.ports import Session, SyncTarget
from tests.fakes.scripted_client import NOW, ScriptedClient
from tests.fakes.session import FakeSession
from tests.fakes.table import MemoryTable

AT = from_datetime(NOW)
TARGET = SyncTarget(integration_id="i1", credential_id="c1", base_url="https://g", user_id=1, is_admin=True)
KNOWN = ReadState(default_watermark=AT - 3_600_000, default_newest=2, reconciled_at=AT // 1000)
NOTHING = ReadState(reconciled_at=AT // 1000)
OFF = ReadState(error=CiDisabled.code)
REST = {
    "id": 2, "iid": 2, "sha": "a", "ref": "main", "status": "success", "source": "push", "tag": False, "name": None,
    "created_at": "2026-02-01T00:00:00.500Z", "updated_at": "2026-02-01T00:00:00.500Z", "before_sha": "b",
    "started_at": None, "finished_at": None, "committed_at": None, "duration": 5, "queued_duration": None,
    "coverage": None, "yaml_errors": None, "web_url": "https://g/p/-/pipelines/2",
    "user": {"id": 1, "username": "u", "name": "U"},
}  # fmt: skip


def pipeline(number: int = 2, moment: str = "2026-02-01T00:00:00Z", **more: Any) -> dict[str, Any]:
    return {
        "id": f"gid://gitlab/Ci::Pipeline/{number}", "iid": str(number), "sha": "a", "ref": "main", "source": "push",
        "refPath": "refs/heads/main", "status": "SUCCESS", "createdAt": moment, "updatedAt": moment, "duration": 5,
        "beforeSha": "b", "user": {"id": "gid://gitlab/User/1", "username": "u", "name": "U"}, "jobs": listed(), **more,
    }  # fmt: skip


def listed(*nodes: Any, more: bool = False) -> dict[str, Any]:
    return {"count": len(nodes), "pageInfo": {"hasNextPage": more}, "nodes": list(nodes)}


class GraphQL:
    """A GitLab whose projects have a single pipeline each, unless something else is written down."""

    def __init__(self) -> None:
        self.script: dict[str, Any] = {"/api/graphql": self, "/personal_access_tokens/self": {"scopes": ["api"]}}
        self.script |= {f"/projects/{number}/pipelines/2": REST for number in range(1, 100)}
        self.asked: list[tuple[str, int]] = []
        self.more: dict[int, dict[str, Any]] = {}
        self.answer: Any = None
        """What queries are answered with in the place of data, once it was found out that they may be asked."""

    def __call__(self, params: Mapping[str, Any]) -> Any:
        ids = [int(one.rpartition("/")[2]) for part in ("ids0", "ids1") for one in params.get(part, ())]
        self.asked.append((params["name"], len(ids)))
        if params["name"] == "SchemaForPipelines":
            return {"data": SCHEMA}
        if self.answer is not None:
            return self.answer(len(ids)) if callable(self.answer) else self.answer
        return {"data": {"part0": {"nodes": [self.node(one, whole=params["name"] == "Pipelines") for one in ids]}}}

    def node(self, number: int, *, whole: bool) -> dict[str, Any]:
        node = {
            "id": f"gid://gitlab/Project/{number}", "webUrl": "https://g/p", "jobsEnabled": True,
            "recent": listed(pipeline()) if whole else listed(), "recentChildren": listed(),
            "newest": listed(pipeline()), "newestChildren": listed(),
        }  # fmt: skip
        return {**node, **self.more.get(number, {})}

    def prefetch(self, states: Mapping[int, ReadState], *, worth_it: int = 1) -> "tuple[Prefetch, FakeSession]":
        session = FakeSession(TARGET, ScriptedClient(self.script))
        prefetch = Prefetch(cast("Session", session), PipelineStore(MemoryTable(), "i1"), worth_it=worth_it)
        prefetch.plan(states)
        return prefetch, session


_FIELDS = (
    "id iid name status sha beforeSha ref refPath source createdAt updatedAt startedAt finishedAt committedAt duration "
    "queuedDuration coverage yamlErrorMessages user jobs"
)
_PIPELINES = [{"name": name} for name in ("updatedAfter", "updatedBefore", "source")]
SCHEMA = {
    "query": {"fields": [{"name": "projects", "args": [{"name": "ids"}]}]},
    "project": {"fields": [{"name": "pipelines", "args": _PIPELINES}, {"name": "jobsEnabled"}, {"name": "webUrl"}]},
    "pipeline": {"fields": [{"name": name} for name in _FIELDS.split()]},
    "pipelines": {"fields": [{"name": "count"}]},
    "jobs": {"fields": [{"name": "count"}]},
}


@pytest.fixture
def graphql() -> GraphQL:
    return GraphQL()


async def test_new_projects_are_told_with_all_of_their_pipelines(graphql: GraphQL) -> None:
    prefetch, session = graphql.prefetch(dict.fromkeys(range(1, 51), ReadState()))
    told = [await prefetch.told_of(number) for number in range(1, 51)]
    assert [one is not None and set(one.details) for one in told] == [{2}] * 50
    assert graphql.asked == [("SchemaForPipelines", 0), ("Pipelines", 20), ("Pipelines", 30)]
    assert session.counts == {"projects_by_graphql": 50}
    assert session.scripted.paths.count("/projects/1/pipelines/2") == 1  # It was told both ways.


async def test_where_nothing_happens_one_look_is_enough(graphql: GraphQL) -> None:
    prefetch, _ = graphql.prefetch(dict.fromkeys(range(1, 151), KNOWN))
    told = [await prefetch.told_of(number) for number in range(1, 151)]
    assert [one is not None and (one.rows[Stream.DEFAULT], one.details) for one in told] == [([], {})] * 150
    assert graphql.asked == [("SchemaForPipelines", 0), ("PipelinesChanged", 150)]


async def test_those_that_have_more_to_tell_are_asked_for_it(graphql: GraphQL) -> None:
    graphql.more[7] = {"recent": listed(pipeline(3, "2026-02-28T23:55:00Z")), "newest": listed(pipeline(3))}
    graphql.more[9] = {"recent": listed(pipeline(3, "2026-02-28T23:55:00Z"), more=True)}
    prefetch, _ = graphql.prefetch(dict.fromkeys(range(1, 21), KNOWN))
    told = {number: await prefetch.told_of(number) for number in range(1, 21)}
    assert [number for number, one in told.items() if one is None] == [9]
    assert graphql.asked[1:] == [("PipelinesChanged", 20), ("Pipelines", 2)]


@pytest.mark.parametrize(
    ("state", "node", "is_told"),
    [
        # GraphQL gives no word of a list that it hides.
        (KNOWN, {"newest": listed()}, False),
        (KNOWN, {"newest": listed(pipeline(1))}, False),
        (KNOWN, {"newest": None}, False),
        (ReadState(), {"recent": listed()}, False),
        (NOTHING, {"newest": listed()}, True),
        (ReadState(reconciled_at=AT // 1000 - 90_000), {"newest": listed()}, False),
        (ReadState(reconciled_at=AT // 1000, error="forbidden"), {"newest": listed()}, False),
        (NOTHING, {}, True),
        (OFF, {"newest": listed(), "jobsEnabled": False}, True),
        (OFF, {"newest": listed()}, False),
        (KNOWN, {"recent": listed(pipeline(3, "2026-02-28T23:59:55Z")), "newest": listed(pipeline(3))}, False),
        (KNOWN, {"recentChildren": None, "newestChildren": None}, True),
    ],
)
async def test_what_is_believed_of_a_project(
    graphql: GraphQL, state: ReadState, node: dict[str, Any], *, is_told: bool
) -> None:
    graphql.more[1] = node
    prefetch, _ = graphql.prefetch({1: state, 2: KNOWN})
    told = await prefetch.told_of(1)
    assert (told is not None) is is_told
    assert (told is not None and told.is_off) is (state is OFF and is_told)


async def test_a_pipeline_that_rest_tells_otherwise_ends_it(graphql: GraphQL) -> None:
    graphql.script["/projects/1/pipelines/2"] = {**REST, "duration": 6}
    prefetch, session = graphql.prefetch(dict.fromkeys(range(1, 41), ReadState()))
    assert [await prefetch.told_of(number) for number in range(1, 41)] == [None] * 40
    assert session.counts == {"projects_by_rest": 40, "graphql_differs": 1, "graphql_given_up": 1}
    assert len(graphql.asked) == 2


async def test_a_pipeline_that_rest_does_not_tell_proves_nothing(graphql: GraphQL) -> None:
    del graphql.script["/projects/1/pipelines/2"]
    prefetch, session = graphql.prefetch(dict.fromkeys(range(1, 41), ReadState()))
    told = [await prefetch.told_of(number) for number in range(1, 41)]
    assert [len(one.details) for one in told if one is not None] == [0] * 20 + [1] * 20
    assert "graphql_given_up" not in session.counts


async def test_without_a_pipeline_to_compare_none_is_taken(graphql: GraphQL) -> None:
    graphql.more[1] = {"recent": listed(pipeline(2, "2026-02-28T23:55:00Z"))}
    prefetch, _ = graphql.prefetch({1: ReadState()})
    told = await prefetch.told_of(1)
    assert told is not None
    assert ([row["id"] for row in told.rows[Stream.DEFAULT]], told.details) == ([2], {})


async def test_few_projects_are_not_worth_finding_out(graphql: GraphQL) -> None:
    prefetch, session = graphql.prefetch(dict.fromkeys(range(1, 4), ReadState()), worth_it=4)
    assert [await prefetch.told_of(number) for number in range(1, 4)] == [None] * 3
    assert (session.scripted.calls, await prefetch.told_of_rows(1, [REST] * 3)) == ([], [])


async def test_what_is_too_much_is_asked_for_in_smaller_parts(graphql: GraphQL) -> None:
    words = {"errors": [{"message": "Query has complexity of 300, which exceeds max complexity of 250"}]}
    data = graphql.node
    graphql.answer = lambda count: words if count > 5 else {
        "data": {"part0": {"nodes": [data(one, whole=True) for one in range(1, 6)]}}
    }  # fmt: skip
    prefetch, session = graphql.prefetch(dict.fromkeys(range(1, 21), ReadState()))
    assert await prefetch.told_of(1) is not None
    assert [count for name, count in graphql.asked if name == "Pipelines"] == [20, 10, 5]
    assert "graphql_given_up" not in session.counts


@pytest.mark.parametrize("error", [HostUnreachable("no"), NotGitLab("no")])
async def test_a_graphql_in_trouble_leaves_everything_to_rest(graphql: GraphQL, error: GitLabError) -> None:
    graphql.answer = error
    prefetch, session = graphql.prefetch(dict.fromkeys(range(1, 21), KNOWN))
    assert [await prefetch.told_of(number) for number in range(1, 21)] == [None] * 20
    assert (session.counts["graphql_given_up"], len(graphql.asked) <= 6) == (1, True)


async def test_what_concerns_every_request_ends_the_slice(graphql: GraphQL) -> None:
    graphql.answer = RateLimited("wait", retry_after=60)
    prefetch, _ = graphql.prefetch({1: KNOWN})
    with pytest.raises(RateLimited):
        await prefetch.told_of(1)


async def test_rows_of_a_long_list_are_asked_for_by_their_moments(graphql: GraphQL) -> None:
    prefetch, _ = graphql.prefetch({})
    rows = [{**REST, "id": number} for number in range(1, 101)]
    told = await prefetch.told_of_rows(1, [*rows, {**REST, "updated_at": None}])
    assert [set(one.details) for one in told] == [{2}, {2}]
    assert [name for name, _ in graphql.asked] == ["SchemaForPipelines", "Pipelines", "Pipelines"]
