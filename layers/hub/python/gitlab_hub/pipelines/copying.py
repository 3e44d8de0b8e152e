"""Copying single pipelines, while others may be copying the same ones."""

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.pipelines.settling import Known
from gitlab_hub.pipelines.source import ProjectSource
from gitlab_hub.pipelines.store import Copy, PipelineStore
from gitlab_hub.pipelines.times import from_datetime
from gitlab_hub.storage.table import ConditionFailed
from gitlab_hub.sync.ports import Session

MOST_RACES = 5
"""How often one pipeline is read anew because another worker stored it meanwhile."""


class Copier:
    """Keeps pipelines of one project as GitLab has them. `hinted`: on behalf of a webhook, beside runs."""

    def __init__(self, session: Session, source: ProjectSource, store: PipelineStore, *, hinted: bool = False) -> None:
        self._session, self._source, self._store, self._hinted = session, source, store, hinted

    async def copy(self, number: int, known: Known | None) -> Copy:
        """Read a pipeline and store it. Raises GitLabError, Missing where there is no such pipeline.

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
