"""Notices what became of pipelines and jobs, and tells the hooks that want to know."""

from collections.abc import Iterator

from stand_in_gitlab.ci.model import Attempt, Pipeline, State
from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.payloads.ci import CiPayloads
from stand_in_gitlab.webhooks.events import Event
from stand_in_gitlab.webhooks.sender import Sender

WANTED = ("pipeline_events", "job_events")


class CiEvents:
    """Remembers the last status told of every pipeline and job in projects somebody listens to.

    Pipelines are functions of time and nobody is called when they move on: `catch_up` goes through all moments since
    it was last called at which a status changed, so that none is left out.
    """

    def __init__(self, company: Company, clock: Clock, view: CiView, payloads: CiPayloads, sender: Sender) -> None:
        self._company, self._clock, self._view, self._payloads, self._sender = company, clock, view, payloads, sender
        self._last = clock.now()
        self._pipelines: dict[int, dict[int, str]] = {}
        self._jobs: dict[int, dict[int, str]] = {}

    def catch_up(self) -> int:
        """Tell what happened in the meantime; returns how many hooks are called."""
        since, self._last = self._last, self._clock.now()
        heard = set(self._interesting())
        for gone in set(self._pipelines) - heard:
            del self._pipelines[gone], self._jobs[gone]
        for new in heard - set(self._pipelines):
            self._begin(new, since)
        return self._sender.publish([each for number in sorted(heard) for each in self._events_of(number, since)])

    def _interesting(self) -> Iterator[int]:
        """Projects whose pipelines or jobs some hook wants to hear of."""
        for (kind, owner_id), hooks in self._company.hooks.items():
            if not any(hook.flags.get(name) for hook in hooks.values() for name in WANTED):
                continue
            if kind == "project" and owner_id in self._company.projects:
                yield owner_id
            if kind == "group" and owner_id in self._company.groups:
                inside = {owner_id, *(group.id for group in self._company.descendants(owner_id))}
                yield from (project.id for project in self._company.projects_of(inside))

    def _begin(self, project_id: int, moment: float) -> None:
        """Somebody began to listen: what is already there is not told."""
        self._pipelines[project_id], self._jobs[project_id] = {}, {}
        for pipeline in self._company.pipelines[project_id].values():
            if pipeline.created <= moment:
                list(self._changed(pipeline, self._view.state(pipeline, moment), moment))

    def _events_of(self, project_id: int, since: float) -> Iterator[Event]:
        now = self._last
        for pipeline in list(self._company.pipelines[project_id].values()):
            if pipeline.created <= now:
                for moment in _moments(pipeline, self._view.attempts(pipeline), since, now):
                    yield from self._at(pipeline, moment)

    def _at(self, pipeline: Pipeline, moment: float) -> Iterator[Event]:
        state = self._view.state(pipeline, moment)
        for attempt in self._changed(pipeline, state, moment):
            if attempt is None:
                trigger, payload = "pipeline_hooks", self._payloads.pipeline(pipeline, state, moment)
            else:
                trigger, payload = "job_hooks", self._payloads.job(attempt, pipeline, state, moment)
            yield Event(trigger=trigger, payload=payload, project_id=pipeline.project_id)

    def _changed(self, pipeline: Pipeline, state: State, moment: float) -> Iterator[Attempt | None]:
        """Jobs that have another status than was told, then None if the pipeline itself has."""
        told, told_jobs = self._pipelines[pipeline.project_id], self._jobs[pipeline.project_id]
        for attempt in reversed(self._view.jobs(pipeline, moment, retried=True)):
            if told_jobs.get(attempt.id) != attempt.status(moment):
                told_jobs[attempt.id] = attempt.status(moment)
                yield attempt
        if told.get(pipeline.id) != state.status:
            told[pipeline.id] = state.status
            yield None


def _moments(pipeline: Pipeline, attempts: list[Attempt], since: float, now: float) -> list[float]:
    """When something may have changed since the last time, and now."""
    moments = {pipeline.created, *(when for each in attempts for when in _turns(each))}
    return sorted({now, *(each for each in moments if max(since, pipeline.created - 1) < each <= now)})


def _turns(attempt: Attempt) -> tuple[float, float, float, float]:
    return attempt.created, attempt.queued, attempt.started, attempt.finished
