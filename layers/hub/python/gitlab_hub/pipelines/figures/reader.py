"""Figures of any range: read as few rows as the question allows, add them up, and say how whole they are.

All projects together have one row a day; a project, a group or rows by project have one for each project and day.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from gitlab_hub.pipelines.figures import answers
from gitlab_hub.pipelines.figures.answers import Answer
from gitlab_hub.pipelines.figures.asked import Asked
from gitlab_hub.pipelines.figures.day import Day, total
from gitlab_hub.pipelines.figures.definitions import DefinitionName
from gitlab_hub.pipelines.figures.evidence import ENDS, FLAKY, Evidence, Flakiness, is_whole
from gitlab_hub.pipelines.figures.store import FigureStore, day_in, day_of_row, evidence_in
from gitlab_hub.pipelines.selection import Projects, ProjectSelection
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.web.errors import unfit

MOST_ROWS = 20_000
"""Days of projects that one request reads."""

FEW_KEYS = 1_000
"""Days of projects that are read by their keys; of more, whole days are read."""

MOST_SHOWN = 500
"""Rows of an answer: the most frequent ones."""

SUMMARY = ("statuses", "worst", "duration", "queue")
"""What a summary is made of."""

HUB_ONLY = {"source", "job"}
"""What other definitions do not tell apart."""

STARTS_WITHIN_DAYS = 7
"""How long after its creation a pipeline may start to be counted on the day of its start."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """A range's sums: all of them, and by key."""

    whole: Day
    by_key: dict[str, Day]


