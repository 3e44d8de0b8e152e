"""What GraphQL has told of one project, given out as the pages of REST's lists. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gitlab_hub.gitlab.fields import from_datetime, iso, millis
from gitlab_hub.gitlab.options import Page
from gitlab_hub.pipelines.freshness import StoredPipeline
from gitlab_hub.pipelines.graphql.queries import CHILD_SOURCE, Detail, Newest, Since
from gitlab_hub.pipelines.window import Params, Stream

WRITTEN_MEANWHILE_MS = 60_000
"""How far the clocks of two workers may be apart."""

_FILTERS = frozenset({"source", "updated_after", "order_by", "sort"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One project: the pipelines that changed since a moment, and the newest ones. Times are in milliseconds.

    A stream that is not in `rows` or `newest` was not told whole. `details` are used up as they are taken.
    """

    project_id: int
    asked_at: int
    """By the hub's clock."""
    answered_at: datetime
    """By GitLab's clock."""
    since: Since
    rows: Mapping[Stream, Sequence[Mapping[str, Any]]] = field(repr=False)
    newest: Mapping[Stream, Newest] = field(default_factory=dict, repr=False)
    known_newest: Mapping[Stream, int | None] = field(default_factory=dict)
    """The highest id that the hub has seen before."""
    counts: Mapping[Stream, tuple[int, bool]] = field(default_factory=dict)
    """How many pipelines of a stream there are, and whether each has a date."""
    details: dict[int, Detail] = field(default_factory=dict, repr=False)
    is_off: bool = False
    """CI/CD is switched off, as it was when REST said so."""

    def page(self, params: Params) -> Page | None:
        """The page that REST would give; None where it has to be asked."""
        if params.keys() - _FILTERS:
            return None
        stream = Stream.CHILD if params.get("source") == CHILD_SOURCE else Stream.DEFAULT
        match params.get("order_by"), params.get("sort"):
            case "updated_at", "asc":
                return self._changed(stream, millis(params.get("updated_after")))
            case "id", "desc":
                return self._newest(stream)
            case "updated_at", "desc":
                return self._counted(stream)
        return None

    def drop_written(self, known: Mapping[int, StoredPipeline]) -> None:
        """Drop what somebody has stored since GraphQL was asked: it may be younger."""
        for number, stored in known.items():
            if stored.written_at is None or stored.written_at > self.asked_at - WRITTEN_MEANWHILE_MS:
                self.details.pop(number, None)

    def _changed(self, stream: Stream, after: int | None) -> Page | None:
        rows = self.rows.get(stream)
        if rows is None or not (self._has_all(stream) or (after is not None and after >= (self.since[stream] or 0))):
            return None
        bound = None if after is None else after - after % 1000
        found = [dict(row) for row in rows if bound is None or (millis(row["updated_at"]) or 0) >= bound]
        return self._page(found, total=len(found) if bound is None else None)

    def _has_all(self, stream: Stream) -> bool:
        """Whether the rows of a stream are all that there are."""
        newest = self.newest.get(stream)
        shown = {row["id"] for row in self.rows.get(stream, ())}
        return self.since[stream] is None or (newest is not None and newest.whole and shown.issuperset(newest.ids))

    def _newest(self, stream: Stream) -> Page | None:
        newest, known = self.newest.get(stream), self.known_newest.get(stream)
        if newest is None or known is None or not (newest.whole or any(one <= known for one in newest.ids)):
            return None
        rows = {row["id"]: row for row in self.rows.get(stream, ())}
        if any(one > known and one not in rows for one in newest.ids):
            return None  # It has no date, or an old one: REST tells more of it.
        named = {} if stream is Stream.DEFAULT else {"source": CHILD_SOURCE}
        return self._page([dict(rows.get(one, {"id": one, **named})) for one in newest.ids])

    def _counted(self, stream: Stream) -> Page | None:
        if stream not in self.counts:
            return None
        total, dated = self.counts[stream]
        # The row that would have no date if there is any such row.
        return self._page([{"id": 1, "updated_at": iso(0) if dated else None}] if total else [], total=total)

    def _page(self, rows: list[dict[str, Any]], *, total: int | None = None) -> Page:
        return Page(rows, None, self.answered_at, total)

    @property
    def at(self) -> int:
        """When GitLab answered, by its clock."""
        return from_datetime(self.answered_at)
