"""The pipelines of one project with everything: GraphQL tells them by the dozen, REST tells their jobs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.pipelines.freshness import StoredPipeline
from gitlab_hub.pipelines.graphql.queries import Detail
from gitlab_hub.pipelines.graphql.told import Told
from gitlab_hub.pipelines.project_jobs import ProjectJobs
from gitlab_hub.storage.ports import Item

WORTH_ASKING = 3
"""So many pipelines that GraphQL was not asked for are worth a query: REST has one request for each."""

Rows = Sequence[Mapping[str, Any]]


class ToldPipelines:
    """What is known of pipelines that are fetched next. `ask` has GraphQL tell those of some rows of a list."""

    def __init__(
        self, gitlab: GitLab, project_id: int, told: Told | None, ask: Callable[[int, Rows], Awaitable[Sequence[Told]]]
    ) -> None:
        self._project_id, self._ask = project_id, ask
        self._told = [] if told is None else [told]
        self._jobs = ProjectJobs(gitlab, project_id)

    async def expect(self, rows: Rows, known: Mapping[int, StoredPipeline]) -> None:
        """Hear which listed pipelines are fetched next, and what is stored of them."""
        untold = [row for row in rows if not any(row["id"] in told.details for told in self._told)]
        if len(untold) >= WORTH_ASKING:
            younger = await self._ask(self._project_id, untold)
            self._jobs.discard(number for told in younger for number in told.details)
            self._told += younger
        for told in self._told:
            told.drop_written(known)
        builds = {number: detail.builds for told in self._told for number, detail in told.details.items()}
        self._jobs.want({row["id"]: builds[row["id"]] for row in rows if row["id"] in builds}, kept=builds)

    def take(self, number: int) -> tuple[Detail, int] | None:
        """A pipeline and when it was told (milliseconds, GitLab's clock), once: who asks again wants a younger one."""
        found = [(detail, told.at) for told in self._told if (detail := told.details.pop(number, None)) is not None]
        self._told = [told for told in self._told if told.details]
        return found[-1] if found else None

    async def jobs(self, detail: Detail) -> Sequence[Item] | None:
        """The jobs of a pipeline that was taken; None where its own list has to tell them."""
        return await self._jobs.of(detail.body["id"], detail.builds) if detail.builds else []
