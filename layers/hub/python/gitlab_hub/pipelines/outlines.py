"""The first reading of a project by REST: its list of pipelines and its list of jobs, in place of three requests each.

A list's row has neither times nor duration (lib/api/entities/ci/pipeline_basic.rb), and no list tells of trigger jobs.
So such a pipeline is stored in outline: what is not known is null, and its details are read later, in passing. Jobs
name their pipelines in rows of the same shape (lib/api/entities/ci/job.rb), those of child pipelines, too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gitlab_hub.gitlab.client import GitLab, Page
from gitlab_hub.gitlab.errors import InsufficientScope, MissingPermissions
from gitlab_hub.gitlab.fields import millis, text
from gitlab_hub.pipelines.freshness import StoredPipeline
from gitlab_hub.pipelines.model import is_in_progress, pipeline_of
from gitlab_hub.pipelines.owed import OF_ONE_PIPELINE
from gitlab_hub.pipelines.project_jobs import JobsOfPipeline, ProjectJobs, WholeList
from gitlab_hub.pipelines.store import CHILD_SOURCE, Copy
from gitlab_hub.pipelines.window import PER_PAGE, Params

MOST_PAGES = 20
"""Pages of a project's jobs that are held at once: 2,000 jobs, some megabytes."""

Row = Mapping[str, Any]


class Outlines:
    """The pipelines of one project that was never read before."""

    def __init__(self, gitlab: GitLab, project_id: int, refused: Callable[[], None]) -> None:
        """`refused` is told where the token may see no list of jobs."""
        self._project_id, self._jobs, self._refused = project_id, ProjectJobs(gitlab, project_id), refused
        self._whole: WholeList | None = None
        self._asked = False
        self._copies: dict[int, Copy] = {}

    async def expect(self, rows: Sequence[Row], known: Mapping[int, StoredPipeline]) -> None:
        """Hear which listed pipelines are fetched next, and what is stored of them."""
        if not self._asked:
            self._asked = True
            try:
                self._whole = await self._jobs.whole(most=min(MOST_PAGES, len(rows)))
            except (InsufficientScope, MissingPermissions):
                self._refused()
            except OF_ONE_PIPELINE:
                pass  # Each pipeline's own list may be shown all the same.
        if (whole := self._whole) is not None:
            made = (
                outline_of(row, whole.pipelines.get(row["id"]), self._project_id)
                for row in rows
                if row["id"] not in known
            )
            self._copies = {copy.pipeline["id"]: copy for copy in made if copy is not None}

    def take(self, number: int) -> Copy | None:
        """A pipeline in outline, once: who asks again wants all of it."""
        return self._copies.pop(number, None)

    def page(self, params: Params) -> Page | None:
        """The list of all child pipelines that have a job; None where GitLab's own has to be asked.

        What has none is met when GitLab's count is compared, once a day.
        """
        asked = (params.get("source"), params.get("order_by"), params.get("sort"), params.get("updated_after"))
        if self._whole is None or asked != (CHILD_SOURCE, "updated_at", "asc", None):
            return None
        rows = [dict(one.row) for one in self._whole.pipelines.values()]
        if any(text(row.get("source"), None) is None for row in rows):
            return None  # An old GitLab does not tell (13.11).
        children = [row for row in rows if row["source"] == CHILD_SOURCE]
        if len(children) >= PER_PAGE or any(millis(row.get("updated_at")) is None for row in children):
            return None
        children.sort(key=lambda row: (millis(row["updated_at"]), row["id"]))
        return Page(children, None, self._whole.answered_at, len(children))


def outline_of(row: Row, told: JobsOfPipeline | None, project_id: int) -> Copy | None:
    """A pipeline by its row in a list and its jobs; None for one that is to be read whole.

    That is what has no jobs without saying why, and what has changed between the two lists, or during the second one.
    """
    if told is None:
        jobs, tag = [], None
    else:
        jobs, tag = told.jobs, told.jobs[0]["tag"]
        if told.differs or any(told.row.get(name) != row.get(name) for name in ("status", "updated_at")):
            return None
    pipeline = pipeline_of({**row, "tag": tag}, project_id)
    copy = Copy(pipeline=pipeline, jobs=jobs, bridges=None, settled=False, is_outline=True)
    return copy if jobs or not (is_in_progress(pipeline["status"]) or copy.lacks_jobs) else None
