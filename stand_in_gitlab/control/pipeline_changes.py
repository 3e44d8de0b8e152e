"""Pipelines and jobs that begin, change and go behind everyone's back."""

from collections.abc import Callable

from stand_in_gitlab.ci.history import add_pipeline
from stand_in_gitlab.ci.model import Attempt, Pipeline
from stand_in_gitlab.ci.progress import Progress
from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.state import Company

Done = dict[str, object]


class PipelineChanges:
    """Each public method is a verb, as in `changes.py`; a pipeline has `jobs` jobs unless told otherwise."""

    def __init__(self, company: Company, clock: Clock, view: CiView, progress: Progress, jobs: int) -> None:
        self._company, self._clock, self._view, self._progress, self._jobs = company, clock, view, progress, jobs

    @property
    def verbs(self) -> list[Callable[..., Done]]:
        """All of them."""
        return [self.add_pipeline, self.update_pipeline, self.remove_pipeline, self.retry_job, self.erase_job]

    def add_pipeline(self, project_id: int, jobs: int | None = None, created: float | None = None) -> Done:
        """Start a pipeline, now unless another moment is given."""
        moment = round(self._clock.now() if created is None else created, 6)
        pipeline = add_pipeline(
            self._company, self._company.projects[project_id], moment, self._jobs if jobs is None else jobs
        )
        return {"id": pipeline.id, "child_id": pipeline.child.id if pipeline.child else None}

    def update_pipeline(self, id: int, *, undated: bool | None = None, unmoved: bool | None = None) -> Done:  # noqa: A002
        """Let `updated_at` of a pipeline be null, or stay as it is whatever happens; or let it be as usual."""
        pipeline = self._pipeline(id)
        if undated is not None:
            pipeline.undated = undated
        if unmoved is not None:
            pipeline.unmoved_since = self._clock.now() if unmoved else None
        return {"id": id}

    def remove_pipeline(self, id: int) -> Done:  # noqa: A002
        """Delete a pipeline and the children it started."""
        pipeline = self._pipeline(id)
        child = [pipeline.child.id] if pipeline.child else []
        for number in [id, *child]:
            self._company.pipelines[pipeline.project_id].pop(number, None)
        return {"ids": [id, *child]}

    def retry_job(self, id: int, outcome: str | None = None) -> Done:  # noqa: A002
        """Run a job again; its pipeline runs again too."""
        pipeline, attempt = self._job(id)
        return {
            "id": self._progress.retry(pipeline, attempt, self._clock.now(), outcome).id,
            "pipeline_id": pipeline.id,
        }

    def erase_job(self, id: int) -> Done:  # noqa: A002
        """Erase a job's log and artifacts: the job's row changes, the pipeline's does not."""
        pipeline, attempt = self._job(id)
        pipeline.erased[attempt.id] = round(self._clock.now(), 6)
        return {"id": id, "pipeline_id": pipeline.id}

    def _pipeline(self, pipeline_id: int) -> Pipeline:
        for pipelines in self._company.pipelines.values():
            if pipeline_id in pipelines:
                return pipelines[pipeline_id]
        raise KeyError(pipeline_id)

    def _job(self, job_id: int) -> tuple[Pipeline, Attempt]:
        now = self._clock.now()
        for pipelines in self._company.pipelines.values():
            for pipeline in pipelines.values():
                for attempt in self._view.jobs(pipeline, now, retried=True):
                    if attempt.id == job_id:
                        return pipeline, attempt
        raise KeyError(job_id)
