"""The owed pipelines of one project during a run: noted, resolved and reported."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.gitlab.fields import from_datetime
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.pipelines import owed as rules
from gitlab_hub.pipelines.freshness import StoredPipeline
from gitlab_hub.pipelines.model import is_in_progress
from gitlab_hub.pipelines.owed import MOST_TRIED, MOST_UNFINISHED, MOST_WITHOUT_JOBS, Owed, OwedRows
from gitlab_hub.pipelines.read_states import ReadState, ReadStates
from gitlab_hub.pipelines.store import PipelineStore
from gitlab_hub.pipelines.window import Stream
from gitlab_hub.sync.ports import Scope, Session


@dataclass(slots=True)
class Allowance:
    """How many more unfinished pipelines a worker asks for again, and how many of these only for their details.

    Outlines have half of it: after a first sync there are so many that nothing would be left for what still goes on.
    """

    left: int = MOST_UNFINISHED
    outlines_left: int = MOST_UNFINISHED // 2

    def take(self, wanted: Sequence[Owed]) -> list[Owed]:
        """Those of some that are asked for, in their order."""
        taken = []
        for one in wanted:
            if self.left and (self.outlines_left or not one.outline):
                self.left, self.outlines_left = self.left - 1, self.outlines_left - one.outline
                taken.append(one)
        return taken


class OwedPipelines:
    """The owed pipelines of one project. A project without any costs nothing."""

    def __init__(
        self,
        session: Session,
        rows: OwedRows,
        states: ReadStates,
        incidents: IncidentStore | None,
        project_id: int,
        allowance: Allowance,
    ) -> None:
        self._session, self._rows, self._states = session, rows, states
        self._incidents, self._project_id, self._allowance = incidents, project_id, allowance
        self.owed: dict[int, Owed] = {}
        self.before: frozenset[int] = frozenset()
        """What was owed before this run."""
        self._missed = False

    async def load(self, state: ReadState, store: PipelineStore, *, resumed: bool) -> None:
        """Read what earlier runs, or (`resumed`) earlier workers of this one, have noted.

        Releases before this one noted nothing of what had not ended: that is looked for once.
        """
        if resumed or state.owed or state.unfinished or state.outlined:
            self.owed = await self._session.io(self._rows.of, self._project_id)
            self.before, self._missed = frozenset(self.owed), bool(self.not_shown)
        if state.unfinished is None and state.reconciled_at is not None:
            for row in await self._session.io(store.in_progress, self._project_id):
                await self.add_unfinished(row)

    @property
    def count(self) -> int:
        """How many are owed of which something is missing."""
        return sum(not one.unfinished for one in self.owed.values())

    @property
    def unfinished(self) -> int:
        """How many are stored as they were before their end."""
        return sum(one.unfinished and not one.outline for one in self.owed.values())

    @property
    def outlined(self) -> int:
        """How many are stored without their details."""
        return sum(one.outline for one in self.owed.values())

    @property
    def not_shown(self) -> Mapping[int, Owed]:
        """Those that GitLab lists and does not show."""
        return {number: one for number, one in self.owed.items() if not one.is_stored}

    def counted(self, state: ReadState) -> ReadState:
        """The read state of the project with these counts."""
        return replace(state, owed=self.count or None, unfinished=self.unfinished, outlined=self.outlined or None)

    def ids(self, stream: Stream) -> Iterable[int]:
        """What is not stored of a stream; which one they are of is not known, so all are of the first."""
        return self.not_shown if stream is Stream.DEFAULT else ()

    def due(self, now: int, *, full: bool) -> Sequence[Owed]:
        """Those that are to be tried again, a bounded number: new ones once more at once, as most trouble passes.

        What showed no jobs is left to a later run: jobs land late. What had not ended waits for its pause.
        """
        waiting = sorted(self.owed.values(), key=lambda one: (one.pipeline_id in self.before, one.due_at))
        mine = [
            one
            for one in waiting
            if not one.unfinished
            and one.stored_by != self._session.sync_id
            and (full or one.due_at <= now or one.pipeline_id not in self.before)
        ][:MOST_TRIED]
        unfinished = [one for one in waiting if one.unfinished and one.due_at <= now]
        # What still goes on first, then the newest of those that only lack details.
        unfinished.sort(key=lambda one: (one.outline, -one.pipeline_id if one.outline else one.due_at))
        unfinished = unfinished[: MOST_TRIED - len(mine)]
        return [*mine, *self._allowance.take(unfinished)]

    def is_waiting(self, row: Mapping[str, Any], now: int) -> bool:
        """Whether a listed pipeline is owed and not to be tried yet."""
        return rules.is_waiting(self.owed.get(row["id"]), row, now=now)

    def asks_again(self, number: int) -> bool:
        """Whether a pipeline without jobs is to be read once more, in a later run."""
        known = self.owed.get(number)
        if known is not None and not known.unfinished:
            return known.stored_by == self._session.sync_id
        return sum(one.stored_by is not None for one in self.owed.values()) < MOST_WITHOUT_JOBS

    async def add(self, row: Mapping[str, Any], error: GitLabError, *, is_stored: bool = False) -> None:
        """Keep that a pipeline could not be read, or (`is_stored`) not be believed."""
        now = self._now()
        known = self.owed.get(row["id"]) if row["id"] in self.before else None
        stored_by = self._session.sync_id if is_stored else None
        if known is None or known.unfinished:
            owed = rules.new_owed(row, self._project_id, error, now=now, stored_by=stored_by)
        else:
            # What cannot be read any more is owed like any other, though it was stored without its jobs.
            owed = replace(known.retried(error, now=now), stored_by=known.stored_by if is_stored else None)
        if not self.count:
            # First: whoever takes over from here, or comes next, looks for what is owed only where it says so.
            await self._session.write(self._states.mark_owed, self._project_id)
        await self._keep(owed)

    async def add_unfinished(self, row: Mapping[str, Any], *, is_outline: bool = False) -> None:
        """Keep that a pipeline was read before its end, or without its details.

        One that has been waited for is asked for later than before. Where nothing else is owed of the project, this is
        found again by whoever reads from the same checkpoint, or watermark: the list shows the pipeline once more.
        """
        now, known = self._now(), self.owed.get(row["id"])
        if known is None or not known.unfinished or known.outline is not is_outline:
            await self._keep(rules.unfinished(row, self._project_id, now=now, is_outline=is_outline))
        elif known.due_at <= now:
            await self._keep(known.later(now=now))

    async def note(self, row: Mapping[str, Any], stored: StoredPipeline) -> None:
        """Hear of a listed pipeline that is stored as it is: on behalf of a hint, perhaps, which notes nothing here."""
        known = self.owed.get(row["id"])
        if is_in_progress(stored.status) and known is None:
            await self.add_unfinished(row)
        elif known is not None and known.unfinished and stored.settled:
            await self.resolve(row["id"])

    async def resolve(self, pipeline_id: int) -> None:
        """A pipeline was read to its end, or is gone."""
        if self.owed.pop(pipeline_id, None) is not None:
            await self._session.write(self._rows.drop, self._project_id, pipeline_id)

    async def _keep(self, owed: Owed) -> None:
        self.owed[owed.pipeline_id] = owed
        await self._session.write(self._rows.keep, owed)

    def scope_note(self) -> tuple[str, str] | None:
        """What the scope's note says of owed pipelines: an error code and a text; None where there are none."""
        owed = self.not_shown
        return (next(iter(owed.values())).code, rules.describe(owed)) if owed else None

    async def report(self, scope: Scope) -> None:
        """Say as an incident which pipelines are owed, or that none is any more."""
        if self._incidents is None or not (self.not_shown or self._missed):
            return
        integration_id = self._session.target.integration_id
        if owed := self.not_shown:
            path = scope.payload.get("path")
            incident = rules.incident_of(integration_id, self._project_id, path, owed)
            await self._session.write(self._incidents.open, incident)
        else:
            await self._session.write(self._incidents.close, rules.INCIDENT, integration_id, str(self._project_id))

    def _now(self) -> int:
        return from_datetime(self._session.now()) // 1000
