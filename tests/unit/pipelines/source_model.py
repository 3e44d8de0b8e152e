"""GitLab's lists of projects, pipelines and jobs in memory, with the traits that lose rows for careless readers.

`updated_after` is inclusive and compares microseconds while answers show milliseconds; equal times come in any order;
children are another list; nothing stands still between two pages.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from gitlab_hub.gitlab.client import Page, Reply
from gitlab_hub.gitlab.errors import ResourceNotFound, UnexpectedResponse
from gitlab_hub.gitlab.fields import iso, millis

Row = dict[str, Any]
GROUP = 77


@dataclass
class ModelPipeline:
    """A pipeline of the model; times in microseconds."""

    id: int
    updated: int
    status: str = "running"
    source: str = "push"
    ref: str = "main"
    created: int = 0
    finished: int | None = None
    visible_from: int = 0
    undated: bool = False
    """Whether `updated_at` is null, as it is in old rows."""
    jobs: dict[int, Row] = field(default_factory=dict)
    landing: dict[int, int] = field(default_factory=dict)
    """Jobs that can be seen only from a time on."""
    bridges: dict[int, Row] = field(default_factory=dict)

    def row(self, project_id: int) -> Row:
        """The pipeline as a list shows it."""
        return {
            "id": self.id,
            "iid": self.id,
            "project_id": project_id,
            "sha": f"{self.id:040x}",
            "ref": self.ref,
            "status": self.status,
            "source": self.source,
            "created_at": iso(self.created // 1000),
            "updated_at": None if self.undated else iso(self.updated // 1000),
            "web_url": f"https://gitlab.example/p/-/pipelines/{self.id}",
        }

    def detail(self, project_id: int) -> Row:
        """The pipeline as it is shown alone."""
        finished = None if self.finished is None else iso(self.finished // 1000)
        return {**self.row(project_id), "finished_at": finished, "duration": 12.5, "coverage": "90.0", "tag": False}


class ModelGitLab:
    """Answers like a client for GitLab; `before` runs before every request and may change anything, or raise."""

    def __init__(self, now: Callable[[], int], *, seed: int = 0, page: int = 100) -> None:
        self.now, self.page = now, page
        self.random = random.Random(seed)  # noqa: S311 - the order of ties
        self.requests = self.rate_limited = 0
        self.skew, self.group = 0, "g"
        self.counts_up_to = 10_000
        self.delay = 0.0
        self.ignored: frozenset[str] = frozenset()
        self.dates, self.has_keyset = True, True
        self.before: Callable[[str], None] = lambda _: None
        self.log: list[tuple[str, Row]] = []
        self.projects: dict[int, dict[int, ModelPipeline]] = {}
        self.unlisted: set[int] = set()
        self.faults: dict[str, Exception] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def asked(self, ending: str) -> int:
        """How many requests went to a path with this ending."""
        return sum(path.endswith(ending) for path, _ in self.log)

    async def get(self, path: str, params: Row | None = None) -> Reply:
        """Answer a single resource, or a list's first page."""
        await self._request(path, params or {})
        body = self._group(path) if path.startswith("/groups/") else self._single(path)
        return Reply(body, 200, self._date(), None, {})

    async def query(self, *_: object) -> None:
        """There is no GraphQL here."""
        raise ResourceNotFound("There is no such thing.", http_status=404)

    def _group(self, path: str) -> Row:
        """Every project is in one group, which is found by its id and by its path in any case (lib/api/helpers.rb)."""
        if path.removeprefix("/groups/").lower() not in {str(GROUP), self.group}:
            raise ResourceNotFound("no such group", http_status=404)
        return {"id": GROUP, "full_path": self.group}

    async def pages(
        self, path: str, params: Row | None = None, *, cursor: str | None = None, per_page: int = 100
    ) -> AsyncIterator[Page]:
        """Answer a list, computed anew for every page."""
        number, size = int(cursor or 1), min(per_page, self.page)
        while True:
            await self._request(path, {**(params or {}), "page": number})
            if not self.has_keyset and "pagination" in (params or {}):
                raise UnexpectedResponse("no keyset", http_status=405)
            rows = self._rows(path, params or {})
            start = (number - 1) * size
            following = str(number + 1) if len(rows) > start + size else None
            total = len(rows) if len(rows) <= self.counts_up_to else None
            yield Page(rows[start : start + size], following, self._date(), total)
            if following is None:
                return
            number += 1

    async def _request(self, path: str, params: Row) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        self.requests += 1
        self.log.append((path, params))
        self.before(path)
        if path in self.faults:
            raise self.faults[path]

    def _date(self) -> datetime | None:
        # `Date` has whole seconds only.
        return datetime.fromtimestamp(self.now() // 1_000_000 + self.skew, UTC) if self.dates else None

    def _single(self, path: str) -> Any:
        parts = path.strip("/").split("/")
        if parts == ["user"]:
            return {"id": 7}
        if parts[0] == "groups" or parts[2:3] == ["members"]:
            raise ResourceNotFound("no such group or member", http_status=404)
        pipelines = self._project(parts)
        if len(parts) == 2:
            return {"id": int(parts[1]), "path_with_namespace": f"{self.group}/p{parts[1]}"}
        if len(parts) == 3:
            return [pipeline.row(int(parts[1])) for pipeline in pipelines.values()][:1]
        return _found(pipelines, parts).detail(int(parts[1]))

    def _rows(self, path: str, params: Row) -> list[Row]:
        parts = path.strip("/").split("/")
        if parts[-1] == "projects":
            listed = sorted(set(self.projects) - self.unlisted)
            return [{"id": number, "path_with_namespace": f"{self.group}/p{number}"} for number in listed]
        pipelines = self._project(parts)
        if len(parts) == 3:
            return self._listed(pipelines.values(), int(parts[1]), params)
        found = _found(pipelines, parts)
        if parts[-1] == "bridges":
            return list(found.bridges.values())
        assert params == {"include_retried": True}
        landed = [number for number in found.jobs if found.landing.get(number, 0) <= self.now()]
        return [found.jobs[number] for number in sorted(landed, reverse=True)]

    def _project(self, parts: list[str]) -> dict[int, ModelPipeline]:
        if int(parts[1]) not in self.projects:
            raise ResourceNotFound("no such project", http_status=404)
        return self.projects[int(parts[1])]

    def _listed(self, pipelines: Iterable[ModelPipeline], project_id: int, params: Row) -> list[Row]:
        asked = {name: value for name, value in params.items() if name not in self.ignored}
        after, before = millis(asked.get("updated_after")), millis(asked.get("updated_before"))
        kept = [
            pipeline
            for pipeline in pipelines
            if pipeline.visible_from <= self.now()
            and asked.get("sha") in {None, f"{pipeline.id:040x}"}
            and (after is None or (pipeline.updated >= after * 1000 and not pipeline.undated))
            and (before is None or (pipeline.updated <= before * 1000 and not pipeline.undated))
            and ("source" in self.ignored or (pipeline.source == "parent_pipeline") == ("source" in asked))
        ]
        if asked.get("order_by") == "updated_at":
            # Nulls are last in ascending order and first in descending order, as PostgreSQL has them.
            kept.sort(
                key=lambda pipeline: (pipeline.undated, pipeline.updated, self.random.random()),
                reverse=asked.get("sort") == "desc",
            )
        else:
            kept.sort(key=lambda pipeline: pipeline.id, reverse=asked.get("sort") != "asc")
        return [pipeline.row(project_id) for pipeline in kept]


def _found(pipelines: dict[int, ModelPipeline], parts: list[str]) -> ModelPipeline:
    if int(parts[3]) not in pipelines:
        raise ResourceNotFound("no such pipeline", http_status=404)
    return pipelines[int(parts[3])]


def job(number: int, name: str = "test", status: str = "success", **fields: Any) -> Row:
    """A job as GitLab shows it."""
    return {"id": number, "name": name, "stage": "test", "status": status, "failure_reason": None, **fields}
