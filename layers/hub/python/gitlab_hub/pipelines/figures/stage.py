"""The step of a run that brings the figures up to date with what is stored."""

from collections.abc import Iterable, Sequence
from functools import partial

from gitlab_hub.gitlab.fields import from_datetime
from gitlab_hub.pipelines.figures.store import FigureStore, ProjectDay
from gitlab_hub.pipelines.project_marks import ProjectMarks
from gitlab_hub.pipelines.projects import ProjectRows
from gitlab_hub.pipelines.selection import default_branches
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.ports import Scope, Session, SingleScopeStage

DAYS_AT_ONCE = 8


class FiguresStage(SingleScopeStage):
    """Counts the days of projects in which something changed, then adds up the days.

    What is to be counted stands in the table: whoever carries on finds what is left.
    """

    name = "figures"

    def __init__(self, session: Session, rows: ProjectRows, table: Table, marks: Sequence[ProjectMarks] = ()) -> None:
        """`marks`: where to note projects in which something has changed, for later steps."""
        self._session, self._rows, self._table, self._marks = session, rows, table, marks
        self._store = FigureStore(table, session.target.integration_id)
        self._marked: set[str] = set()
        self._default_branches: dict[int, str | None] = {}

    async def read(self, scope: Scope) -> None:
        """Make the figures of this run."""
        if not await self._session.io(self._store.is_current):
            await self._count_everything(scope)
            await self._session.write(self._store.mark_current)
        pages = self._store.changed()
        while (page := await self._session.io(next, pages, None)) is not None:
            await self._count(scope, page)
        for day in await self._session.io(self._store.changed_days):
            await self._session.write(self._store.add_up, day)
            await self._session.note_progress()

    async def _count_everything(self, scope: Scope) -> None:
        """Count all days of all projects, gone ones too, behind the day that an earlier worker has come to.

        The cursor: the last project that is done; behind it, after a `#` each, the next one and its last day done.
        """
        behind, _, within = (self._session.cursor(scope) or "").partition("#")
        pages = self._rows.known(behind or None)
        while (page := await self._session.io(next, pages, None)) is not None:
            for project in page:
                sk, days = project["sk"], await self._session.io(self._store.all_days, project["id"])
                done = within.removeprefix(f"{sk}#") if within.startswith(f"{sk}#") else ""
                left = sorted((day for day in days if day.day > done), key=lambda day: day.day)
                await self._count(scope, left, within=f"{behind}#{sk}")
                await self._session.checkpoint(scope, sk)
                behind, within = sk, ""

    async def _count(self, scope: Scope, days: Sequence[ProjectDay], *, within: str | None = None) -> None:
        """Count days, in their order. `within`: what the cursor says of their project; None = nothing."""
        projects = {day.project_id for day in days}
        for marks in self._marks:
            await self._session.write(marks.add, sorted(projects), now=from_datetime(self._session.now()))
        await self._know_default_branches(projects)
        for start in range(0, len(days), DAYS_AT_ONCE):
            some = days[start : start + DAYS_AT_ONCE]
            await self._mark({day.day for day in some})
            await self._session.gather(*(partial(self._count_one, day) for day in some))
            self._session.count(figures_made=len(some))
            if within is None:
                await self._session.note_progress()
            else:
                await self._session.checkpoint(scope, f"{within}#{some[-1].day}")

    async def _count_one(self, day: ProjectDay) -> None:
        await self._session.write(self._store.count, day, self._default_branches.get(day.project_id))

    async def _mark(self, days: Iterable[str]) -> None:
        for day in sorted(set(days) - self._marked):
            await self._session.write(self._store.mark_day, day)
            self._marked.add(day)

    async def _know_default_branches(self, ids: set[int]) -> None:
        unknown = sorted(ids - self._default_branches.keys())
        found = await self._session.io(default_branches, self._table, self._store.integration_id, unknown)
        self._default_branches.update({number: found.get(number) for number in unknown})
