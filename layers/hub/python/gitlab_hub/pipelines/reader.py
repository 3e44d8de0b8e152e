"""Reading stored pipelines and jobs back."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.figures.facts import ref_class
from gitlab_hub.pipelines.keys import BY_CHANGE, chunk_key, pipelines_pk
from gitlab_hub.pipelines.selection import default_branches
from gitlab_hub.pipelines.store import BRIDGES, JOBS, unpack
from gitlab_hub.storage.ports import Item, Rows, Table

# Reading filtered pages with a bound on what one request may read.

MAX_SCANNED = 1_000
"""Rows that one request looks at; a rare match behind them is found by the pages that follow."""

BATCH = 200

Read = Callable[[str | None, int], Rows]
"""(position to continue behind, most rows) → rows."""


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Some rows, and where to go on; None at the end."""

    rows: list[Item]
    last: str | None


def filtered(
    read: Read, wanted: Callable[[Item], bool] | None, *, limit: int, after: str | None, order: str
) -> ItemPage:
    """Collect up to `limit` wanted rows (None = all) behind `after`; `order` names the attribute that orders them.

    A page may be short, even empty, and still have a next one.
    """
    batch = BATCH if wanted else limit + 1
    found: list[Item] = []
    scanned = 0
    while scanned < MAX_SCANNED:
        rows = read(after, batch)
        for item in rows.items:
            if len(found) == limit:
                return ItemPage(found, after)
            scanned, after = scanned + 1, str(item[order])
            if wanted is None or wanted(item):
                found.append(item)
        if rows.last is None:
            return ItemPage(found, None)
        after = rows.last[1]
    return ItemPage(found, after)


MAX_CHUNKS = 4
"""Packed chunks that one request for jobs unpacks."""

Place = tuple[int, int]
"""Where a list of jobs goes on: the chunk and the id of the last job shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineFilter:
    """Which pipelines a list is to show; times are unix seconds."""

    project_id: int | None = None
    group_id: int | None = None
    ref: str | None = None
    status: str | None = None
    source: str | None = None
    created_after: int | None = None
    created_before: int | None = None
    updated_after: int | None = None
    updated_before: int | None = None

    def named(self) -> tuple[str | int | None, ...]:
        """All filters in a fixed order."""
        return astuple(self)

    def test(self, *, of_project: bool, within: set[int] | None = None) -> Callable[[Item], bool] | None:
        """The test that a row must pass; None where every row does.

        `of_project`: rows are of the one project. `within`: the projects below the group that is named.
        """
        names = ("ref", "status", "source") if of_project else ("project_id", "ref", "status", "source")
        wanted = {name: value for name in names if (value := getattr(self, name)) is not None}
        times = (self.created_after, self.created_before, self.updated_before)
        if not wanted and within is None and all(moment is None for moment in times):
            return None
        return lambda item: (
            (within is None or item["project_id"] in within)
            and all(item.get(name) == value for name, value in wanted.items())
            and self._in_time(item)
        )

    def _in_time(self, item: Item) -> bool:
        created = item["created_at"] or 0
        return (
            (self.created_after is None or created >= self.created_after)
            and (self.created_before is None or created <= self.created_before)
            and (self.updated_before is None or item["changed_at"] // 1000 <= self.updated_before)
        )


class PipelineReader:
    """The pipelines of all integrations, as the API shows them. Every call reads a bounded number of rows."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def pipelines(
        self,
        integration_id: str,
        filters: PipelineFilter,
        *,
        limit: int,
        after: str | None,
        within: set[int] | None = None,
    ) -> ItemPage:
        """A page of pipelines; `within`: only those of these projects.

        With `updated_after` it is the feed of what the hub changed, oldest change first, for followers; they overlap
        their reads by a minute, because several workers write at once. Else the newest come first: those of a
        project by id, those of all projects by their last change.
        """
        end = None if filters.updated_before is None else f"{(filters.updated_before + 1) * 1000:013d}"
        if filters.updated_after is not None:
            start = after or f"{filters.updated_after * 1000:013d}"
            return self._by_change(
                integration_id, filters, limit=limit, after=start, until=end, forward=True, within=within
            )
        if filters.project_id is None:
            return self._by_change(
                integration_id, filters, limit=limit, after=after or end, forward=False, within=within
            )
        pk = pipelines_pk(integration_id, filters.project_id)

        def read(position: str | None, most: int) -> Rows:
            return self._table.query(pk, after=position, limit=most, forward=False)

        test = filters.test(of_project=True, within=within)
        return self._shown(integration_id, filtered(read, test, limit=limit, after=after, order="sk"))

    def pipeline(self, integration_id: str, project_id: int, pipeline_id: int) -> Item:
        """One pipeline. Raises NotFound."""
        item = self._stored(integration_id, project_id, pipeline_id)
        return self._shown(integration_id, ItemPage([item], None)).rows[0]

    def jobs(
        self, integration_id: str, project_id: int, pipeline_id: int, *, retried: bool, limit: int, after: Place | None
    ) -> tuple[list[Item], Place | None]:
        """A page of a pipeline's jobs, newest first; without `retried` the latest attempts only."""
        count = self._stored(integration_id, project_id, pipeline_id)["job_chunks"]
        found: list[Item] = []
        first = self._place(integration_id, project_id, pipeline_id, count, after) if after else 0
        for number in range(first, min(first + MAX_CHUNKS, count)):
            for job in self._chunk(integration_id, project_id, pipeline_id, JOBS, number):
                if after is not None and job["id"] >= after[1]:
                    continue
                if len(found) == limit:
                    return found, after
                after = (number, int(job["id"]))
                if retried or not job["retried"]:
                    found.append(job)
        return found, after if first + MAX_CHUNKS < count else None

    def bridges(self, integration_id: str, pipeline: Item) -> list[Item]:
        """The trigger jobs of a stored pipeline, as many as fit one chunk."""
        if pipeline["bridge_chunks"] == 0:
            return []
        return self._chunk(integration_id, pipeline["project_id"], pipeline["id"], BRIDGES, 0)

    def some(self, integration_id: str, ids: list[tuple[int, int]]) -> dict[tuple[int, int], Item]:
        """Those of the pipelines (project, id) that are stored."""
        keys = [(pipelines_pk(integration_id, project), padded(number)) for project, number in ids]
        found = self._shown(integration_id, ItemPage(self._table.get_many(keys), None))
        return {(item["project_id"], item["id"]): item for item in found.rows}

    def _place(self, integration_id: str, project_id: int, pipeline_id: int, count: int, after: Place) -> int:
        """The chunk to go on in. A sync between two pages may have moved jobs to earlier chunks: then back to them."""
        number, shown_last = after
        while number > 0:
            rows = self._chunk(integration_id, project_id, pipeline_id, JOBS, number) if number < count else []
            if rows and rows[0]["id"] >= shown_last:
                break
            number -= 1
        return number

    def _by_change(
        self,
        integration_id: str,
        filters: PipelineFilter,
        *,
        limit: int,
        after: str | None,
        forward: bool,
        until: str | None = None,
        within: set[int] | None = None,
    ) -> ItemPage:
        def read(position: str | None, most: int) -> Rows:
            return self._table.query(
                integration_id, after=position, until=until, limit=most, forward=forward, index=BY_CHANGE
            )

        test, order = filters.test(of_project=False, within=within), f"{BY_CHANGE}_sk"
        return self._shown(integration_id, filtered(read, test, limit=limit, after=after, order=order))

    def _shown(self, integration_id: str, found: ItemPage) -> ItemPage:
        """Rows as they are shown, with what their default branch says of them."""
        branches = default_branches(self._table, integration_id, {item["project_id"] for item in found.rows})
        rows = [shown(item) for item in found.rows]
        return ItemPage(
            [{**row, "ref_class": ref_class(row, branches.get(row["project_id"]))} for row in rows], found.last
        )

    def _stored(self, integration_id: str, project_id: int, pipeline_id: int) -> Item:
        item = self._table.get(pipelines_pk(integration_id, project_id), padded(pipeline_id))
        if item is None:
            raise NotFound("There is no such pipeline.")
        return item

    def _chunk(
        self, integration_id: str, project_id: int, pipeline_id: int, part: str, number: int
    ) -> list[dict[str, Any]]:
        item = self._table.get(*chunk_key(integration_id, project_id, pipeline_id, part, number))
        return [] if item is None else list(unpack(item["data"]))


