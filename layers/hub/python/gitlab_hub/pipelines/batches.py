"""Copying listed pipelines a few at a time; one that cannot be read is owed, and the others go on."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from gitlab_hub.gitlab.errors import (
    CiDisabled,
    Forbidden,
    GitLabError,
    InsufficientScope,
    MissingPermissions,
    ResourceNotFound,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.fields import from_datetime
from gitlab_hub.pipelines.deleted import DeletedPipelines
from gitlab_hub.pipelines.freshness import StoredPipeline
from gitlab_hub.pipelines.owed import MOST_IN_A_ROW, OF_ONE_PIPELINE, Owed
from gitlab_hub.pipelines.owed_pipelines import OwedPipelines
from gitlab_hub.pipelines.source import ProjectSource
from gitlab_hub.pipelines.store import Copy, PipelineStore
from gitlab_hub.pipelines.window import SHOWN, Window
from gitlab_hub.storage.ports import ConditionFailed
from gitlab_hub.sync.ports import Session

# Copying single pipelines, while others may be copying the same ones.

NO_JOBS = "GitLab lists no jobs for a pipeline that has ended."

MOST_RACES = 5
"""How often one pipeline is read anew because another worker stored it meanwhile."""


class PipelineCopier:
    """Keeps pipelines of one project as GitLab has them. `hinted`: on behalf of a webhook, beside runs."""

    def __init__(self, session: Session, source: ProjectSource, store: PipelineStore, *, hinted: bool = False) -> None:
        self._session, self._source, self._store, self._hinted = session, source, store, hinted

    async def copy(self, number: int, known: StoredPipeline | None) -> Copy:
        """Read a pipeline and store it. Raises GitLabError, ResourceNotFound where there is no such pipeline.

        Whoever read earlier may come to write later. So a row that is not the known one any more is left alone, and
        GitLab is asked again: its answer is younger than whatever is stored.
        """
        for _ in range(MOST_RACES):
            copy = await self._source.fetch(number, now=self._now())
            if known is not None and known.job_chunks and not copy.jobs:
                # Jobs do not vanish one by one from a pipeline that is still there: the list is wrong, not the copy.
                raise UnexpectedResponse("GitLab lists no jobs for a pipeline that had some.")
            try:
                written = await self._session.write(self._store.save, copy, known, now=self._now(), hinted=self._hinted)
            except ConditionFailed:
                found = await self._session.io(self._store.known, self._source.project_id, [number])
                known = found.get(number)
                continue
            self._session.count(pipelines_read=1, jobs_read=len(copy.jobs), rows_written=int(written))
            return copy
        raise UnexpectedResponse("A pipeline changes faster than the hub can store it.")

    def _now(self) -> int:
        return from_datetime(self._session.now())


BATCH = 8
"""Pipelines of one project between two checkpoints."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of one batch."""

    copied: int
    listed: int
    stored: int
    children: bool
    bridges: str | None
    """Whether the newest one showed its trigger jobs, as in a window; None where none was copied."""
    numbers: Sequence[int]

    def apply_to(self, window: Window) -> Window:
        """The window after the batch."""
        return replace(
            window,
            children=window.children or self.children,
            copied=window.copied + self.copied,
            listed=window.listed + self.listed,
            stored=window.stored + self.stored,
            bridges=self.bridges or window.bridges,
            reread=[*window.reread, *self.numbers] if window.again else [],
        )


