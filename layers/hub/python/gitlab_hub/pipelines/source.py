"""Reading single pipelines from GitLab."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from gitlab_hub.gitlab.client import GitLab, Page
from gitlab_hub.gitlab.errors import CiDisabled, Forbidden, ResourceNotFound
from gitlab_hub.gitlab.fields import ci_is_off, from_datetime, iso, mapping, millis, text
from gitlab_hub.pipelines.freshness import StoredPipeline, is_settled
from gitlab_hub.pipelines.graphql.details import ToldPipelines
from gitlab_hub.pipelines.graphql.queries import Detail
from gitlab_hub.pipelines.graphql.told import Told
from gitlab_hub.pipelines.model import ACTIVE, bridge_of, job_of, pipeline_of
from gitlab_hub.pipelines.outlines import Outlines
from gitlab_hub.pipelines.store import Copy
from gitlab_hub.pipelines.window import Params
from gitlab_hub.storage.ports import Item

OFF = "CI/CD is switched off in this project."
PART_OF_SECOND_MS = 999
"""How much later than GraphQL says a pipeline may have finished."""


@dataclass(frozen=True, slots=True)
class ProjectSource:
    """The pipelines of one project in GitLab."""

    gitlab: GitLab
    gather: Callable[..., Awaitable[list[Any]]]
    """Runs calls side by side, as `Session.gather` does."""
    project_id: int
    told: Told | None = None
    """What GraphQL has told of its lists."""
    pipelines: ToldPipelines | None = None
    """What it tells of single pipelines."""
    may_rest: bool = False
    """Whether its lists cost requests of their own, so that they are asked for more rarely while nothing happens."""
    outlines: Outlines | None = None
    """What lists of REST tell of a project that is read for the first time."""

    @property
    def path(self) -> str:
        """The API path of the list of pipelines."""
        return f"/projects/{self.project_id}/pipelines"

    def told_page(self, params: Params) -> Page | None:
        """A page of its lists as GraphQL, or other lists, have told it; None where GitLab has to be asked."""
        told = (one.page(params) for one in (self.told, self.outlines) if one is not None)
        return next((page for page in told if page is not None), None)

    async def fetch(self, pipeline_id: int, *, now: int) -> Copy:
        """Read a pipeline completely, or in outline where that is expected.

        `now` (milliseconds) stands in for a server that sends no `Date`.

        The pipeline goes before its jobs: a job that changes in between makes GitLab move the pipeline on, and the
        next listing shows it. In the other order a finished pipeline could be kept with unfinished jobs.
        """
        if self.outlines is not None and (outline := self.outlines.take(pipeline_id)) is not None:
            return outline
        path = f"{self.path}/{pipeline_id}"
        if self.pipelines is not None and (taken := self.pipelines.take(pipeline_id)) is not None:
            detail, at = taken[0], taken[1] - PART_OF_SECOND_MS
            pipeline = pipeline_of(detail.body, self.project_id)
            jobs, bridges = await self.gather(
                partial(self._jobs_of, path, detail), partial(self._bridges_of, path, detail)
            )
        else:
            reply = await self.gitlab.get(path)
            pipeline = pipeline_of(reply.body, self.project_id)
            at = now if reply.server_time is None else from_datetime(reply.server_time)
            jobs, bridges = await self.gather(partial(self._jobs, path), partial(self._bridges, path))
        refused = bridges if isinstance(bridges, str) else None
        return Copy(
            pipeline=pipeline,
            jobs=jobs,
            bridges=None if refused else bridges,
            # A pipeline without its trigger jobs has not settled: a full sync reads it again.
            # Nor has one of which a job is still at work: what is known of it will not stay true.
            settled=is_settled(pipeline, at=at) and not refused and not any(job["status"] in ACTIVE for job in jobs),
            bridges_refused=refused,
        )

    async def expect(self, rows: Sequence[Mapping[str, Any]], known: Mapping[int, StoredPipeline]) -> None:
        """Hear which listed pipelines are fetched next, and what is stored of them."""
        if self.pipelines is not None:
            await self.pipelines.expect(rows, known)
        if self.outlines is not None:
            await self.outlines.expect(rows, known)

    async def confirm(self) -> None:
        """Raise unless the project's list of pipelines can still be read."""
        await self.gitlab.get(self.path, {"per_page": 1})

    async def lists(self, row: Mapping[str, Any]) -> bool:
        """Whether GitLab lists a pipeline as it was listed before. Raises ResourceNotFound where the project is gone.

        One that has changed since is listed elsewhere, and met again by whoever reads on from there.
        """
        params: dict[str, str | int | bool] = {"order_by": "id", "sort": "asc"}
        if (sha := text(row.get("sha"), None)) is not None:
            params["sha"] = sha
        if (moment := millis(row.get("updated_at"))) is not None:
            # REST shows milliseconds and GraphQL seconds, but the filter compares microseconds.
            params |= {"updated_after": iso(moment), "updated_before": iso(moment + (1 if moment % 1000 else 1000))}
        for stream in ({}, {"source": "parent_pipeline"}):
            async for page in self.gitlab.pages(self.path, {**params, **stream}):
                if any(listed.get("id") == row["id"] for listed in page.rows):
                    return True
        return False

    async def _jobs_of(self, path: str, detail: Detail) -> list[Item]:
        """The jobs of a pipeline that GraphQL has told: they are read after it, as always."""
        jobs = None if self.pipelines is None else await self.pipelines.jobs(detail)
        return await self._jobs(path) if jobs is None else list(jobs)

    async def _bridges_of(self, path: str, detail: Detail) -> list[Item] | str:
        return await self._bridges(path) if detail.has_bridges else []

    async def _jobs(self, path: str) -> list[Item]:
        return [job_of(row) for row in await self._all(f"{path}/jobs", {"include_retried": True})]

    async def _bridges(self, path: str) -> list[Item] | str:
        """Read the trigger jobs; without them a pipeline is worth having, so a refusal is only told (its code)."""
        try:
            rows = await self._all(f"{path}/bridges", {})
        except (Forbidden, ResourceNotFound) as error:
            return error.code
        return [bridge_of(row) for row in rows]

    async def _all(self, path: str, params: dict[str, str | int | bool]) -> list[dict[str, Any]]:
        return [row async for page in self.gitlab.pages(path, params) for row in page.rows]


async def why_closed(source: ProjectSource, refusal: Forbidden) -> Forbidden:
    """Tell a project without CI/CD, which shows its pipelines to nobody, from one that hides them from the token."""
    if isinstance(refusal, CiDisabled):
        return refusal
    try:
        project = (await source.gitlab.get(f"/projects/{source.project_id}")).body
    except (Forbidden, ResourceNotFound):
        return refusal
    if ci_is_off(mapping(project)):
        return CiDisabled(OFF, http_status=refusal.http_status)
    return refusal
