"""Reads pipelines and jobs at a moment, and remembers what will not change any more."""

from dataclasses import replace

from stand_in_gitlab.ci.model import Attempt, Pipeline, State
from stand_in_gitlab.ci.plan import Planner, latest
from stand_in_gitlab.ci.state import state_at
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.refusals import not_found


class CiView:
    """The pipelines of the company as they stand at a given moment."""

    def __init__(self, company: Company, planner: Planner) -> None:
        self._company, self._planner = company, planner
        self._settled: dict[int, tuple[float, State]] = {}

    def discard(self, pipeline_id: int) -> None:
        """A pipeline was changed: derive it afresh. Its parent changes with it."""
        self._settled.pop(pipeline_id, None)

    def state(self, pipeline: Pipeline, now: float) -> State:
        """The pipeline's state; computed once for those that have ended."""
        known = self._settled.get(pipeline.id)
        if known and now >= known[0]:
            return known[1]
        attempts = self._planner.attempts(pipeline)
        state = state_at(pipeline.created, attempts, now, pipeline.touched)
        if pipeline.unmoved_since is not None:
            state = replace(state, updated=min(state.updated, pipeline.unmoved_since))
        over = max([pipeline.created, *(max(each.created, each.finished) for each in attempts)])
        if now >= over:
            self._settled[pipeline.id] = (over, state)
        return state

    def pipelines(self, project_id: int, now: float) -> list[tuple[Pipeline, State]]:
        """Every pipeline of a project that exists by now, children too."""
        rows = self._company.pipelines[project_id].values()
        return [(pipeline, self.state(pipeline, now)) for pipeline in rows if pipeline.created <= now]

    def pipeline(self, project_id: int, pipeline_id: int, now: float) -> tuple[Pipeline, State]:
        """One pipeline, or 404."""
        pipeline = self._company.pipelines[project_id].get(pipeline_id)
        if pipeline is None or pipeline.created > now:
            raise not_found()
        return pipeline, self.state(pipeline, now)

    def attempts(self, pipeline: Pipeline) -> list[Attempt]:
        """Everything that is planned for the pipeline, also what is still to come."""
        return self._planner.attempts(pipeline)

    def jobs(self, pipeline: Pipeline, now: float, *, retried: bool) -> list[Attempt]:
        """The pipeline's jobs, newest id first; bridges are not jobs."""
        planned = self._planner.attempts(pipeline)
        attempts = [each for each in planned if each.downstream is None and not each.external and each.created <= now]
        chosen = attempts if retried else latest(attempts)
        return sorted(chosen, key=lambda each: each.id, reverse=True)

    def bridges(self, pipeline: Pipeline, now: float) -> list[Attempt]:
        """The pipeline's trigger jobs."""
        return [
            each for each in self._planner.attempts(pipeline) if each.downstream is not None and each.created <= now
        ]

    def project_jobs(self, project_id: int, now: float) -> list[tuple[Attempt, Pipeline]]:
        """All attempts of all jobs of a project, by id."""
        found = []
        for pipeline in self._company.pipelines[project_id].values():
            if pipeline.created <= now:
                found += [(attempt, pipeline) for attempt in self.jobs(pipeline, now, retried=True)]
        return sorted(found, key=lambda pair: pair[0].id)
