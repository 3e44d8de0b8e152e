"""The cursor over GitLab's list of pipelines that loses nothing.

The list has no keyset paging and no tie-breaker, but `updated_after` is inclusive and rows only ever move forward in
`updated_at`. So the reader never asks for "page n", which shifts under its feet, but seeks: everything updated at or
after the last row it saw. A row that changes meanwhile is met again further on. All decisions here are pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.fields import iso, millis
from gitlab_hub.pipelines.model import identity
from gitlab_hub.pipelines.same_timestamp import SameTimestampPaging

PER_PAGE = 100
FEW = 20
"""Rows of a page where hardly any are expected to be new."""
MAX_PAGES = 100_000
"""Pages of one window: ten million pipelines."""

OVERLAP_MS = 180_000
"""How far a window reaches back before the watermark: late commits and clocks that differ between GitLab's nodes."""

WALK_SECONDS = 7 * 86_400
"""How often a list that GitLab does not count is read as a whole: one request for each hundred pipelines."""

CLOCK_TRUST_MS = 300_000
"""How far ahead of the hub's clock a server's `Date` is believed when it becomes a watermark."""

Params = dict[str, str | int | bool]


SHOWN = "shown"


class Stream(StrEnum):
    """GitLab lists pipelines in two lists: all but children, and the children."""

    DEFAULT = "default"
    CHILD = "child"


class SeekStep(StrEnum):
    """What follows a page."""

    SEEK = "seek"
    SAME_TIMESTAMP = "same_timestamp"
    """More rows share one millisecond than a page holds: seeking cannot get past them."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Window:
    """How far the reading of one stream has come; JSON in a checkpoint. Times are in milliseconds."""

    stream: Stream
    lo: int | None
    """Everything before is durable; None = from the beginning."""
    hi: int | None = None
    """The server's clock when the window was opened: what happens later belongs to the next run."""
    last: int | None = None
    """The latest `updated_at` seen; None = nothing was listed."""
    walk: str | None = None
    """Position in the whole list, where the server ignores the filter."""
    children: bool = False
    """Whether a pipeline was read that started a child pipeline."""
    copied: int = 0
    """Pipelines made durable: tells a slow reading of one page from one that gets nowhere."""
    pages: int = 0
    same_timestamp: SameTimestampPaging | None = None
    """How far the millisecond at `lo` is read, where it holds more rows than a page; in JSON it is called `drain`."""
    fresh: bool = False
    """Whether the list is read from its beginning, without a watermark."""
    total: int | None = None
    """How many pipelines GitLab counts in the whole list, where the first page of a fresh window said so."""
    walked: bool = False
    """Whether the whole list was read page by page."""
    seen: bool = False
    """Whether any pipeline was listed."""
    listed: int = 0
    """Pipelines met for the first time."""
    stored: int = 0
    """Those of them that could be stored."""
    top: int | None = None
    """The highest id seen."""
    bridges: str | None = None
    """Whether the pipeline that was read last showed its trigger jobs: SHOWN, or an error code; None before any."""
    again: bool = False
    """Whether pipelines are read again that look as they did: a full sync."""
    reread: list[int] = field(default_factory=list)
    """Those of them that were, as far as the next page may show them once more."""
    walked_to: int | None = None
    """Up to which id the whole list was compared with what is stored; None where it comes in another order."""
    doubtful: bool = False
    """Whether GitLab did not tell of something that the whole list does not show."""
    checking: bool = False
    """Whether the whole list is read only for what is gone: trouble on its way ends that, and nothing else."""
    given_up: bool = False
    """Whether it has."""

    @classmethod
    def opened(cls, stream: Stream, watermark: int | None, *, again: bool = False) -> "Window":
        """The window that follows a watermark; from a whole second on, as GraphQL tells no parts of one."""
        lo = None if watermark is None else (watermark - OVERLAP_MS) // 1000 * 1000
        return cls(stream, lo, fresh=watermark is None, again=again)

    @classmethod
    def from_json(cls, cursor: Mapping[str, Any]) -> "Window":
        """The window that a checkpoint holds; one that another release wrote may know more fields."""
        known = {name: value for name, value in cursor.items() if name in cls.__dataclass_fields__}
        paging = cursor.get("drain")
        parts = {
            "stream": Stream(cursor["stream"]),
            "same_timestamp": None if paging is None else SameTimestampPaging(**paging),
        }
        return cls(**{**known, **parts})

    def to_json(self) -> dict[str, Any]:
        """The window as a checkpoint."""
        fields = asdict(self)
        paging = fields.pop("same_timestamp")
        return {**fields, "drain": paging}

    def with_page(self, server_time: int | None, total: int | None = None) -> "Window":
        """The window when one more page came; the first one fixes its end by the server's clock."""
        if self.pages >= MAX_PAGES:
            raise UnexpectedResponse("GitLab's list of pipelines has more pages than the hub reads.")
        counted = total if self.fresh and self.pages == 0 else self.total
        return replace(self, pages=self.pages + 1, hi=server_time if self.hi is None else self.hi, total=counted)

    def reads_again(self, row: Mapping[str, Any]) -> bool:
        """Whether a pipeline is to be read though it looks as it did; none twice, where its list follows a seek."""
        if not self.again or identity(row) in self.reread:
            return False
        moment = millis(row.get("updated_at"))
        return moment is None or self.lo is None or moment >= self.lo

    def after_rows(self, rows: Sequence[Mapping[str, Any]]) -> "Window":
        """The window after the pipelines of a page were made durable."""
        last = max((m for m in (self.last, *_moments(rows)) if m is not None), default=None)
        top = max((number for number in (self.top, *map(identity, rows)) if number is not None), default=None)
        # The next page may show again what shares the latest moment.
        reread = [identity(row) for row in rows] if self.again and last != self.last else self.reread
        return replace(self, last=last, top=top, seen=self.seen or bool(rows), reread=reread)

    def after_same_timestamp_page(self, rows: Sequence[Mapping[str, Any]], following: str | None) -> "Window":
        """The window after a page of one millisecond; behind it when that was read completely."""
        paging = (self.same_timestamp or SameTimestampPaging()).after_page((identity(row) for row in rows), following)
        if paging:
            return replace(self, same_timestamp=paging)
        return replace(self, same_timestamp=None, lo=(self.lo or 0) + 1)