class Batches:
    """The pipelines of one project, made durable batch by batch."""

    def __init__(
        self,
        session: Session,
        source: ProjectSource,
        store: PipelineStore,
        owed_pipelines: OwedPipelines,
        deleted: DeletedPipelines,
        making: asyncio.Semaphore,
    ) -> None:
        self._session, self._source, self._store, self._owed_pipelines = session, source, store, owed_pipelines
        self._deleted = deleted
        self._making, self._copier = making, PipelineCopier(session, source, store)
        self._in_a_row = 0

    async def copy(
        self, due: Sequence[tuple[int, Row]], known: Mapping[int, StoredPipeline]
    ) -> AsyncIterator[BatchResult]:
        """Copy listed pipelines. Raises GitLabError where not one pipeline but the project is in trouble."""
        await self._source.expect([row for _, row in due], known)
        for start in range(0, len(due), BATCH):
            batch = due[start : start + BATCH]
            jobs = (partial(self._copy, number, row, known.get(number)) for number, row in batch)
            results = dict(zip([number for number, _ in batch], await self._session.gather(*jobs), strict=True))
            await self._record_results(results, dict(batch))
            if gone := [n for n, result in results.items() if isinstance(result, ResourceNotFound) and n in known]:
                await self._deleted.mark(gone)
            copies = [result for result in results.values() if isinstance(result, Copy)]
            whole = [copy for copy in copies if not copy.is_outline]
            new = [number for number in results if number not in known and number not in self._owed_pipelines.before]
            yield BatchResult(
                copied=len(batch),
                listed=sum(not isinstance(results[number], ResourceNotFound) for number in new),
                stored=sum(isinstance(results[number], Copy) for number in new),
                children=any(copy.has_children for copy in copies),
                bridges=(whole[-1].bridges_refused or SHOWN) if whole else None,
                numbers=[number for number, _ in batch],
            )

    async def try_again(self, owed: Sequence[Owed]) -> None:
        """Try owed pipelines once more."""
        if not owed:
            return
        numbers = [one.pipeline_id for one in owed]
        known = await self._session.io(self._store.known, self._source.project_id, numbers)
        rows = [(one.pipeline_id, one.row) for one in owed]
        self._session.count(unfinished_asked=sum(one.unfinished for one in owed))
        async for _ in self.copy(rows, known):
            pass

    async def _record_results(self, results: Mapping[int, Copy | GitLabError], rows: Mapping[int, Row]) -> None:
        failed = {n: result for n, result in results.items() if isinstance(result, (*OF_ONE_PIPELINE, Forbidden))}
        refusals = (
            failed[n] for n in failed.keys() - self._owed_pipelines.owed.keys() if isinstance(failed[n], Forbidden)
        )
        if not any(isinstance(result, Copy) for result in results.values()) and (refusal := next(refusals, None)):
            # A refusal is one pipeline's only where another one is shown; else it is the token's in this project.
            refusal.behind_list = True
            raise refusal
        if failed:
            # All of them failing could also mean that GitLab is in trouble: then nothing may count as read.
            await self._source.confirm()
        self._in_a_row = self._in_a_row + len(failed) if len(failed) == len(results) else 0
        if self._in_a_row >= MOST_IN_A_ROW:
            raise next(iter(failed.values()))
        for number, result in results.items():
            if number in failed:
                await self._owed_pipelines.add(rows[number], failed[number])
            elif isinstance(result, Copy) and result.lacks_jobs and self._owed_pipelines.asks_again(number):
                await self._owed_pipelines.add(rows[number], UnexpectedResponse(NO_JOBS), is_stored=True)
            elif isinstance(result, Copy) and (result.is_unfinished or result.is_outline):
                await self._owed_pipelines.add_unfinished(rows[number], is_outline=result.is_outline)
            else:
                await self._owed_pipelines.resolve(number)
            self._session.count(
                pipelines_vanished=int(isinstance(result, ResourceNotFound)), pipelines_owed=number in failed
            )

    async def _copy(self, number: int, row: Row, known: StoredPipeline | None) -> Copy | GitLabError:
        """Copy one pipeline; the answer is the copy, or why it could not be read.

        ResourceNotFound is one that GitLab lists no more. A 404 for one that it lists is trouble like any other.
        """
        async with self._making:
            try:
                return await self._copier.copy(number, known)
            except (InsufficientScope, MissingPermissions, CiDisabled) as error:
                error.behind_list = True
                raise
            except ResourceNotFound as error:
                # What is stored may have changed since: it is gone only where no list shows it any more.
                if not await self._source.lists(row if known is None else {**row, "updated_at": None}):
                    return error
                return UnexpectedResponse("GitLab answers 404 for a pipeline that it lists.", http_status=404)
            except (Forbidden, *OF_ONE_PIPELINE) as error:
                return error
