"""The pipelines sync, as the engine runs it."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from gitlab_hub.gitlab.errors import (
    CiDisabled,
    Forbidden,
    GitLabError,
    InsufficientScope,
    MissingPermissions,
    RateLimited,
    Unauthorized,
)
from gitlab_hub.gitlab.fields import from_datetime
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.pipelines.deployments.stage import DeploymentsStage, note_deployment
from gitlab_hub.pipelines.figures.alerts import AlertsStage
from gitlab_hub.pipelines.figures.stage import FiguresStage
from gitlab_hub.pipelines.graphql.details import ToldPipelines
from gitlab_hub.pipelines.graphql.prefetch import Prefetch
from gitlab_hub.pipelines.graphql.standing import WORTH_IT
from gitlab_hub.pipelines.keys import alerts_pk, deployments_due_pk
from gitlab_hub.pipelines.outlines import Outlines
from gitlab_hub.pipelines.owed import OwedRows
from gitlab_hub.pipelines.owed_pipelines import Allowance, OwedPipelines
from gitlab_hub.pipelines.project_marks import ProjectMarks
from gitlab_hub.pipelines.project_stages import ProjectsStage, SweepStage
from gitlab_hub.pipelines.projects import ProjectRows, project_number
from gitlab_hub.pipelines.read_states import ReadStates
from gitlab_hub.pipelines.reading import ProjectReading
from gitlab_hub.pipelines.source import OFF, ProjectSource, why_closed
from gitlab_hub.pipelines.store import PipelineStore
from gitlab_hub.pipelines.targeted_refresh import TargetedRefresh
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.message import Hint
from gitlab_hub.sync.ports import Kind, Scope, Session, Stage

IN_THE_MAKING = 16
"""Pipelines being read at a time, over all projects: enough to keep the client's connections busy, and a bound on
memory."""

MANY_PROJECTS = 100
"""From so many on, reading every pipeline of a first sync, and asking every idle project in each later one, takes too
long by REST. Where there are fewer, everything is whole at once."""


class PipelinesFeature:
    """Projects first, then the pipelines of each of them; what must be judged over a whole run comes last."""

    kind = Kind.PIPELINES

    def __init__(
        self,
        table: Table,
        incidents: IncidentStore | None = None,
        *,
        alerts: bool = False,
        deployments: bool = False,
        graphql_from: int = WORTH_IT,
        lists_from: int = MANY_PROJECTS,
    ) -> None:
        """`alerts`: whether to tell as incidents what gets worse; `deployments`: whether to read these as well.

        `graphql_from`, `lists_from`: so many projects are worth asking whether GraphQL may tell them, and, where it may
        not, reading only lists of those that are new and leaving idle ones alone for a while.
        """
        self.table, self._incidents = table, incidents
        self._alerts, self._deployments = alerts, deployments
        self._graphql_from, self._lists_from = graphql_from, lists_from

    def stages(self, session: Session) -> Sequence[Stage]:
        """The steps of one run."""
        table = session.fenced(self.table)
        rows = ProjectRows(table, session.target.integration_id)
        pipelines = PipelinesStage(
            session, rows, table, self._incidents, graphql_from=self._graphql_from, lists_from=self._lists_from
        )
        due = ProjectMarks(table, deployments_due_pk(session.target.integration_id))
        alerts = ProjectMarks(table, alerts_pk(session.target.integration_id))
        marks = [*([alerts] if self._alerts else []), *([due] if self._deployments else [])]
        figures, sweep = FiguresStage(session, rows, table, marks), SweepStage(session, rows, table, self._incidents)
        deployments = [DeploymentsStage(session, rows, table, due)] if self._deployments else []
        beside = [*self._alerting(session, table), *deployments]
        return [ProjectsStage(session, rows), pipelines, figures, *beside, sweep]

    def _alerting(self, session: Session, table: Table) -> list[Stage]:
        if self._incidents is None or not (self._alerts or session.full):
            return []
        return [AlertsStage(session, table, self._incidents, on=self._alerts)]

    async def refresh(self, session: Session, hint: Hint) -> None:
        """Read the one pipeline that a hint is about, or have the next run ask for a project's deployments."""
        if "pipeline_id" not in hint:
            if self._deployments:
                await note_deployment(session, session.fenced(self.table), hint["project_id"])
            return
        await TargetedRefresh(session, session.fenced(self.table)).run(hint["project_id"], hint["pipeline_id"])


