"""A GitLab that knows one list: the jobs of a project."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

from gitlab_hub.gitlab.client import GitLab, Page
from gitlab_hub.pipelines.project_jobs import ProjectJobs

Row = dict[str, Any]
ANSWERED = datetime(2026, 11, 30, tzinfo=UTC)


class Lists:
    """A GitLab that knows one list, of 100 jobs a page."""

    def __init__(self, *jobs: Row, error: Exception | None = None) -> None:
        self._jobs, self._error = sorted(jobs, key=lambda job: -job["id"]), error
        self.read = 0

    async def pages(self, path: str, params: Row, *, cursor: str | None, per_page: int) -> AsyncIterator[Page]:
        """Answer the list page by page."""
        assert (path, params["sort"], params["pagination"], per_page) == ("/projects/7/jobs", "desc", "keyset", 100)
        for start in range(0, len(self._jobs) or 1, per_page):
            self.read += 1
            if self._error is not None:
                raise self._error
            more = start + per_page < len(self._jobs)
            yield Page(self._jobs[start : start + per_page], "c" if more else None, ANSWERED, None)

    def of(self, **wanted: Any) -> ProjectJobs:
        """The reader of this list that was told what is wanted."""
        jobs = ProjectJobs(cast("GitLab", self), 7)
        jobs.want(**wanted)
        return jobs


def job(number: int, pipeline: int, **of_pipeline: Any) -> Row:
    """A job as GitLab lists it among a project's, with what it tells of its pipeline."""
    return {
        "id": number,
        "name": "test",
        "status": "success",
        "tag": False,
        "pipeline": {"id": pipeline, **of_pipeline},
    }
