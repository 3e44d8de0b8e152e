"""Where the figures of days lie, and what they are made of: the stored pipelines of a project's day."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from gitlab_hub.gitlab.fields import day_of, padded
from gitlab_hub.pipelines.figures.day import MOST_NAMES, Day, capped
from gitlab_hub.pipelines.figures.evidence import ENDS, WITHOUT, Evidence, EvidenceCollector, is_whole, lighter
from gitlab_hub.pipelines.figures.facts import PipelineFact, pipeline_fact
from gitlab_hub.pipelines.keys import (
    changed_days_pk,
    changed_pk,
    chunk_key,
    days_pk,
    figures_pk,
    figures_version_key,
    pipelines_pk,
)
from gitlab_hub.pipelines.reader import shown
from gitlab_hub.pipelines.store import JOBS, MAX_CHUNK, pack_one, unpack
from gitlab_hub.storage.ports import Condition, ConditionFailed, Delete, Item, Put, Table
from gitlab_hub.storage.rows import Action, fit_together, is_written, query_all, query_pages

VERSION = 2
"""Goes up with the rules that figures are made by: then all of them are made again out of what is stored."""

AT_ONCE = 100
"""Pipelines whose jobs are in memory together."""

DELETES_AT_ONCE = 90

FEWEST_NAMES = 10

PROJECTS_AT_ONCE = 50

MOST_WHILE_ADDING = 20 * MOST_NAMES
"""Names that are told apart while projects are added up: more would not fit into the memory of a worker."""

MAX_RAW = 20_000_000
"""Bytes of a part of a day's figures when it is unpacked."""


@dataclass(frozen=True, slots=True)
class ProjectDay:
    """A project's day that is to be counted (again)."""

    project_id: int
    day: str
    ids: frozenset[int]
    """Pipelines that are known to belong to it, beside those that were counted before."""
    marks: tuple[Item, ...] = ()
    """What said so."""


class FigureStore:
    """The figures of one integration. Only the worker of a run writes them."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._integration_id = table, integration_id

    @property
    def integration_id(self) -> str:
        """Whose figures these are."""
        return self._integration_id

    # ---- What is to be done

    def is_current(self) -> bool:
        """Whether the figures were made by the rules of this release."""
        item = self._table.get(*figures_version_key(self._integration_id))
        return item is not None and item["version"] == VERSION

    def mark_current(self) -> None:
        """Note that all figures are made by the rules of this release."""
        pk, sk = figures_version_key(self._integration_id)
        self._table.put({"pk": pk, "sk": sk, "version": VERSION, "schema_version": 1})

    def changed(self, project_id: int | None = None) -> Iterator[list[ProjectDay]]:
        """Page by page, the days of projects in which pipelines have changed; a day may be on two pages."""
        prefix = "" if project_id is None else f"{padded(project_id)}#"
        for page in query_pages(self._table, changed_pk(self._integration_id), prefix=prefix):
            yield _project_days(page)

    def has_changed(self, project_id: int | None = None) -> bool:
        """Whether something is stored that no figures count yet."""
        prefix = "" if project_id is None else f"{padded(project_id)}#"
        return bool(self._table.query(changed_pk(self._integration_id), prefix=prefix, limit=1).items)

    def all_days(self, project_id: int) -> list[ProjectDay]:
        """Every day of a project that has pipelines, with what has changed in it."""
        marks = [item for page in self.changed(project_id) for day in page for item in day.marks]
        rows = query_all(self._table, pipelines_pk(self._integration_id, project_id), attributes=("id", "created_at"))
        known = ((day_of(row["created_at"]), row["id"]) for row in rows if row["created_at"] is not None)
        return _project_days(marks, ((project_id, day, number) for day, number in known))

    def changed_days(self) -> list[str]:
        """The days that are to be added up again."""
        return [item["sk"] for item in query_all(self._table, changed_days_pk(self._integration_id))]

    # ---- Making figures

    def mark_day(self, day: str) -> None:
        """Have a day added up again, before anything of it is written."""
        self._table.put({"pk": changed_days_pk(self._integration_id), "sk": day, "schema_version": 1})

    def count(self, of: ProjectDay, default_branch: str | None) -> None:
        """Make the figures of a project's day out of its stored rows; what changes meanwhile has a mark of its own."""
        key = figures_pk(self._integration_id, of.day), padded(of.project_id)
        before = self._table.get(*key) or {}
        ids = sorted(of.ids.union(_unpacked(before["ids"]) if before else ()))
        day, evidence, counted = Day(), EvidenceCollector(), list[int]()
        for fact in self._facts(of.project_id, ids, default_branch):
            # GitLab may say later that it was created on another day.
            if day_of(fact.created_at) == of.day:
                day.count(fact)
                evidence.note(fact)
                counted.append(fact.id)
        packed = pack_one(counted)
        row = {"pk": key[0], "sk": key[1], "schema_version": 1, "project_id": of.project_id, "ids": packed}
        self._keep({**row, **_fitting(day, evidence.collected(), MAX_CHUNK - len(packed))}, of.marks)

    def add_up(self, day: str) -> None:
        """Make the figures of a day out of those of its projects."""
        added, ends, without, projects = Day(), dict[str, Any](), set[str](), 0
        for projects, row in enumerate(query_all(self._table, figures_pk(self._integration_id, day)), 1):
            added.add(day_in(row))
            evidence = evidence_in(row)
            without |= set() if is_whole(evidence, ENDS) else {ENDS}
            if evidence.get(ENDS):
                ends[str(row["project_id"])] = evidence[ENDS]
            if projects % PROJECTS_AT_ONCE == 0:
                added.detail = capped(added.detail, MOST_WHILE_ADDING)
        row = {"pk": days_pk(self._integration_id), "sk": day, "schema_version": 1, "projects": projects}
        self._table.put({**row, **_fitting(added, {ENDS: ends, WITHOUT: [*without]}, MAX_CHUNK)})
        self._table.delete(changed_days_pk(self._integration_id), day)

    def _facts(self, project_id: int, ids: Sequence[int], default_branch: str | None) -> Iterator[PipelineFact]:
        pk = pipelines_pk(self._integration_id, project_id)
        for start in range(0, len(ids), AT_ONCE):
            rows = self._table.get_many([(pk, padded(number)) for number in ids[start : start + AT_ONCE]])
            jobs = self._jobs(project_id, rows)
            for row in sorted(rows, key=lambda row: int(row["id"])):
                yield pipeline_fact(shown(row), jobs.get(row["id"], []), default_branch)

    def _jobs(self, project_id: int, rows: Iterable[Item]) -> dict[int, list[Item]]:
        keys = {
            chunk_key(self._integration_id, project_id, row["id"], JOBS, n): row["id"]
            for row in rows
            for n in range(row["job_chunks"])
        }
        jobs: dict[int, list[Item]] = {}
        for item in self._table.get_many(list(keys)):
            jobs.setdefault(keys[item["pk"], item["sk"]], []).extend(unpack(item["data"]))
        return jobs

    def _keep(self, row: Item, marks: Sequence[Item]) -> None:
        """Write figures, and remove what asked for them, but marks that were set anew meanwhile."""
        deletes = [Delete((mark["pk"], mark["sk"]), Condition(equals={"token": mark["token"]})) for mark in marks]
        whole: list[Action] = [Put(row), *deletes]
        if fit_together(whole) and is_written(self._table.transact, whole):
            return
        self._table.put(row)
        for start in range(0, len(deletes), DELETES_AT_ONCE):
            some = deletes[start : start + DELETES_AT_ONCE]
            try:
                self._table.transact(some)
            except ConditionFailed:
                for one in some:
                    is_written(self._table.transact, [one])

    # ---- Reading figures

    def days(self, first: str, last: str, *attributes: str) -> Iterator[Item]:
        """The figures of days, of all projects together; `attributes`: only these parts of them."""
        names = ("sk", *attributes)
        yield from query_all(
            self._table, days_pk(self._integration_id), after=day_before(first), until=last, attributes=names
        )

    def of_project(self, project_id: int, days: Sequence[str], *attributes: str) -> list[Item]:
        """The figures of some days of one project, in no order."""
        keys = [(figures_pk(self._integration_id, day), padded(project_id)) for day in days]
        return self._table.get_many(keys, attributes=("pk", "project_id", *attributes))

    def of_day(self, day: str, *attributes: str) -> Iterator[Item]:
        """The figures of a day, project by project."""
        names = ("pk", "project_id", *attributes)
        yield from query_all(self._table, figures_pk(self._integration_id, day), attributes=names)


