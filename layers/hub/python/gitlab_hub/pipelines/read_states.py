"""How far the pipelines of each project were read, and what is due. Watermarks move only in runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from gitlab_hub.gitlab.errors import CiDisabled
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.cadence import OFF_REST_SECONDS, next_look
from gitlab_hub.pipelines.keys import cursors_pk
from gitlab_hub.pipelines.projects import project_number
from gitlab_hub.pipelines.window import SHOWN, WALK_SECONDS, Stream
from gitlab_hub.storage.ports import Condition, Item, Table
from gitlab_hub.storage.rows import is_written
from gitlab_hub.sync.table_rows import stretch

PROBE_SECONDS = 86_400
"""How often a project that had no child pipelines lately is asked for some."""

LATELY_SECONDS = 30 * 86_400
NOTE_SECONDS = 3_600
"""How stale a note about children may be: exact times would cost a write per project and run."""

CHECK_SECONDS = 3_600
"""How often a list is read from its newest end, where that costs a request: only imports and rows without a date need
it (`is_hidden` in window.py)."""

RECONCILE_SECONDS = 86_400
"""How often GitLab's count of a project's pipelines is compared with ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadState:
    """How far a project's pipelines were read: watermarks in milliseconds, notes about children in seconds."""

    default_watermark: int | None = None
    child_watermark: int | None = None
    child_probed_at: int | None = None
    child_seen_at: int | None = None
    default_listed: int | None = None
    default_stored: int | None = None
    child_listed: int | None = None
    child_stored: int | None = None
    reconciled_at: int | None = None
    """When GitLab's count was last compared with ours (seconds)."""
    child_reconciled_at: int | None = None
    walked_at: int | None = None
    """When the whole list was last read page by page (seconds)."""
    child_walked_at: int | None = None
    owed: int | None = None
    """Pipelines that GitLab lists and does not show."""
    unfinished: int | None = None
    """Stored pipelines that go on by themselves and are asked for again; None before they were looked for."""
    outlined: int | None = None
    """Stored pipelines whose details are to be read."""
    active_at: int | None = None
    """When something was updated last, or, where nothing ever was, when the project was first asked (seconds)."""
    looked_at: int | None = None
    """When its lists were asked for last, where nothing had happened in it lately (seconds)."""
    default_newest: int | None = None
    child_newest: int | None = None
    """The highest id listed."""
    bridges: str | None = None
    """Why the pipeline that was read last did not show its trigger jobs: an error code; None where it did."""
    default_checked: int | None = None
    child_checked: int | None = None
    """The highest id when a list was last read from its newest end, for what a seek does not show."""
    default_checked_at: int | None = None
    child_checked_at: int | None = None
    """When that was (seconds); None where it is done in each run."""
    error: str | None = None
    """Why the project could not be read the last time: an error code."""

    def watermark(self, stream: Stream) -> int | None:
        """The watermark of a stream."""
        return self.default_watermark if stream is Stream.DEFAULT else self.child_watermark

    def with_watermark(self, stream: Stream, watermark: int | None) -> "ReadState":
        """The state with a stream's watermark moved."""
        if stream is Stream.DEFAULT:
            return replace(self, default_watermark=watermark)
        return replace(self, child_watermark=watermark)

    def newest(self, stream: Stream) -> int | None:
        """The highest id that a stream has shown."""
        return self.default_newest if stream is Stream.DEFAULT else self.child_newest

    def with_newest(self, stream: Stream, top: int | None) -> "ReadState":
        """The state after a stream was read whose highest id was this."""
        newest = max((number for number in (self.newest(stream), top) if number is not None), default=None)
        if stream is Stream.DEFAULT:
            return replace(self, default_newest=newest)
        return replace(self, child_newest=newest)

    def wants_check(self, stream: Stream, now: int) -> bool:
        """Say whether a list is to be read from its newest end, where that costs a request."""
        at = self.default_checked_at if stream is Stream.DEFAULT else self.child_checked_at
        return at is None or not 0 <= now - at < CHECK_SECONDS

    def checked(self, stream: Stream) -> int | None:
        """The id above which everything at the newest end is news; None where the list has shown nothing."""
        checked, at = self.default_checked, self.default_checked_at
        if stream is Stream.CHILD:
            checked, at = self.child_checked, self.child_checked_at
        # What a seek has shown since then may lie above something that it does not show.
        return self.newest(stream) if at is None else checked or 0

    def with_checked(self, stream: Stream, now: int | None) -> "ReadState":
        """The state after a list was read from its newest end; None: that is done in each run."""
        top = None if now is None else self.newest(stream)
        if stream is Stream.DEFAULT:
            return replace(self, default_checked=top, default_checked_at=now)
        return replace(self, child_checked=top, child_checked_at=now)

    def with_counts(self, stream: Stream, *, listed: int | None, stored: int) -> "ReadState":
        """The state after GitLab's count of a stream was compared with ours."""
        if stream is Stream.DEFAULT:
            return replace(self, default_listed=listed, default_stored=stored)
        return replace(self, child_listed=listed, child_stored=stored)

    def with_added(self, stream: Stream, *, listed: int, stored: int) -> "ReadState":
        """The state after so many more pipelines were listed and stored; what was never counted stays unknown."""
        if stream is Stream.DEFAULT:
            before = self.default_listed, self.default_stored
        else:
            before = self.child_listed, self.child_stored
        known, kept = before
        if kept is None:
            return self
        return self.with_counts(stream, listed=None if known is None else known + listed, stored=kept + stored)

    def counts_match(self, stream: Stream, listed: int | None, now: int) -> bool:
        """Say whether all that GitLab counts now, and nothing else, was stored when it was counted last.

        More than GitLab lists is no difference for a week after its list was read: what else is stored was asked for
        by its id, and is there. Some sources of pipelines are not listed (`dangling_sources` in
        app/models/concerns/enums/ci/pipeline.rb).
        """
        counts = (self.default_listed, self.default_stored)
        if stream is Stream.CHILD:
            counts = (self.child_listed, self.child_stored)
        known, stored = counts
        if listed is None or known != listed or stored is None:
            return False
        walked_at = self.walked(stream)
        lately = walked_at is not None and now - walked_at < WALK_SECONDS
        return stored == listed or (stored > listed and lately)

    def with_bridges(self, seen: str | None) -> "ReadState":
        """The state after pipelines were read; `seen` as in a window."""
        return self if seen is None else replace(self, bridges=None if seen == SHOWN else seen)

    def wants_count(self, stream: Stream, now: int) -> bool:
        """Say whether GitLab's count is to be compared with ours again; of children, where there were any."""
        last = self.reconciled_at if stream is Stream.DEFAULT else self.child_reconciled_at
        if stream is Stream.CHILD and self.child_newest is None:
            return False
        return last is None or now - last >= RECONCILE_SECONDS

    def with_reconciled(self, stream: Stream, now: int) -> "ReadState":
        """The state after GitLab's count was compared with ours (`now` in seconds)."""
        if stream is Stream.DEFAULT:
            return replace(self, reconciled_at=now)
        return replace(self, child_reconciled_at=now)

    def walked(self, stream: Stream) -> int | None:
        """When the whole list of a stream was last read page by page (seconds)."""
        return self.walked_at if stream is Stream.DEFAULT else self.child_walked_at

    def with_walked(self, stream: Stream, walked_at: int | None) -> "ReadState":
        """The state with that moment."""
        if stream is Stream.DEFAULT:
            return replace(self, walked_at=walked_at)
        return replace(self, child_walked_at=walked_at)

    def with_children_read(self, *, seen: bool, now: int) -> "ReadState":
        """The state after the child stream was read."""
        return replace(
            self,
            child_probed_at=_noted(self.child_probed_at, now),
            child_seen_at=_noted(self.child_seen_at, now) if seen else self.child_seen_at,
        )

    def with_look(self, last: int | None, now: int, *, may_rest: bool = True) -> "ReadState":
        """The state after its lists were asked for; `last` = the latest update they have shown (milliseconds)."""
        seen = [moment for moment in (self.active_at, None if last is None else last // 1000) if moment is not None]
        after = replace(self, active_at=max(seen, default=now if may_rest else None), looked_at=now)
        return after if may_rest and after.next_look is not None else replace(after, looked_at=None)

    @property
    def next_look(self) -> int | None:
        """When its lists are to be asked for again (seconds); None = in each sync."""
        if self.is_off:
            return None if self.looked_at is None else self.looked_at + OFF_REST_SECONDS
        return next_look(looked_at=self.looked_at, active_at=self.active_at)

    def rests(self, now: int) -> bool:
        """Say whether its lists need not be asked for yet."""
        until = self.next_look
        is_known = self.error is None or self.is_off
        return until is not None and is_known and (self.looked_at or 0) <= now < until

    @property
    def is_off(self) -> bool:
        """Whether it had no pipelines for anybody, as CI/CD was switched off."""
        return self.error == CiDisabled.code

    def wants_children(self, now: int) -> bool:
        """Say whether the child stream is due: always where there were children lately, else once a day."""
        if self.child_probed_at is None or now - self.child_probed_at >= PROBE_SECONDS:
            return True
        return self.child_seen_at is not None and now - self.child_seen_at < LATELY_SECONDS


class ReadStates:
    """The stored read states of an integration's projects. Runs write them; hints only wake what rests."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._pk = table, cursors_pk(integration_id)
        self._ahead: dict[str, Item] = {}

    def look_ahead(self, keys: Sequence[str]) -> dict[int, ReadState]:
        """Read the states of projects that are about to be loaded, sorted by key: no other run writes them meanwhile.

        Each is used once, so that a second try sees what the first one has kept.
        """
        items = stretch(self._table, [(self._pk, key) for key in keys])
        self._ahead = {item["sk"]: item for item in items}
        return {project_number(key): _state(self._ahead.get(key, {})) for key in keys}

    def load(self, project_id: int) -> ReadState:
        """The state of a project; one that was never read has none."""
        key = padded(project_id)
        item = self._ahead.pop(key, None) or self._table.get(self._pk, key) or {}
        return _state(item)

    def mark_owed(self, project_id: int) -> None:
        """Note that something of a project is owed; how much is known at the end of its reading."""
        state = self.load(project_id)
        if not state.owed:
            self.save(project_id, replace(state, owed=1))

    def mark_failed(self, project_id: int, code: str, *, owed: int, looked_at: int | None) -> None:
        """Note why a project could not be read, and how much of it is owed, where that is news.

        `looked_at`: when it was asked (seconds), where it may rest then.
        """
        state = self.load(project_id)
        after = replace(state, error=code, owed=owed or state.owed, looked_at=looked_at)
        if after != state:
            self.save(project_id, after)

    def at_rest(self, project_id: int, now: int) -> Item | None:
        """The stored state of a project that rests (`now` in seconds), as `wake` takes it."""
        item = self._table.get(self._pk, padded(project_id))
        return item if item is not None and _state(item).rests(now) else None

    def wake(self, resting: Item) -> None:
        """Have the next run ask for a project's lists; what a run has written meanwhile stays."""
        same = Condition(equals={name: value for name, value in resting.items() if name not in {"pk", "sk"}})
        is_written(self._table.put, {**resting, "looked_at": None}, same)

    def save(self, project_id: int, state: ReadState) -> None:
        """Keep the state of a project."""
        self._table.put({"pk": self._pk, "sk": padded(project_id), "schema_version": 1, **asdict(state)})


def _state(item: Item) -> ReadState:
    return ReadState(**{name: item.get(name) for name in ReadState.__dataclass_fields__})


def _noted(before: int | None, now: int) -> int:
    return before if before is not None and 0 <= now - before < NOTE_SECONDS else now
