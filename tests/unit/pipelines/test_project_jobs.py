import pytest

from gitlab_hub.gitlab.errors import Forbidden, UnexpectedResponse
from gitlab_hub.pipelines.project_jobs import ProjectJobs
from tests.unit.pipelines.job_lists import Lists, Row, job


def pipelines(count: int, each: int) -> tuple[list[Row], dict[int, frozenset[int]]]:
    """So many pipelines with so many jobs each, the ids of the older ones lower."""
    builds = {one: frozenset(range(one * each, one * each + each)) for one in range(1, count + 1)}
    return [job(number, one) for one, numbers in builds.items() for number in numbers], builds


async def ids(jobs: ProjectJobs, pipeline: int, builds: frozenset[int]) -> frozenset[int] | None:
    found = await jobs.of(pipeline, builds)
    return None if found is None else frozenset(row["id"] for row in found)


async def test_one_page_has_the_jobs_of_many_pipelines() -> None:
    rows, builds = pipelines(11, 8)
    lists = Lists(*rows)
    jobs = lists.of(pipelines=builds)
    assert [await ids(jobs, one, builds[one]) for one in builds] == list(builds.values())
    assert lists.read == 1


async def test_jobs_that_came_since_are_taken_along() -> None:
    rows, builds = pipelines(3, 2)
    jobs = Lists(*rows, job(99, 1)).of(pipelines=builds)
    assert await ids(jobs, 1, builds[1]) == builds[1] | {99}


async def test_pipelines_that_are_wanted_later_are_kept() -> None:
    rows, builds = pipelines(3, 2)
    lists = Lists(*rows)
    jobs = lists.of(pipelines={1: builds[1], 3: builds[3]}, kept=builds)
    assert await ids(jobs, 1, builds[1]) == builds[1]
    jobs.want({2: builds[2]})
    assert (await ids(jobs, 2, builds[2]), lists.read) == (builds[2], 1)


async def test_a_job_that_the_list_lacks_sends_to_the_pipelines_own() -> None:
    rows, builds = pipelines(3, 2)
    jobs = Lists(*(row for row in rows if row["id"] != min(builds[2]))).of(pipelines=builds)
    assert [await ids(jobs, one, builds[one]) for one in builds] == [builds[1], None, builds[3]]


async def test_old_pipelines_are_not_looked_for_for_ever() -> None:
    rows, builds = pipelines(500, 8)
    lists = Lists(*rows)
    oldest = {one: builds[one] for one in range(1, 51)}
    jobs = lists.of(pipelines=oldest)
    assert [await ids(jobs, one, oldest[one]) for one in oldest] == [None] * 50
    assert lists.read == 8


async def test_one_pipeline_has_its_own_list() -> None:
    rows, builds = pipelines(1, 8)
    lists = Lists(*rows)
    assert (await ids(lists.of(pipelines=builds), 1, builds[1]), lists.read) == (None, 0)


@pytest.mark.parametrize("error", [Forbidden("no"), UnexpectedResponse("no")])
async def test_a_list_that_is_not_shown_sends_to_the_pipelines_own(error: Exception) -> None:
    rows, builds = pipelines(3, 2)
    jobs = Lists(*rows, error=error).of(pipelines=builds)
    assert [await ids(jobs, one, builds[one]) for one in builds] == [None] * 3