class FigureReader:
    """The figures of all integrations, as the API shows them."""

    def __init__(self, table: Table, selection: ProjectSelection, prices: Callable[[], dict[str, float]]) -> None:
        self._table, self._selection, self._prices = table, selection, prices

    def summary(self, asked: Asked, definition: DefinitionName) -> Answer:
        """How pipelines ended, how long they took and waited; rows by project, class of ref or source."""
        found = self._grouped(asked, definition, SUMMARY)
        rows = {key: answers.summary(day, definition) for key, day in found.by_key.items()}
        return {**answers.summary(found.whole, definition), "rows": self._shown(asked, rows, "pipelines")}

    def trend(self, asked: Asked, definition: DefinitionName) -> Answer:
        """The same with a row for each day, week (by its Monday) or month; those without pipelines are there too."""
        found = self._grouped(asked, definition, SUMMARY)
        keys = dict.fromkeys(period(day, asked.group_by or "day") for day in asked.days)
        rows = [{"key": key, **answers.summary(found.by_key.get(key, Day()), definition)} for key in keys]
        return {**answers.summary(found.whole, definition), "rows": rows}

    def queue(self, asked: Asked) -> Answer:
        """How long jobs waited; rows by runner, tag, project or class of ref."""
        found = self._grouped(asked, "hub", ("queue",), {"runner": "runners", "tag": "tags"}.get(asked.group_by or ""))
        sketches = {key: day.core.get("queue", {}) for key, day in found.by_key.items()}
        rows = {key: {"count": answers.counted(one), **answers.queue(one)} for key, one in sketches.items()}
        whole = found.whole.core.get("queue", {})
        shown = self._shown(asked, rows, "count")
        return {"count": answers.counted(whole), **answers.queue(whole), "rows": shown}

    def duration(self, asked: Asked, definition: DefinitionName) -> Answer:
        """How long pipelines ran; rows by project or class of ref, or by job how long its attempts ran."""
        found = self._grouped(asked, definition, ("duration",), "jobs" if asked.group_by == "job" else None)
        sketches = {key: day.core.get("duration", {}) for key, day in found.by_key.items()}
        rows = {key: {"count": answers.counted(one), **answers.duration(one)} for key, one in sketches.items()}
        whole = found.whole.core.get("duration", {})
        shown = self._shown(asked, rows, "count")
        return {"count": answers.counted(whole), **answers.duration(whole), "rows": shown}

    def failures(self, asked: Asked) -> Answer:
        """Why jobs failed."""
        found = self._grouped(asked, "hub", ("failures",), "jobs").whole
        rows = answers.failures(found)
        return {"count": sum(row["count"] for row in rows), "rows": rows}

    def cost(self, asked: Asked) -> Answer:
        """What jobs ran and cost; rows by project, job, runner or class of ref."""
        part = {"job": "jobs", "runner": "runners"}.get(asked.group_by or "")
        found, prices = self._grouped(asked, "hub", ("work",), part), self._prices()
        rows = {key: answers.cost(day.core.get("work", {}), prices) for key, day in found.by_key.items()}
        whole = answers.cost(found.whole.core.get("work", {}), prices)
        return {**whole, "rows": self._shown(asked, rows, "minutes")}

    def flaky(self, asked: Asked) -> Answer:
        """Jobs that failed and succeeded on the same commit."""
        by_project: dict[int, list[bytes]] = {}
        for item in self._project_rows(asked, "evidence"):
            by_project.setdefault(item["project_id"], []).append(item["evidence"])
        found, cut = list[Answer](), 0
        for project_id, packed in by_project.items():
            flakiness = Flakiness(project_id)
            for one in packed:
                evidence = evidence_in({"evidence": one})
                cut += not is_whole(evidence, FLAKY)
                flakiness.note(evidence.get(FLAKY, {}), asked.ref_class)
            found.extend(map(answers.flaky_row, flakiness.rows()))
        found.sort(key=lambda row: (-row["wasted"], row["key"]))
        wasted = answers.minutes(sum(row["wasted"] for row in found))
        return {"count": len(found), "wasted_minutes": wasted, "rows": found[:MOST_SHOWN], "cut": cut}

    def mttr(self, asked: Asked) -> Answer:
        """How long the default branches of projects took to recover."""
        by_project: dict[str, list[list[int]]] = {}
        cut = 0
        for evidence in self._ends(asked):
            cut += not is_whole(evidence, ENDS)
            for project_id, some in evidence.get(ENDS, {}).items():
                by_project.setdefault(project_id, []).extend(some)
        if asked.ref_class not in {None, "default_branch"}:
            by_project = {}
        rows = {}
        if asked.group_by == "project":
            rows = {key: shown for key, ends in by_project.items() if (shown := answers.mttr([ends]))["recoveries"]}
        return {**answers.mttr(by_project.values()), "rows": self._shown(asked, rows, "recoveries"), "cut": cut}

    # ---- Reading and adding up

    def _grouped(
        self, asked: Asked, definition: DefinitionName, fields: Collection[str], part: str | None = None
    ) -> Grouped:
        """Add up some fields of what was asked for, whole and by key; a `part` of the details gives keys of its own."""
        if definition != "hub" and asked.group_by in HUB_ONLY:
            raise unfit("query.group_by", f"Only definition=hub is told by {asked.group_by}.")
        by_project = asked.group_by == "project"
        parts = ("core",) if part is None else ("core", "detail")
        reach = replace(asked, first=_earlier(asked.first)) if definition == "gitlab" else asked
        merged: dict[str, Day] = {}
        for item in self._rows(reach, by_project, *parts):
            for day, sums in _by_day(asked, definition, day_of_row(item), day_in(item)):
                for ref_class, some in sums.only(fields, part).by_ref_class(asked.ref_class):
                    merged.setdefault(_key(asked, item, day, ref_class), Day()).add(some)
        whole = total(merged.values())
        if part is not None:
            return Grouped(whole, {name: Day(sums) for name, sums in whole.detail.get(part, {}).items()})
        if asked.group_by == "source":
            sources = whole.core.get("statuses", {})
            return Grouped(whole, {name: Day({"statuses": {name: counts}}) for name, counts in sources.items()})
        return Grouped(whole, {} if asked.group_by is None else merged)

    def _ends(self, asked: Asked) -> Iterator[Evidence]:
        """The evidence of recoveries, its `ends` by project; of a day that has no room for it project by project."""
        for item in self._rows(asked, False, "evidence"):
            evidence = evidence_in(item)
            if "project_id" in item:
                yield _of_project(item, evidence)
            elif ENDS in evidence:
                yield evidence
            else:
                day = day_of_row(item)
                for one in self._project_rows(replace(asked, first=day, last=day), "evidence"):
                    yield _of_project(one, evidence_in(one))

    def _rows(self, asked: Asked, by_project: bool, *parts: str) -> Iterable[Item]:  # noqa: FBT001 - how it is read
        if by_project or asked.project_id is not None or asked.group_id is not None:
            return self._project_rows(asked, *parts)
        return FigureStore(self._table, asked.integration_id).days(asked.first, asked.last, *parts)

    def _project_rows(self, asked: Asked, *parts: str) -> Iterator[Item]:
        """The days of projects that were asked for, at most MOST_ROWS. Raises Unprocessable, NotFound."""
        store = FigureStore(self._table, asked.integration_id)
        wanted = self._wanted(asked)
        if wanted is not None and len(wanted) * asked.count <= FEW_KEYS:
            for project_id in sorted(wanted):
                yield from store.of_project(project_id, asked.days, *parts)
            return
        read = 0
        for day in asked.days:
            for item in store.of_day(day, *parts):
                read += 1
                if read > MOST_ROWS:
                    raise unfit("query.from", "This reads too much at once: ask for fewer days, a group or a project.")
                if wanted is None or item["project_id"] in wanted:
                    yield item

    def _wanted(self, asked: Asked) -> set[int] | None:
        """The projects that were asked for; None = all."""
        if asked.group_id is None:
            return None if asked.project_id is None else {asked.project_id}
        below = self._selection.below(asked.integration_id, asked.group_id).keys()
        return set(below) if asked.project_id is None else below & {asked.project_id}

    def _shown(self, asked: Asked, rows: dict[str, Answer], order: str) -> list[Answer]:
        """The most frequent rows, those of projects with what they are called."""
        ordered = sorted(rows.items(), key=lambda one: (-one[1][order], one[0]))[:MOST_SHOWN]
        if asked.group_by != "project":
            return [{"key": key, **row} for key, row in ordered]
        paths: Projects = self._selection.some(asked.integration_id, [int(key) for key, _ in ordered])
        return [
            {"key": key, "project_id": int(key), "full_path": paths.get(int(key)) or None, **row}
            for key, row in ordered
        ]