class PipelinesStage:
    """Reads the pipelines of every project, each project on its own."""

    name = "pipelines"

    def __init__(
        self,
        session: Session,
        rows: ProjectRows,
        table: Table,
        incidents: IncidentStore | None = None,
        *,
        graphql_from: int = WORTH_IT,
        lists_from: int = MANY_PROJECTS,
    ) -> None:
        self._session, self._rows, self._incidents = session, rows, incidents
        self._owed = OwedRows(table, session.target.integration_id)
        self._store = PipelineStore(table, session.target.integration_id)
        self._states = ReadStates(table, session.target.integration_id)
        self._prefetch = Prefetch(session, self._store, worth_it=graphql_from)
        self._allowance = Allowance()
        self._shows_jobs, self._lists_from, self._are_many = True, lists_from, False
        self._resting, self._off = set[int](), set[int]()
        self._making = asyncio.Semaphore(session.concurrency(IN_THE_MAKING))

    async def size(self) -> int | None:
        """How many projects are known."""
        return await self._session.io(lambda: sum(len(page) for page in self._rows.listed(None)))

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """The known projects by id. How many there are decides how they are read, whoever carries on with the last."""
        self._are_many = await self._session.io(self._rows.are, self._lists_from)
        pages = self._rows.listed(after)
        while (page := await self._session.io(next, pages, None)) is not None:
            states = await self._session.io(self._states.look_ahead, [item["sk"] for item in page])
            self._prefetch.plan(states, at_least=self._lists_from if self._are_many else 0)
            now = from_datetime(self._session.now()) // 1000
            self._resting |= {number for number, state in states.items() if state.rests(now)}
            self._off |= {number for number, state in states.items() if state.is_off}
            for item in page:
                yield Scope(item["sk"], {"type": "project", "id": item["id"], "path": item["path_with_namespace"]})

    async def read(self, scope: Scope) -> bool:
        """Read one project's pipelines; False where it has none."""
        source = await self._source(scope)
        resting = self._rests(scope, source)
        if resting:
            self._session.count(projects_resting=1)
        if resting and source.project_id in self._off:
            raise CiDisabled(OFF)  # As it was said when it was asked: a run drops the notes before its own.
        owed_pipelines = OwedPipelines(
            self._session, self._owed, self._states, self._incidents, source.project_id, self._allowance
        )
        reading = ProjectReading(self._session, scope, source, self._store, self._states, owed_pipelines, self._making)
        try:
            if source.told is not None and source.told.is_off:
                raise CiDisabled(OFF)
            return await reading.run(resting=resting)
        except (RateLimited, Unauthorized, InsufficientScope, MissingPermissions):
            raise
        except GitLabError as error:
            reason = await why_closed(source, error) if isinstance(error, Forbidden) else error
            may_rest = source.may_rest and isinstance(reason, CiDisabled)
            await self._session.write(
                self._states.mark_failed, source.project_id, reason.code, owed=owed_pipelines.count,
                looked_at=from_datetime(self._session.now()) // 1000 if may_rest else None,
            )  # fmt: skip
            raise reason from None

    def _rests(self, scope: Scope, source: ProjectSource) -> bool:
        """Whether a project is not asked for its lists in this run: only where it costs requests of its own."""
        is_new = self._session.cursor(scope) is None and not self._session.full
        return is_new and source.may_rest and source.project_id in self._resting

    async def _source(self, scope: Scope) -> ProjectSource:
        """Where a project is read from. One whose reading was interrupted goes on with REST's lists."""
        session, number = self._session, project_number(scope.key)
        is_new = session.cursor(scope) is None
        is_first = is_new and self._prefetch.is_first(number)
        told = await self._prefetch.told_of(number) if is_new else None
        pipelines = ToldPipelines(session.gitlab, number, told, self._prefetch.told_of_rows)
        may_rest = told is None and self._prefetch.is_refused and self._are_many
        by_lists = may_rest and is_first and self._shows_jobs
        outlines = Outlines(session.gitlab, number, self._hide_jobs) if by_lists else None
        return ProjectSource(session.gitlab, session.gather, number, told, pipelines, may_rest, outlines)

    def _hide_jobs(self) -> None:
        """Hear that the token may see no project's list of jobs: whoever asks next asks for each pipeline's."""
        self._shows_jobs = False
