"""Jobs across pipelines, and lists of pipelines by group."""

from typing import Any

import pytest

from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import partition
from gitlab_hub.pipelines.job_search import MAX_PIPELINES
from tests.functional.pipelines.pipelines_api import PipelinesApi
from tests.unit.pipelines.pipelines_sync import SECOND, START, World
from tests.unit.pipelines.source_model import job

RUNNER = {"id": 3, "description": "fast one", "runner_type": "instance_type"}


@pytest.fixture
async def hub() -> PipelinesApi:
    world = World()
    for number in range(1, 5):
        at = START - (600 - number) * SECOND
        jobs = {
            number * 10: job(number * 10, "lint"),
            number * 10 + 1: job(number * 10 + 1, "rspec", status="failed", failure_reason="script_failure"),
            number * 10 + 2: job(number * 10 + 2, "rspec", runner=RUNNER),
        }
        world.add(number, updated=at, status="success", ref="main", jobs=jobs)
    world.add(20, project=2, updated=START - 700 * SECOND, status="failed", ref="v1", jobs={200: job(200, "rspec")})
    await world.sync()
    (project,) = (row for row in world.table.query("i1#projects").items if row["id"] == 1)
    world.table.put({**project, "default_branch": "main"})
    return PipelinesApi(world)


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"project_id": 1}, [42, 41, 40, 32, 31, 30, 22, 21, 20, 12, 11, 10]),
        ({}, [200, 42, 41, 40, 32, 31, 30, 22, 21, 20, 12, 11, 10]),
        ({"project_id": 1, "name": "lint"}, [40, 30, 20, 10]),
        ({"project_id": 1, "status": "failed"}, [41, 31, 21, 11]),
        ({"project_id": 1, "failure_class": "script"}, [41, 31, 21, 11]),
        ({"project_id": 1, "failure_class": "infra"}, []),
        ({"project_id": 1, "runner": "3"}, [42, 32, 22, 12]),
        ({"project_id": 1, "runner": "fast one"}, [42, 32, 22, 12]),
        ({"project_id": 9}, []),
    ],
)
async def test_jobs_are_listed_across_pipelines(
    hub: PipelinesApi, query: dict[str, Any], expected: list[int], limit: int
) -> None:
    found = hub.ids("jobs", "jobs", limit=limit, **query)
    assert (found if "project_id" in query else sorted(found, key=expected.index)) == expected


async def test_a_job_says_where_it_belongs(hub: PipelinesApi) -> None:
    _, body = hub.get("jobs", project_id=1, status="failed", limit=1)
    (shown,) = body["jobs"]
    expected = {
        "id": 41,
        "project_id": 1,
        "pipeline_id": 4,
        "failure_class": "script",
        "attempt_no": 1,
        "retried": True,
    }
    assert {name: shown[name] for name in expected} == expected
    assert shown["ref_class"] == "default_branch"


@pytest.mark.parametrize(("name", "expected"), [("created_after", [42, 41, 40]), ("created_before", [12, 11, 10])])
async def test_jobs_are_found_by_their_own_time(hub: PipelinesApi, name: str, expected: list[int]) -> None:
    for number in range(1, 5):
        for one in hub.world.project()[number].jobs.values():
            one["created_at"] = f"2026-01-0{number}T00:00:00Z"
        hub.world.project()[number].updated = hub.world.now
    await hub.world.sync()
    moment = {"created_after": 1_767_484_800, "created_before": 1_767_225_600}[name]
    assert hub.ids("jobs", "jobs", project_id=1, **{name: moment}) == expected


async def test_a_rare_job_is_found_by_the_pages_that_follow() -> None:
    world = World()
    for number in range(1, MAX_PIPELINES + 20):
        jobs = {number: job(number, "rare" if number == 1 else "usual")}
        world.add(number, updated=START - 1000 * SECOND + number, status="success", jobs=jobs)
    await world.sync()
    hub = PipelinesApi(world)
    _, body = hub.get("jobs", project_id=1, name="rare")
    assert (body["jobs"], body["next_cursor"] is None) == ([], False), "one request looks at a bounded number"
    assert hub.ids("jobs", "jobs", project_id=1, name="rare") == [1]


async def test_a_group_means_the_projects_below_it(hub: PipelinesApi) -> None:
    paths = {
        int(project["id"]): str(project["path_with_namespace"])
        for project in hub.world.table.query("i1#projects").items
    }
    for number, path in {5: paths[1].rpartition("/")[0], 6: "elsewhere"}.items():
        hub.groups.put({"pk": partition("i1", "groups"), "sk": padded(number), "id": number, "full_path": path})
    assert set(hub.ids("pipelines", group_id=5)) >= {1, 2, 3, 4}
    assert hub.ids("pipelines", group_id=5, project_id=1) == [4, 3, 2, 1]
    assert hub.ids("pipelines", group_id=6) == hub.ids("jobs", "jobs", group_id=6) == []
    assert hub.ids("pipelines", group_id=6, project_id=1) == []
    assert len(hub.ids("jobs", "jobs", group_id=5)) >= 12
    for path in ("pipelines", "jobs"):
        assert hub.get(path, group_id=7)[0] == 404


async def test_a_pipeline_says_what_it_ran_for(hub: PipelinesApi) -> None:
    assert hub.get("projects/1/pipelines/1")[1]["pipeline"]["ref_class"] == "default_branch"
    assert hub.get("projects/2/pipelines/20")[1]["pipeline"]["ref_class"] == "other"
