"""What a project's GraphQL answers and its list of jobs say together of a pipeline."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from gitlab_hub.gitlab.client import GitLab, Page
from gitlab_hub.pipelines.graphql.details import ToldPipelines
from gitlab_hub.pipelines.graphql.queries import Detail
from gitlab_hub.pipelines.graphql.told import Told

Row = dict[str, Any]
BUILDS = {number: frozenset({number * 10}) for number in range(1, 9)}


class Project:
    """A project with one job in each of its pipelines, and GraphQL that tells what it is asked for and pipeline 8."""

    def __init__(self) -> None:
        self.jobs = {min(builds): "running" for builds in BUILDS.values()}

    async def pages(self, *_: Any, **__: Any) -> AsyncIterator[Page]:
        rows = [self._job(number) for number in sorted(self.jobs, reverse=True)]
        yield Page(rows, None, None, None)

    def _job(self, number: int) -> Row:
        return {"id": number, "name": "test", "status": self.jobs[number], "pipeline": {"id": number // 10}}

    async def ask(self, _: int, rows: Sequence[Mapping[str, Any]]) -> list[Told]:
        asked = [*(row["id"] for row in rows), 8]
        details = {one: Detail({"id": one}, BUILDS[one], has_bridges=False) for one in asked}
        return [Told(project_id=1, asked_at=0, answered_at=datetime.now(UTC), since={}, rows={}, details=details)]


async def test_jobs_that_were_read_before_a_pipeline_was_told_once_more_are_not_taken_for_its_own() -> None:
    """Pipeline 8 shares a second with those that were asked for first, and ends when the list of jobs was read."""
    project = Project()
    told = ToldPipelines(cast("GitLab", project), 1, None, project.ask)
    await told.expect([{"id": 1}, {"id": 2}, {"id": 3}], {})
    first = told.take(3)
    assert first is not None
    assert await told.jobs(first[0]) is not None
    project.jobs[80] = "success"
    await told.expect([{"id": 4}, {"id": 5}, {"id": 6}, {"id": 8}], {})
    last = told.take(8)
    assert last is not None
    assert await told.jobs(last[0]) is None, "its own list has to tell them"
