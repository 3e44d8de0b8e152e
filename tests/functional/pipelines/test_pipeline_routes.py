from typing import Any

import pytest

from gitlab_hub.pipelines.reader import MAX_BRIDGES, MAX_CHUNKS
from gitlab_hub.web.openapi import document
from tests.functional.pipelines.pipelines_api import PipelinesApi
from tests.unit.pipelines.pipelines_sync import SECOND, START, World
from tests.unit.pipelines.source_model import job

ONE = "projects/1/pipelines/1"


@pytest.fixture
async def hub() -> PipelinesApi:
    world = World()
    for number in range(1, 8):
        at = START - (600 - number) * SECOND
        world.add(number, updated=at, status="success", ref="main" if number % 2 else "dev", jobs={number: job(number)})
    world.add(20, project=2, updated=START - 700 * SECOND, status="failed", jobs={20: job(20, status="failed")})
    await world.sync()
    return PipelinesApi(world)


@pytest.mark.parametrize("limit", [1, 3, 200])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"project_id": 1}, [7, 6, 5, 4, 3, 2, 1]),
        ({"project_id": 1, "ref": "dev"}, [6, 4, 2]),
        ({"project_id": 1, "status": "failed"}, []),
        ({"status": "failed"}, [20]),
        ({"source": "push", "project_id": 2}, [20]),
        ({"source": "schedule"}, []),
        ({"project_id": 1, "created_after": START // SECOND - 595}, [7, 6, 5]),
        ({"project_id": 1, "created_before": START // SECOND - 598}, [2, 1]),
        ({"project_id": 9}, []),
    ],
)
async def test_pipelines_are_listed_newest_first_and_filtered(
    hub: PipelinesApi, query: dict[str, Any], expected: list[int], limit: int
) -> None:
    assert hub.ids("pipelines", limit=limit, **query) == expected


@pytest.mark.parametrize("limit", [1, 3, 200])
async def test_the_feed_of_changes_runs_in_the_order_of_the_hubs_own_clock(hub: PipelinesApi, limit: int) -> None:
    world = hub.world
    world.later(60)
    since = world.now // SECOND
    assert hub.ids("pipelines", updated_after=since, limit=limit) == []
    for number, seconds in ((3, 1), (1, 5)):
        world.later(seconds)
        world.project()[number].status = "canceled"
        world.project()[number].updated = world.now
        await world.sync()
    assert hub.ids("pipelines", updated_after=since, limit=limit) == [3, 1]
    assert hub.ids("pipelines", updated_after=since, project_id=2, limit=limit) == []
    assert hub.ids("pipelines", limit=limit)[:2] == [1, 3], "without it, the last change comes first"
    assert sorted(hub.ids("pipelines", updated_after=0, limit=limit)) == [1, 2, 3, 4, 5, 6, 7, 20]


async def test_a_pipeline_shows_gitlabs_fields_and_ours_with_unix_times(hub: PipelinesApi) -> None:
    status, body = hub.get("projects/2/pipelines/20")
    shown = body["pipeline"]
    assert status == 200
    assert (shown["created_at"], shown["finished_at"]) == (START // SECOND - 700,) * 2
    assert (shown["sha"], shown["coverage"], shown["duration"]) == (f"{20:040x}", "90.0", 12.5)
    assert (shown["first_terminal_status"], shown["first_terminal_at"]) == ("failed", START // SECOND - 700)
    assert (shown["deleted_at_source"], shown["failure_class"], shown["job_count"]) == (None, "unknown", 1)
    assert not {"pk", "sk", "body", "digest", "by_change_pk"} & set(shown)


async def test_jobs_are_the_latest_attempts_unless_all_are_asked_for(hub: PipelinesApi) -> None:
    jobs = {
        1: job(1, status="failed", failure_reason="script_failure", duration=1.5, runner={"id": 3, "token": "secret"}),
        2: job(2),
        3: job(3, "lint"),
    }
    hub.world.add(1, status="success", jobs=jobs)
    await hub.world.sync()
    assert hub.ids(f"{ONE}/jobs", "jobs", limit=1) == [3, 2]
    assert hub.ids(f"{ONE}/jobs", "jobs", limit=1, include_retried="true") == [3, 2, 1]
    _, body = hub.get(f"{ONE}/jobs", include_retried="true")
    first = body["jobs"][-1]
    assert (first["attempt_no"], first["attempt_count"], first["retried"]) == (1, 2, True)
    assert (first["failure_class"], first["duration"], first["first_terminal_status"]) == ("script", 1.5, "failed")
    assert first["runner"] == {"id": 3, "description": None, "runner_type": None}


@pytest.mark.parametrize("others", [200, 0])
@pytest.mark.parametrize("pages", [1, 9])
async def test_jobs_that_move_to_other_chunks_between_two_pages_are_shown_once(
    hub: PipelinesApi, pages: int, others: int
) -> None:
    def jobs(count: int, width: int) -> dict[int, Any]:
        return {number: job(number, f"job {number}", web_url="x" * width) for number in range(1, count + 1)}

    hub.world.add(1, jobs=jobs(2400, 900))
    await hub.world.sync()
    shown: list[int] = []
    query: dict[str, Any] = {"limit": 200}
    for _ in range(pages):
        _, body = hub.get(f"{ONE}/jobs", **query)
        shown += [row["id"] for row in body["jobs"]]
        query["cursor"] = body["next_cursor"]
    hub.world.later(5)
    hub.world.add(1, jobs=jobs(2400 + others, 900 if others else 1))
    await hub.world.sync()
    assert shown + hub.ids(f"{ONE}/jobs", "jobs", **query) == list(range(2400, 0, -1))


async def test_one_request_unpacks_a_bounded_number_of_chunks(hub: PipelinesApi) -> None:
    hub.world.add(1, jobs={number: job(number, web_url="x" * 1000) for number in range(1, 4001)})
    await hub.world.sync()
    hub.world.table.reads = 0
    _, body = hub.get(f"{ONE}/jobs")
    assert hub.world.table.reads == 1 + MAX_CHUNKS
    assert [row["id"] for row in body["jobs"]] == [4000], "all others were retried"
    assert body["next_cursor"] is not None
    assert hub.ids(f"{ONE}/jobs", "jobs") == [4000]


async def test_one_request_looks_at_a_bounded_number_of_rows(hub: PipelinesApi) -> None:
    for number in range(100, 1400):
        hub.world.add(number, updated=START - 9000 * SECOND, ref="old")
    await hub.world.sync(full=True)
    status, body = hub.get("pipelines", project_id=1, ref="dev", limit=2)
    assert (status, body["pipelines"]) == (200, [])
    assert hub.ids("pipelines", project_id=1, ref="dev", limit=2) == [6, 4, 2]


async def test_a_tree_shows_what_a_pipeline_started_in_other_projects_too(hub: PipelinesApi) -> None:
    def starts(number: int, project: int) -> dict[int, Any]:
        started = {"id": number, "project_id": project, "status": "running", "web_url": "https://x"}
        return {number * 10: job(number * 10, f"to {number}", downstream_pipeline=started)}

    hub.world.add(1, status="success", jobs={9: job(9)}, bridges={**starts(30, 1), **starts(20, 2), **starts(77, 3)})
    hub.world.add(30, status="success", source="parent_pipeline", bridges=starts(1, 1))
    await hub.world.sync()
    status, body = hub.get(f"{ONE}/tree")
    assert status == 200
    below = {bridge["name"]: bridge["downstream_pipeline"] for bridge in body["pipeline"]["bridges"]}
    assert (below["to 30"]["stored"], below["to 30"]["source"]) == (True, "parent_pipeline")
    assert (below["to 20"]["stored"], below["to 20"]["sha"]) == (True, f"{20:040x}")
    assert (below["to 77"]["stored"], below["to 77"]["status"]) == (False, "running")
    again = below["to 30"]["bridges"][0]["downstream_pipeline"]
    assert (again["id"], again["stored"], again["bridges"]) == (1, False, []), "a ring is not walked twice"


async def test_a_tree_has_a_width(hub: PipelinesApi) -> None:
    hub.world.add(
        1, jobs={9: job(9)}, bridges={number: job(number, f"to {number}") for number in range(1, MAX_BRIDGES + 2)}
    )
    await hub.world.sync()
    tree = hub.get(f"{ONE}/tree")[1]["pipeline"]
    assert (len(tree["bridges"]), tree["bridge_count"], tree["truncated"]) == (MAX_BRIDGES, MAX_BRIDGES + 1, True)


async def test_a_tree_has_a_bottom(hub: PipelinesApi) -> None:
    for number in range(1, 12):
        started = {"id": number + 1, "project_id": 1, "status": "success"}
        hub.world.add(
            number, jobs={900 + number: job(900 + number)}, bridges={number: job(number, downstream_pipeline=started)}
        )
    await hub.world.sync()
    node, depth = hub.get(f"{ONE}/tree")[1]["pipeline"], 0
    while node["bridges"]:
        node, depth = node["bridges"][0]["downstream_pipeline"], depth + 1
    assert (depth, node["truncated"]) == (5, True)


@pytest.mark.parametrize("path", ["projects/x/pipelines/1", "projects/0/pipelines/1", f"projects/1/pipelines/{10**12}"])
async def test_what_is_no_id_is_not_there(hub: PipelinesApi, path: str) -> None:
    assert hub.get(path)[0] == 404


@pytest.mark.parametrize("path", [ONE, f"{ONE}/jobs", f"{ONE}/tree"])
async def test_what_is_not_there_looks_like_what_may_not_be_seen(hub: PipelinesApi, path: str) -> None:
    status, body = hub.get(path.replace("/1/", "/5/"))
    assert (status, body["code"]) == (404, "not_found")
    assert hub.get(path, integration="i2")[0] == 404, "pipelines of another integration are not there"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("pipelines", {"project_id": "x"}),
        ("pipelines", {"updated_after": "-1"}),
        ("pipelines", {"updated_after": "10000000000"}),
        ("pipelines", {"limit": "201"}),
        ("pipelines", {"ref": ""}),
        (f"{ONE}/jobs", {"include_retried": "maybe"}),
    ],
)
async def test_what_cannot_be_meant_is_refused(hub: PipelinesApi, path: str, query: dict[str, Any]) -> None:
    status, body = hub.get(path, **query)
    assert (status, body["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("pipelines", {"project_id": 2}),
        ("pipelines", {"project_id": 1, "ref": "main"}),
        ("pipelines", {"updated_after": 0}),
        ("pipelines", {"project_id": 1, "integration": "i2"}),
        (f"{ONE}/jobs", {}),
    ],
)
async def test_a_cursor_belongs_to_its_list(hub: PipelinesApi, path: str, query: dict[str, Any]) -> None:
    _, body = hub.get("pipelines", project_id=1, limit=1)
    status, refusal = hub.get(path, cursor=body["next_cursor"], **query)
    assert (status, refusal["code"]) == (400, "invalid_cursor")


async def test_every_answer_is_in_the_document(hub: PipelinesApi) -> None:
    paths = document(hub.api.routes)["paths"]
    assert len(paths) == 6
    assert all("200" in methods["get"]["responses"] for methods in paths.values())
