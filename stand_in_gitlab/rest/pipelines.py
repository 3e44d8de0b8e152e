"""Pipelines of a project: the list with its traps, and one of them."""

import zlib
from collections.abc import Callable, Iterator
from typing import Any

from stand_in_gitlab.ci.model import Pipeline, State
from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.ci_shapes import CiShapes
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.paging import numbered
from stand_in_gitlab.rest.readable import builds_project
from stand_in_gitlab.rest.refusals import not_found

ORDERS = frozenset({"id", "status", "ref", "updated_at", "user_id"})
SORTS = frozenset({"asc", "desc"})
FINISHED = frozenset({"success", "failed", "canceled", "skipped"})
Row = tuple[Pipeline, State]
Test = Callable[[Pipeline, State], bool]


class PipelinesApi:
    """Lists pipelines as GitLab does: no keyset, no tie-breaker, children only on demand."""

    def __init__(self, company: Company, shapes: CiShapes, view: CiView) -> None:
        self._company, self._shapes, self._view = company, shapes, view
        self._find = Finder(company)

    def many(self, ask: Ask) -> Answer:
        """GET /projects/:id/pipelines."""
        project = builds_project(self._find, ask)
        order, sort = ask.choice("order_by", ORDERS, "id"), ask.choice("sort", SORTS, "desc")
        tests = _tests(ask)
        rows = [row for row in self._view.pipelines(project.id, ask.now) if all(test(*row) for test in tests)]
        rows.sort(key=_scrambled)
        rows.sort(key=_KEYS[order], reverse=sort == "desc")
        return numbered(ask, rows, lambda row: self._shapes.pipeline_row(*row))

    def one(self, ask: Ask) -> Answer:
        """GET /projects/:id/pipelines/:pipeline_id."""
        project = builds_project(self._find, ask)
        return reply(
            self._shapes.pipeline(*self._view.pipeline(project.id, ask.integer(ask.names[1], "pipeline_id"), ask.now))
        )

    def latest(self, ask: Ask) -> Answer:
        """GET /projects/:id/pipelines/latest."""
        project = builds_project(self._find, ask)
        ref = ask.params.get("ref") or project.default_branch
        rows = [
            row for row in self._view.pipelines(project.id, ask.now) if row[0].ref == ref and row[0].parent_id is None
        ]
        if not rows:
            raise not_found()
        return reply(self._shapes.pipeline(*max(rows, key=lambda row: row[0].id)))


def _tests(ask: Ask) -> list[Test]:
    """The filters of the query; children are hidden unless their source is asked for."""
    source = ask.params.get("source")
    family: Test = (
        (lambda pipeline, _: pipeline.source == source) if source else (lambda pipeline, _: pipeline.parent_id is None)
    )
    equal = [_equal(name, ask.params[name]) for name in ("status", "ref", "sha", "scope") if ask.params.get(name)]
    return [family, *equal, *_timed(ask)]


def _timed(ask: Ask) -> Iterator[Test]:
    """Limits are inclusive, and a null is within none; they are read once, not per row."""
    after, before = ask.moment("updated_after"), ask.moment("updated_before")
    since, until = ask.moment("created_after"), ask.moment("created_before")
    if after is not None:
        yield lambda pipeline, state: state.updated >= after and not pipeline.undated
    if before is not None:
        yield lambda pipeline, state: state.updated <= before and not pipeline.undated
    if since is not None:
        yield lambda pipeline, _: pipeline.created >= since
    if until is not None:
        yield lambda pipeline, _: pipeline.created <= until


def _equal(name: str, wanted: str) -> Test:
    if name == "status":
        return lambda _, state: state.status == wanted
    if name == "scope":
        return lambda pipeline, state: _in_scope(pipeline, state, wanted)
    return lambda pipeline, _: getattr(pipeline, name) == wanted


def _in_scope(pipeline: Pipeline, state: State, scope: str) -> bool:
    if scope in {"branches", "tags"}:
        return pipeline.tag == (scope == "tags")
    return state.status in FINISHED if scope == "finished" else state.status == scope


def _scrambled(row: Row) -> int:
    """Rows that tie in the wanted order come in no useful one."""
    return zlib.crc32(str(row[0].id).encode())


_KEYS: dict[str, Callable[[Row], Any]] = {
    "id": lambda row: row[0].id,
    "status": lambda row: row[1].status,
    "ref": lambda row: row[0].ref,
    # Nulls are last in ascending order and first in descending order, as PostgreSQL has them.
    "updated_at": lambda row: (row[0].undated, row[1].updated),
    "user_id": lambda row: row[0].user_id,
}