def _of_project(item: Item, evidence: Evidence) -> Evidence:
    return {**evidence, ENDS: {str(item["project_id"]): evidence.get(ENDS, [])}}


def _by_day(asked: Asked, definition: DefinitionName, day: str, sums: Day) -> Iterator[tuple[str, Day]]:
    """The sums of a row by the days that a definition counts them on."""
    if definition != "gitlab":
        yield day, sums
        return
    for ref_class, core in sums.core.items():
        for started, found in core.get("started", {}).items():
            if asked.first <= started <= asked.last and _earlier(started) <= day:
                yield started, Day({ref_class: found})


def _key(asked: Asked, item: Item, day: str, ref_class: str) -> str:
    """Which row of an answer a part of a day belongs to; "" where there are none."""
    if asked.group_by == "project":
        return str(item["project_id"])
    return ref_class if asked.group_by == "ref_class" else period(day, asked.group_by or "")


def period(day: str, length: str) -> str:
    """The day, week (by its Monday) or month that a day belongs to; "" where days are not told apart."""
    moment = date.fromisoformat(day)
    periods = {
        "day": day,
        "week": (moment - timedelta(days=moment.weekday())).isoformat(),
        "month": day[:7],
    }
    return periods.get(length, "")


def _earlier(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=STARTS_WITHIN_DAYS)).isoformat()


def with_range(asked: Asked) -> dict[str, Any]:
    """The range as an answer says it; `to` is the first second behind it."""
    return {"from": asked.begins_at, "to": asked.ends_at, "timezone": "UTC"}
