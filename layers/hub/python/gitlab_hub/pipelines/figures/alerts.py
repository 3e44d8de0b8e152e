"""The step of a run that tells as incidents what got worse in the projects whose figures have changed.

Which projects are to be looked at stands in the table from before their figures are made: whoever carries on for a
worker that died finds them all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, timedelta
from typing import Any

from gitlab_hub.gitlab.fields import padded
from gitlab_hub.incidents import Incident, IncidentStore
from gitlab_hub.pipelines.figures.day import total
from gitlab_hub.pipelines.figures.evidence import ENDS
from gitlab_hub.pipelines.figures.regressions import (
    BEFORE_DAYS,
    LATELY_DAYS,
    Red,
    Regression,
    is_mended,
    regressions,
    turned_red,
)
from gitlab_hub.pipelines.figures.store import FigureStore, day_in, day_of_row, evidence_in
from gitlab_hub.pipelines.keys import alerts_pk, projects_pk
from gitlab_hub.pipelines.project_marks import ProjectMarks
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.sync.ports import Scope, Session, SingleScopeStage

RED, WORSE = "default_branch_red", "jobs_regressed"
KINDS = (RED, WORSE)

MOST_NAMED = 20
REF_CLASS = "default_branch"


class AlertsStage(SingleScopeStage):
    """Looks at projects whose figures have changed, and once a day at those with jobs that got worse.

    Where alerts are off, a full sync drops those that are left.
    """

    name = "alerts"

    def __init__(self, session: Session, table: Table, incidents: IncidentStore, *, on: bool) -> None:
        self._session, self._table, self._incidents, self._on = session, table, incidents, on
        self._integration_id = session.target.integration_id
        self._figures = FigureStore(table, self._integration_id)
        self.marks = ProjectMarks(table, alerts_pk(self._integration_id))

    async def read(self, scope: Scope) -> None:  # noqa: ARG002 - there is one
        """Look at them one after the other."""
        if not self._on:
            await self._session.write(self._drop_all)
            return
        pages = self.marks.pages()
        while (page := await self._session.io(next, pages, None)) is not None:
            for marked in page:
                await self._session.write(self._look, marked.project_id)
                await self._session.write(self.marks.drop, marked)
                await self._session.note_progress()
        for project_id in await self._session.io(self._of_earlier_days):
            await self._session.write(self._look, project_id)
            await self._session.note_progress()

    def _of_earlier_days(self) -> list[int]:
        """Projects whose jobs got worse on a day before this one: nothing may have run there since."""
        found = self._incidents.of(self._integration_id)
        return [int(one.subject) for one in found if one.kind == WORSE and one.revision != self._today]

    @property
    def _today(self) -> str:
        return self._session.now().astimezone(UTC).date().isoformat()

    def _drop_all(self) -> None:
        left = [one for one in self._incidents.of(self._integration_id) if one.kind in KINDS]
        for one in left:
            self._incidents.close(one.kind, one.integration_id, one.subject)

    def _look(self, project_id: int) -> None:
        today = self._session.now().astimezone(UTC)
        days = [(today - timedelta(days=back)).date().isoformat() for back in range(LATELY_DAYS + BEFORE_DAYS)]
        rows = self._figures.of_project(project_id, days, "detail", "evidence")
        lately, before = (
            total(day_in(row) for row in rows if (day_of_row(row) in days[:LATELY_DAYS]) is is_late).of(REF_CLASS)
            for is_late in (True, False)
        )
        ends = [one for row in rows for one in evidence_in(row).get(ENDS, ())]
        about = self._table.get(projects_pk(self._integration_id), padded(project_id))
        if about is None or "gone_at" in about:
            # Figures of a project that is gone may be made again, and nothing in it will ever get better.
            over: Sequence[str] = KINDS
        else:
            over = self._tell(project_id, about, ends, regressions(lately, before))
        for kind in over:
            self._incidents.close(kind, self._integration_id, str(project_id))

    def _tell(self, project_id: int, about: Item, ends: list[list[int]], worse: list[Regression]) -> Sequence[str]:
        """Tell what got worse; the answer is what is over."""
        if (red := turned_red(ends)) is not None:
            self._incidents.open(self._red(project_id, about, red))
        if worse:
            self._incidents.open(self._worse(project_id, about, worse))
        return [RED] * is_mended(ends) + [WORSE] * (not worse)

    def _red(self, project_id: int, about: Item, red: Red) -> Incident:
        branch = about.get("default_branch")
        over = "It is over with the next pipeline that succeeds there."
        hint = f"{_name(about)}: the default branch {branch} fails since pipeline {red.pipeline_id}. {over}"
        return self._incident(RED, project_id, about, red.at, hint, {"pipeline_id": red.pipeline_id})

    def _worse(self, project_id: int, about: Item, worse: list[Regression]) -> Incident:
        jobs = [asdict(one) for one in worse[:MOST_NAMED]]
        when = f"on its default branch since yesterday, compared with the {BEFORE_DAYS} days before"
        hint = f"{_name(about)}, {when}: {'; '.join(map(_said, worse[:MOST_NAMED]))}."
        at = int(self._session.now().timestamp())
        told = self._incident(WORSE, project_id, about, at, hint, {"jobs": jobs, "count": len(worse)})
        return replace(told, revision=self._today)

    def _incident(
        self, kind: str, project_id: int, about: Item, at: int, hint: str, details: Mapping[str, Any]
    ) -> Incident:
        named = {"project_id": project_id, "project": about.get("path_with_namespace")}
        return Incident(
            kind=kind,
            integration_id=self._integration_id,
            subject=str(project_id),
            at=at,
            hint=hint,
            details={**named, **details},
            announced=True,
        )


def _name(about: Item) -> str:
    return str(about.get("path_with_namespace") or "A project")


def _said(one: Regression) -> str:
    if one.figure == "p95_seconds":
        return f"{one.job} takes up to {one.now} s (p95; it was {one.before} s)"
    return f"{one.job} fails in {one.now} % of its attempts (it was {one.before} %)"
