"""The jobs of a project's pipelines, read by REST many pipelines at once.

A list of each pipeline's own costs a request for each. GraphQL tells neither who started a job, nor why it failed by
its code, nor parts of a second of its duration (app/graphql/types/ci/job_type.rb). The list of a project's jobs has all
that, retried ones too, the newest first and by keyset (docs.gitlab.com/api/jobs, "List project jobs"), in rows of the
same shape as a pipeline's own (lib/api/ci).
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gitlab_hub.gitlab.client import GitLab, Page
from gitlab_hub.gitlab.errors import (
    Forbidden,
    InsufficientScope,
    MissingPermissions,
    ResourceNotFound,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.fields import part
from gitlab_hub.gitlab.keyset import keyset_pages
from gitlab_hub.pipelines.model import identity, job_of
from gitlab_hub.storage.ports import Item

NEWEST_FIRST = {"order_by": "id", "sort": "desc"}
PAGE_SIZE = 100

SPREAD = 2
"""How many times more jobs than are wanted may be read to get to all of them."""


@dataclass(slots=True)
class JobsOfPipeline:
    """The jobs of a pipeline, retried ones too, and the pipeline as they name it."""

    row: Mapping[str, Any]
    jobs: list[Item] = field(default_factory=list)
    differs: bool = False
    """Whether some name it otherwise than others: it has changed while they were read."""


@dataclass(frozen=True, slots=True)
class WholeList:
    """All jobs of a project by the ids of their pipelines, and when the list began to be read, by GitLab's clock."""

    pipelines: Mapping[int, JobsOfPipeline]
    answered_at: datetime


class ProjectJobs:
    """Reads the list as far down as it pays: a pipeline's own list costs a request for each pipeline."""

    def __init__(self, gitlab: GitLab, project_id: int) -> None:
        self._pages = keyset_pages(gitlab, f"/projects/{project_id}/jobs", NEWEST_FIRST, per_page=PAGE_SIZE)
        self._one_at_a_time = asyncio.Lock()
        self._jobs: dict[int, dict[int, Item]] = {}
        self._lowest: int | None = None
        self._left = 0
        self._ended = False

    def want(self, pipelines: Mapping[int, frozenset[int]], *, kept: Iterable[int] = ()) -> None:
        """Hear of pipelines whose jobs are wanted next, each with the ids that it has at least.

        Where they are the newest of the project a few pages have them all; further down it is not worth while. Those
        that are `kept` may be wanted later.
        """
        if self._lowest is None and not self._ended:
            self._jobs |= {pipeline: {} for pipeline in (*pipelines, *kept)}
            count = sum(map(len, pipelines.values()))
            self._left += min(max(0, len(pipelines) - 1), SPREAD * -(-count // PAGE_SIZE))

    def discard(self, pipelines: Iterable[int]) -> None:
        """Hear of pipelines that were told anew: what was read of their jobs before may be older than they are."""
        for pipeline in pipelines:
            self._jobs.pop(pipeline, None)

    async def of(self, pipeline: int, builds: frozenset[int]) -> list[Item] | None:
        """The jobs of a pipeline that has at least these; None where its own list has to tell them."""
        lowest = min(builds)
        async with self._one_at_a_time:
            while pipeline in self._jobs and not self._reaches(lowest) and not self._ended:
                await self._read_page()
        jobs = self._jobs.pop(pipeline, {})
        return list(jobs.values()) if self._reaches(lowest) and builds <= jobs.keys() else None

    async def whole(self, *, most: int) -> WholeList | None:
        """The list to its end; None where it has more pages than `most`, or does not tell all that is needed.

        Raises InsufficientScope and MissingPermissions: no list of jobs is shown to this token.
        """
        found: dict[int, JobsOfPipeline] = {}
        answered_at: datetime | None = None
        for _ in range(most):
            page = await _next(self._pages, strict=True)
            answered_at = page.server_time if page is not None and answered_at is None else answered_at
            if page is None or answered_at is None:
                return None
            for row in page.rows:
                pipeline = part(row, "pipeline")
                if (number := pipeline.get("id")) is None:
                    return None
                jobs = found.setdefault(number, JobsOfPipeline(pipeline))
                jobs.jobs.append(job_of(row))
                jobs.differs = jobs.differs or jobs.row != pipeline
            if page.next is None:
                return WholeList(found, answered_at)
        return None

    def _reaches(self, build: int) -> bool:
        return self._lowest is not None and self._lowest <= build

    async def _read_page(self) -> None:
        page = await _next(self._pages) if self._left > 0 else None
        self._left -= 1
        if page is None:
            self._ended = True
            return
        ids = [identity(row) for row in page.rows]
        for job, row in zip(ids, page.rows, strict=True):
            if (jobs := self._jobs.get(part(row, "pipeline").get("id") or 0)) is not None:
                jobs[job] = job_of(row)
        self._lowest = min([*ids, *([] if self._lowest is None else [self._lowest])], default=None)
        self._ended = page.next is None


async def _next(pages: AsyncIterator[Page], *, strict: bool = False) -> Page | None:
    """The next page; None where the list ends or is not shown. Each pipeline's own list says more of that."""
    try:
        return await anext(pages, None)
    except (InsufficientScope, MissingPermissions):
        if strict:
            raise
        return None
    except (Forbidden, ResourceNotFound, UnexpectedResponse):
        return None
