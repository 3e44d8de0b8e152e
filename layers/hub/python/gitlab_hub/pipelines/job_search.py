"""Jobs across pipelines, page by page, with a bound on what one request reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from gitlab_hub.gitlab.fields import seconds
from gitlab_hub.pipelines.figures.facts import ref_class, runner_name
from gitlab_hub.pipelines.keys import BY_CHANGE, chunk_key, pipelines_pk
from gitlab_hub.pipelines.reader import shown
from gitlab_hub.pipelines.selection import default_branches
from gitlab_hub.pipelines.store import JOBS, unpack
from gitlab_hub.storage.ports import Item, Rows, Table

MAX_PIPELINES = 200
"""Pipelines whose jobs one request looks at; a rare match behind them is found by the pages that follow."""

BATCH = 50

Place = Mapping[str, Any]
"""Where a list goes on: `behind` the key of a pipeline (None = at the start), and in the `pipeline` that comes next
(its project and id) below the id of a `job`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs a list is to show; times are unix seconds."""

    project_id: int | None = None
    group_id: int | None = None
    name: str | None = None
    status: str | None = None
    failure_class: str | None = None
    runner: str | None = None
    """Its id, or what it is described as."""
    created_after: int | None = None
    created_before: int | None = None

    def named(self) -> tuple[str | int | None, ...]:
        """All filters in a fixed order."""
        return astuple(self)

    def accepts(self, job: Item) -> bool:
        """Say whether a job is to be shown."""
        wanted = {"name": self.name, "status": self.status, "failure_class": self.failure_class}
        if any(value is not None and job.get(name) != value for name, value in wanted.items()):
            return False
        runner = job.get("runner") or {}
        if self.runner is not None and self.runner not in {runner_name(runner), runner.get("description")}:
            return False
        created = seconds(job.get("created_at")) or 0
        after, before = self.created_after, self.created_before
        return (after is None or created >= after) and (before is None or created <= before)

    def may_hold(self, pipeline: Item) -> bool:
        """Say whether a pipeline can have such a job: none of its jobs is older than itself."""
        created = pipeline["created_at"] or 0
        return pipeline["job_chunks"] > 0 and (self.created_before is None or created <= self.created_before)


class JobSearch:
    """The jobs of all pipelines of an integration, every attempt."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(
        self, integration_id: str, filters: JobFilter, *, within: set[int] | None, limit: int, after: Place | None
    ) -> tuple[list[Item], Place | None]:
        """Some jobs, and where to go on; None at the end. A page may be short, even empty, and have a next one.

        Those of a project come by pipeline, the newest first; those of all projects by the last change of their
        pipeline. `within`: only of these projects; None = of all.
        """
        behind = None if after is None else after["behind"]
        found: list[Item] = []
        for _ in range(MAX_PIPELINES // BATCH):
            rows = self._pipelines(integration_id, filters.project_id, behind)
            pipelines = [row for row in rows.items if within is None or row["project_id"] in within]
            jobs = jobs_of(self._table, integration_id, [row for row in pipelines if filters.may_hold(row)])
            branches = default_branches(self._table, integration_id, {row["project_id"] for row in pipelines})
            for row in rows.items:
                for job in jobs.get((row["project_id"], row["id"]), ()):
                    if _was_shown(after, row, job) or not filters.accepts(job):
                        continue
                    if len(found) == limit:
                        return found, _place(behind, found[-1], row)
                    found.append(_job_row(job, row, branches))
                behind = row[_order(filters.project_id)]
            if rows.last is None:
                return found, None
            behind = rows.last[1]
        return found, {"behind": behind}

    def _pipelines(self, integration_id: str, project_id: int | None, behind: str | None) -> Rows:
        if project_id is None:
            return self._table.query(integration_id, after=behind, limit=BATCH, forward=False, index=BY_CHANGE)
        return self._table.query(pipelines_pk(integration_id, project_id), after=behind, limit=BATCH, forward=False)


def jobs_of(table: Table, integration_id: str, pipelines: Sequence[Item]) -> dict[tuple[int, int], Iterator[Item]]:
    """The jobs of some stored pipelines, newest first, by the project and the pipeline that they are of."""
    keys = {
        chunk_key(integration_id, row["project_id"], row["id"], JOBS, n): (row["project_id"], row["id"])
        for row in pipelines
        for n in range(row["job_chunks"])
    }
    packed: dict[tuple[int, int], list[Item]] = {}
    for item in sorted(table.get_many(list(keys)), key=lambda item: str(item["sk"])):
        packed.setdefault(keys[item["pk"], item["sk"]], []).append(item)
    return {key: _unpacked(items) for key, items in packed.items()}


def _unpacked(items: Sequence[Item]) -> Iterator[Item]:
    return (job for item in items for job in unpack(item["data"]))


def _job_row(job: Item, pipeline: Item, branches: Mapping[int, str | None]) -> Item:
    about = {"project_id": pipeline["project_id"], "pipeline_id": pipeline["id"]}
    return {**job, **about, "ref_class": ref_class(shown(pipeline), branches.get(pipeline["project_id"]))}


def _was_shown(after: Place | None, pipeline: Item, job: Item) -> bool:
    """Whether an earlier page has come past this job."""
    inside = after is not None and after.get("pipeline") == [pipeline["project_id"], pipeline["id"]]
    return inside and after is not None and job["id"] >= after["job"]


def _place(behind: str | None, last: Item, pipeline: Item) -> Place:
    """Where to go on in front of a pipeline of which some jobs may be shown already."""
    same = (last["project_id"], last["pipeline_id"]) == (pipeline["project_id"], pipeline["id"])
    inside = {"pipeline": [pipeline["project_id"], pipeline["id"]], "job": last["id"]} if same else {}
    return {"behind": behind, **inside}


def _order(project_id: int | None) -> str:
    return f"{BY_CHANGE}_sk" if project_id is None else "sk"
