"""The owed pipelines of one project during a run: noted, resolved and reported."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.gitlab.fields import from_datetime
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.pipelines import owed as rules
from gitlab_hub.pipelines.owed import MOST_TRIED, MOST_WITHOUT_JOBS, Owed, OwedRows
from gitlab_hub.pipelines.projects import ReadStates
from gitlab_hub.pipelines.window import Stream
from gitlab_hub.sync.ports import Scope, Session


class OwedPipelines:
    """The owed pipelines of one project. A project without any costs nothing."""

    def __init__(
        self, session: Session, rows: OwedRows, states: ReadStates, incidents: IncidentStore | None, project_id: int
    ) -> None:
        self._session, self._rows, self._states = session, rows, states
        self._incidents, self._project_id = incidents, project_id
        self.owed: dict[int, Owed] = {}
        self.before: frozenset[int] = frozenset()
        """What was owed before this run."""

    async def load(self) -> None:
        """Read what earlier runs, or earlier workers of this one, could not read."""
        self.owed = await self._session.io(self._rows.of, self._project_id)
        self.before = frozenset(self.owed)

    def ids(self, stream: Stream) -> Iterable[int]:
        """What is owed of a stream; which one they are of is not known, so all are of the first."""
        return self.owed if stream is Stream.DEFAULT else ()

    def due(self, now: int, *, full: bool) -> Sequence[Owed]:
        """Those that are to be tried again, a bounded number: new ones once more at once, as most trouble passes.

        What showed no jobs is left to a later run: jobs land late.
        """
        owed = [one for one in self.owed.values() if one.stored_by != self._session.sync_id]
        waiting = sorted(owed, key=lambda one: (one.pipeline_id in self.before, one.due_at))
        mine = [one for one in waiting if full or one.due_at <= now or one.pipeline_id not in self.before]
        return mine[:MOST_TRIED]

    def is_waiting(self, row: Mapping[str, Any], now: int) -> bool:
        """Whether a listed pipeline is owed and not to be tried yet."""
        return rules.is_waiting(self.owed.get(row["id"]), row, now=now)

    def asks_again(self, number: int) -> bool:
        """Whether a pipeline without jobs is to be read once more, in a later run."""
        known = self.owed.get(number)
        if known is not None:
            return known.stored_by == self._session.sync_id
        return sum(one.stored_by is not None for one in self.owed.values()) < MOST_WITHOUT_JOBS

    async def add(self, row: Mapping[str, Any], error: GitLabError, *, is_stored: bool = False) -> None:
        """Keep that a pipeline could not be read, or (`is_stored`) not be believed."""
        now = from_datetime(self._session.now()) // 1000
        known = self.owed.get(row["id"]) if row["id"] in self.before else None
        stored_by = self._session.sync_id if is_stored else None
        if known is None:
            owed = rules.new_owed(row, self._project_id, error, now=now, stored_by=stored_by)
        else:
            # What cannot be read any more is owed like any other, though it was stored without its jobs.
            owed = replace(known.retried(error, now=now), stored_by=known.stored_by if is_stored else None)
        if not self.owed:
            # First: whoever takes over from here, or comes next, looks for what is owed only where it says so.
            await self._session.write(self._states.mark_owed, self._project_id)
        self.owed[owed.pipeline_id] = owed
        await self._session.write(self._rows.keep, owed)

    async def resolve(self, pipeline_id: int) -> None:
        """A pipeline was read, or is gone."""
        if self.owed.pop(pipeline_id, None) is not None:
            await self._session.write(self._rows.drop, self._project_id, pipeline_id)

    def note(self) -> tuple[str, str] | None:
        """What the scope's note says of owed pipelines: an error code and a text; None where there are none."""
        owed = self._not_shown
        return (next(iter(owed.values())).code, rules.describe(owed)) if owed else None

    @property
    def _not_shown(self) -> Mapping[int, Owed]:
        return {number: one for number, one in self.owed.items() if one.stored_by is None}

    async def report(self, scope: Scope) -> None:
        """Say as an incident which pipelines are owed, or that none is any more."""
        if self._incidents is None or not (self.owed or self.before):
            return
        integration_id = self._session.target.integration_id
        if owed := self._not_shown:
            path = scope.payload.get("path")
            incident = rules.incident_of(integration_id, self._project_id, path, owed)
            await self._session.write(self._incidents.open, incident)
        else:
            await self._session.write(self._incidents.close, rules.INCIDENT, integration_id, str(self._project_id))
