"""Pipelines that GitLab has no more: missing in its list, and confirmed by a 404 for each.

A list alone proves nothing (pages shift, a proxy answers `[]`), nor does one 404 for what is listed. Deleting a
pipeline, retention (docs.gitlab.com/ci/pipelines/settings, "Automatic pipeline cleanup") and deleting its project end
it; what is stored of it stays, and says when that was noticed.
"""

from collections.abc import Sequence
from functools import partial

from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound
from gitlab_hub.gitlab.fields import from_datetime
from gitlab_hub.pipelines.owed import OF_ONE_PIPELINE
from gitlab_hub.pipelines.source import ProjectSource
from gitlab_hub.pipelines.store import PipelineStore
from gitlab_hub.storage.ports import Item
from gitlab_hub.sync.ports import Session

AT_ONCE = 16
"""Pipelines that are confirmed, and then marked, between two checkpoints."""


class DeletedPipelines:
    """Finds and marks the pipelines of one project that are gone."""

    def __init__(self, session: Session, source: ProjectSource, store: PipelineStore) -> None:
        self._session, self._source, self._store = session, source, store

    async def missing(
        self, listed: Sequence[int], *, children: bool, after: int | None, until: int | None
    ) -> list[int]:
        """Which stored pipelines a part of GitLab's list by ids does not show.

        The part: what lies behind the id `after` (None = from the beginning) up to `until` (None = to the end).
        """
        project_id = self._source.project_id
        stored = await self._session.io(self._store.here, project_id, children=children, after=after, until=until)
        shown = frozenset(listed)
        return [number for number in stored if number not in shown]

    async def mark(self, numbers: Sequence[int]) -> bool:
        """Mark those of some pipelines that GitLab confirms gone; False where it does not tell of all of them.

        Raises GitLabError where the project is in trouble.
        """
        # Before GitLab is asked: a webhook may have a pipeline read meanwhile, and its row is then the younger news.
        rows = await self._session.io(self._store.rows, self._source.project_id, numbers)
        answers = await self._session.gather(*(partial(self._is_gone, number) for number in numbers))
        gone = {number for number, is_gone in zip(numbers, answers, strict=True) if is_gone}
        if gone:
            # A 404 for a project that is hidden, or gone, says nothing of its pipelines.
            await self._source.confirm()
            await _mark(self._session, self._store, [row for row in rows if row["id"] in gone])
        return None not in answers

    async def _is_gone(self, number: int) -> bool | None:
        try:
            await self._source.gitlab.get(f"{self._source.path}/{number}")
        except ResourceNotFound:
            return True
        except (Forbidden, *OF_ONE_PIPELINE):
            return None
        return False


async def mark_all_deleted(session: Session, store: PipelineStore, project_id: int) -> None:
    """Mark all pipelines of a project that is gone; whoever carries on finds those that are left."""
    numbers: list[int] = await session.io(store.here, project_id)
    for start in range(0, len(numbers), AT_ONCE):
        await _mark(session, store, await session.io(store.rows, project_id, numbers[start : start + AT_ONCE]))
        await session.note_progress()


async def _mark(session: Session, store: PipelineStore, rows: Sequence[Item]) -> None:
    """Mark the pipelines of some rows as gone, unless somebody has written them since they were read."""
    marked = await session.write(store.mark_deleted, rows, now=from_datetime(session.now()))
    session.count(pipelines_deleted=marked)