def shown(item: Item) -> Item:
    """A stored pipeline with GitLab's fields unpacked; what we derived stands beside them."""
    return {**item, **unpack(item["body"])}


# A pipeline with everything that it started, across projects of one integration.

MAX_DEPTH = 5
"""Levels below the pipeline asked for; GitLab itself allows two of child pipelines."""

MAX_PIPELINES = 200
MAX_BRIDGES = 1_000
"""Trigger jobs of the whole tree: an answer has to fit a response of Lambda."""

Id = tuple[int, int]


class TreeBuilder:
    """Builds one tree, level by level, within a fixed number of reads."""

    def __init__(self, reader: PipelineReader, integration_id: str) -> None:
        self._reader, self._integration_id = reader, integration_id
        self._met: set[Id] = set()
        self._room = MAX_BRIDGES

    def build(self, project_id: int, pipeline_id: int) -> Item:
        """The tree below a pipeline. Raises NotFound."""
        pipeline = self._reader.pipeline(self._integration_id, project_id, pipeline_id)
        root = {**pipeline, "stored": True, "bridges": []}
        self._met.add((project_id, pipeline_id))
        level = [root]
        for _ in range(MAX_DEPTH):
            level = self._grow(level)
        for node in level:
            node["truncated"] = (node["bridge_count"] or 0) > 0
        return root

    def _grow(self, level: Sequence[Item]) -> list[Item]:
        """Hang the trigger jobs below the pipelines of a level; the answer is the level below."""
        for node in level:
            bridges = self._reader.bridges(self._integration_id, node) if self._room else []
            node["bridges"] = bridges[: self._room]
            self._room -= len(node["bridges"])
            node["truncated"] = len(node["bridges"]) < (node["bridge_count"] or 0)
        started = [bridge for node in level for bridge in node["bridges"] if bridge["downstream_pipeline"]]
        wanted = [(bridge, found) for bridge in started if (found := self._downstream(bridge)) is not None]
        stored = self._reader.some(self._integration_id, [number for _, number in wanted])
        below = []
        for bridge, number in wanted:
            if number in stored:
                bridge["downstream_pipeline"] = {**stored[number], "stored": True, "bridges": []}
                below.append(bridge["downstream_pipeline"])
        return below

    def _downstream(self, bridge: Item) -> Id | None:
        """The pipeline to look up; none that was met before (a damaged tree may be a ring), none beyond the bound."""
        pipeline = bridge["downstream_pipeline"] = {**bridge["downstream_pipeline"], "stored": False}
        number = (int(pipeline["project_id"]), int(pipeline["id"]))
        if number in self._met:
            return None
        if len(self._met) >= MAX_PIPELINES:
            pipeline["truncated"] = True
            return None
        self._met.add(number)
        return number