def base_params(window: Window) -> Params:
    """What every listing of the stream asks for."""
    return {"source": "parent_pipeline"} if window.stream is Stream.CHILD else {}


def seek_params(window: Window) -> Params:
    """The next page of a seek."""
    bound: Params = {} if window.lo is None else {"updated_after": iso(window.lo)}
    return {**base_params(window), **bound, "order_by": "updated_at", "sort": "asc"}


def walk_params(window: Window) -> Params:
    """The whole list by the one order that has neither ties nor gaps: new pipelines only ever join at its end."""
    return {**base_params(window), "order_by": "id", "sort": "asc"}


def newest_params(window: Window) -> Params:
    """The list from the newest pipeline on."""
    return {**base_params(window), "order_by": "id", "sort": "desc"}


def is_hidden(row: Mapping[str, Any], since: int | None) -> bool:
    """Say whether a seek from `since` on shows no such row: it has no date, or was made with an old one (imported)."""
    moment = millis(row.get("updated_at"))
    return moment is None or (since is not None and moment < since)


def undated_params(window: Window) -> Params:
    """The first row of the list from its other end, where a row without `updated_at` would stand, and its count.

    PostgreSQL puts nulls last in ascending order and first in descending order (its documentation, "Sorting Rows"), and
    GitLab orders without saying otherwise (app/finders/ci/pipelines_finder.rb).
    """
    return {**base_params(window), "order_by": "updated_at", "sort": "desc"}


