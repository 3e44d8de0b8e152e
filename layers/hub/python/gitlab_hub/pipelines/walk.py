"""Going through all stored pipelines and jobs, project by project, in an order that stays the same.

Nothing is bounded here: who walks stops when it has enough, and goes on behind the row it has come to.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.figures.facts import ref_class
from gitlab_hub.pipelines.job_search import jobs_of
from gitlab_hub.pipelines.keys import pipelines_pk, projects_pk
from gitlab_hub.pipelines.reader import shown
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import query_all, query_pages

_PIPELINES = 200
_WITH_JOBS = 50
"""Pipelines whose jobs are held at once, compressed."""


@dataclass(frozen=True, slots=True)
class KnownProject:
    """A project that the sync knows, gone ones too, and its sort key."""

    id: int
    key: str
    path: str
    default_branch: str | None


class PipelineWalk:
    """All pipelines of an integration by project and id. All calls block."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def projects(self, integration_id: str, only: int | None = None, *, since: str = "") -> Iterator[KnownProject]:
        """The projects from a sort key on, in the order of their ids; or the one of this id, where it is known."""
        first = since if only is None else padded(only)
        names = ("sk", "id", "path_with_namespace", "default_branch")
        rows = query_all(
            self._table,
            projects_pk(integration_id),
            after=_before(first) if first else None,
            until=first if only is not None else None,
            attributes=names,
        )
        for row in rows:
            path, branch = str(row.get("path_with_namespace") or ""), row.get("default_branch")
            yield KnownProject(row["id"], str(row["sk"]), path, branch)

    def pipelines(self, integration_id: str, project: KnownProject, *, after: str | None) -> Iterator[Item]:
        """The stored rows of a project's pipelines behind a sort key."""
        return query_all(self._table, pipelines_pk(integration_id, project.id), after=after, limit=_PIPELINES)

    def with_jobs(
        self, integration_id: str, project: KnownProject, *, after: str | None, of: Callable[[Item], bool]
    ) -> Iterator[tuple[Item, list[Item]]]:
        """The same rows, each with every attempt of its jobs, the newest first; `of`: whose jobs are wanted.

        Of others none is read: an export of a day must not read the jobs of all years.
        """
        pk = pipelines_pk(integration_id, project.id)
        for page in query_pages(self._table, pk, after=after, limit=_WITH_JOBS):
            jobs = jobs_of(self._table, integration_id, [row for row in page if of(row)])
            for row in page:
                yield row, list(jobs.get((row["project_id"], row["id"]), ()))


def pipeline_row(row: Item, project: KnownProject) -> Item:
    """A stored pipeline as the API shows it, with the path of its project."""
    whole = shown(row)
    return {**whole, "ref_class": ref_class(whole, project.default_branch), "project_path": project.path}


def job_row(job: Item, pipeline: Item, project: KnownProject) -> Item:
    """A job as the API shows it among those of many pipelines, with the path of its project."""
    about = {"project_id": project.id, "project_path": project.path, "pipeline_id": pipeline["id"]}
    return {**job, **about, "ref_class": ref_class(shown(pipeline), project.default_branch)}


def _before(key: str) -> str:
    """A position right before a sort key of digits."""
    return f"{key[:-1]}{chr(ord(key[-1]) - 1)}~"