def day_before(day: str) -> str:
    """The day before a day."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def day_of_row(item: Mapping[str, Any]) -> str:
    """The day of a row of figures."""
    return str(item["pk"]).rpartition("#")[2] if "pk" in item else str(item["sk"])


def day_in(item: Mapping[str, Any]) -> Day:
    """The sums that a row holds, as far as they were read."""
    return Day(*(_unpacked(item[name]) if name in item else None for name in ("core", "detail")))


def evidence_in(item: Mapping[str, Any]) -> Evidence:
    """The evidence that a row holds."""
    evidence: Evidence = _unpacked(item["evidence"])
    return evidence


def _unpacked(packed: bytes) -> Any:
    return unpack(packed, MAX_RAW)


def _project_days(marks: Iterable[Item], known: Iterable[tuple[int, str, int]] = ()) -> list[ProjectDay]:
    ids: dict[tuple[int, str], set[int]] = {}
    found: dict[tuple[int, str], list[Item]] = {}
    for project_id, day, number in known:
        ids.setdefault((project_id, day), set()).add(number)
    for mark in marks:
        key = mark["project_id"], mark["day"]
        ids.setdefault(key, set()).add(mark["id"])
        found.setdefault(key, []).append(mark)
    return [ProjectDay(*key, frozenset(some), tuple(found.get(key, ()))) for key, some in ids.items()]


def _fitting(day: Day, evidence: Evidence, room: int) -> dict[str, bytes]:
    """Pack figures so that they fit an item: with fewer names told apart, and in the end with less evidence."""
    most, core, told = MOST_NAMES, pack_one(day.core), pack_one(evidence)
    detail = pack_one(capped(day.detail, most))
    while len(core) + len(detail) + len(told) > room and most >= FEWEST_NAMES:
        most //= 2
        detail = pack_one(capped(day.detail, most))
    less = lighter(evidence)
    while len(core) + len(detail) + len(told) > room and (left := next(less, None)) is not None:
        told = pack_one(left)
    return {"core": core, "detail": detail, "evidence": told}