def is_dated(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether every row has a usable `updated_at`. The column may be null: old rows have none.

    No filter on it shows such a row (`updated_at >= …` is not true of null), so a seek cannot find them.
    """
    return len(_moments(rows)) == len(rows)


def has_gap(*, listed: int | None, had: int, dated: bool, walked_before: bool) -> bool:
    """Decide whether the whole list has to be read, because a seek has not shown all of it.

    `listed` is GitLab's count (None above 10,000: then it does not count), `had` what is stored or owed, `dated`
    whether the row that would show nulls has none.
    """
    if listed is not None and had < listed:
        return True
    return not dated and (listed is None or not walked_before)


def has_deleted(*, listed: int | None, had: int, walked_at: int | None, now: int, full: bool) -> bool:
    """Decide whether the whole list has to be read, because something of what is stored may be gone (times in seconds).

    `listed` and `had` as for `has_gap`. Where GitLab does not count, only reading the list tells: once a week.
    """
    if listed is not None:
        return had > listed
    return full or walked_at is None or now - walked_at >= WALK_SECONDS


def walked_at(window: Window, before: int | None, *, listed: int | None, now: int) -> int | None:
    """When the whole list counts as read after a window, where it did so `before` (seconds); `listed` as for `has_gap`.

    What was left open is looked at again in a day where GitLab counts. A list that is longer than that, and could not
    be read to its end, waits as if it had been: each try costs hundreds of requests.
    """
    if window.given_up or window.doubtful:
        return now if window.given_up and listed is None else before if listed is None else None
    return now if window.walked else before


def ids_in_order(window: Window, rows: Sequence[Mapping[str, Any]], *, is_last: bool) -> list[int] | None:
    """The ids of a page of the walked list; None where they are not in the order that was asked for.

    Behind the last page everything is compared that is stored: an earlier worker may have come far behind its ids.
    """
    ids: list[int] = [row["id"] for row in rows if isinstance(row.get("id"), int)]
    if window.walked_to is None or ids != sorted(ids) or (ids and not is_last and ids[-1] <= window.walked_to):
        return None
    return ids


def same_timestamp_params(window: Window) -> Params:
    """Everything in the millisecond at `lo`, in an order that has no ties."""
    lo = window.lo or 0
    # The answer shows milliseconds but the filter compares microseconds, so the bound is the next millisecond.
    bounds: Params = {"updated_after": iso(lo), "updated_before": iso(lo + 1)}
    return {**base_params(window), **bounds, "order_by": "id", "sort": "asc"}


def has_right_source(window: Window, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether the server honours `source` (17.0); older ones answer the default list again."""
    return window.stream is Stream.DEFAULT or all(row.get("source") == "parent_pipeline" for row in rows)


def is_seekable(window: Window, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether the rows satisfy filter and order; old servers ignore parameters that they do not know."""
    moments = _moments(rows)
    in_order = all(earlier <= later for earlier, later in pairwise(moments))
    return in_order and (window.lo is None or all(moment >= window.lo for moment in moments))


def has_same_timestamp(window: Window, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether all rows lie in the millisecond at `lo`, or on the bound behind it."""
    lo = window.lo or 0
    return all(moment in (lo, lo + 1) for moment in _moments(rows))


def next_step(window: Window, rows: Sequence[Mapping[str, Any]], *, more: bool) -> tuple[SeekStep, Window]:
    """Decide what follows a page; `more` = the page was full."""
    moments = _moments(rows)
    if not more or not moments:
        return SeekStep.DONE, window
    if window.lo is None or moments[-1] > window.lo:
        return SeekStep.SEEK, replace(window, lo=moments[-1])
    return SeekStep.SAME_TIMESTAMP, replace(window, same_timestamp=SameTimestampPaging())


def watermark(window: Window, previous: int | None, *, now: int) -> int | None:
    """Where the stream's next window starts from, once this one is done.

    An empty answer proves nothing (a token that lost its scope gets 200 with an empty list), so it moves nothing. A
    `Date` far ahead of our own clock is not believed either, nor an update in the future (GitLab's clock was set back
    since): with a watermark there, what is updated until then would be skipped for good.
    """
    if window.last is None and not (window.walked and window.seen):
        return previous
    if window.hi is None or window.hi > now + CLOCK_TRUST_MS:
        return previous if window.last is None else min(window.last, now)
    return window.hi


def _moments(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    return [moment for moment in (millis(row.get("updated_at")) for row in rows) if moment is not None]
