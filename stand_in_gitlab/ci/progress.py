"""What happens in the projects while time moves on: new pipelines, and second tries of failed jobs."""

from collections.abc import Iterator

from stand_in_gitlab.ci.history import add_pipeline
from stand_in_gitlab.ci.model import Attempt, Pipeline
from stand_in_gitlab.ci.plan import latest
from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.clock import DAY
from stand_in_gitlab.company.model import Project
from stand_in_gitlab.company.prng import prng
from stand_in_gitlab.company.state import Company

MAX_NEW, RECENT, RETRY = 20, 3, 0.15


class Progress:
    """Lets the company work from one moment to another; the same steps always bring the same work."""

    def __init__(self, company: Company, view: CiView) -> None:
        self._company, self._view = company, view
        self._steps = 0

    def work(self, old: float, new: float, jobs: int) -> dict[str, int]:
        """Start pipelines and retry jobs between two moments, in the order of time so that ids ascend with it."""
        self._steps += 1
        starts = [
            (moment, project.id)
            for project in self._company.projects.values()
            for moment in self._arrivals(project, old, new)
        ]
        retries = [(moment, pipeline.project_id, pipeline) for moment, pipeline in self._second_tries(old, new)]
        for moment, project_id in sorted(starts):
            add_pipeline(self._company, self._company.projects[project_id], moment, jobs)
        done = sum(
            self.retry_failed(pipeline, moment) for moment, _, pipeline in sorted(retries, key=lambda each: each[:2])
        )
        return {"pipelines": len(starts), "retried_jobs": done}

    def _arrivals(self, project: Project, old: float, new: float) -> Iterator[float]:
        if project.archived or not project.builds_enabled:
            return
        chance = prng(self._company.seed, "arrivals", project.id, self._steps)
        gap, moment = chance.choice([0.2, 1, 3]) * DAY, old
        for _ in range(MAX_NEW):
            moment += chance.expovariate(1 / gap)
            if moment > new:
                return
            yield round(moment, 6)

    def _second_tries(self, old: float, new: float) -> Iterator[tuple[float, Pipeline]]:
        for project_id, pipelines in self._company.pipelines.items():
            for pipeline in list(pipelines.values())[-RECENT:]:
                chance = prng(self._company.seed, "retry", pipeline.id, self._steps)
                # A child is written with its parent and begins a little later: it may not be there yet.
                begun = pipeline.created <= old
                if chance.hits(RETRY) and begun and self._view.state(pipeline, old).status == "failed" and project_id:
                    yield round(chance.uniform(old, new), 6), pipeline

    def retry_failed(self, pipeline: Pipeline, moment: float) -> int:
        """Try every failed job of a pipeline again at this moment."""
        failed = [
            each for each in latest(self._view.jobs(pipeline, moment, retried=True)) if each.status(moment) == "failed"
        ]
        for attempt in failed:
            self.retry(pipeline, attempt, moment)
        return len(failed)

    def retry(self, pipeline: Pipeline, attempt: Attempt, moment: float, outcome: str | None = None) -> Attempt:
        """Add another attempt of a job; the pipeline runs again until it ends."""
        number = self._company.next_id("job")
        chance = prng(self._company.seed, "attempt", number)
        queued = round(moment + 0.2, 6)
        started = round(queued + chance.uniform(1, 20), 6)
        outcome = outcome or ("success" if chance.hits(0.7) else "failed")
        again = Attempt(
            id=number,
            name=attempt.name,
            stage=attempt.stage,
            created=round(moment, 6),
            queued=queued,
            started=started,
            finished=round(started + chance.uniform(10, 200), 6),
            outcome=outcome,
            allow_failure=attempt.allow_failure,
            failure_reason="script_failure" if outcome == "failed" else None,
        )
        pipeline.extra.append(again)
        self._view.discard(pipeline.id)
        return again
