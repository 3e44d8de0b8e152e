"""Where changes are written: numbered without a gap, in the transaction that changes what they are about.

`<integration>#changes` has the entries, those of one transaction packed into as few items as hold them, each under
the number of its last entry. `<integration>#feed` has the state of the feed with the number that was given last, and
a mark for every list that was never read to its end: what its first reading shows is no news.

A transaction that tells something moves the state on from the number that it found. So entries get their numbers in
the order in which they become visible, and whoever has read up to a number misses nothing that comes later. What
changed and the entry about it are there together or not at all, whatever becomes of the worker.

Nothing is told before a run has read the lists once: it begins the feed. A hint that was under way meanwhile checks
that the feed has still not begun; the run itself needs no such check, as the fence shuts out whoever carried it on
before.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from gitlab_hub.access.changes.model import Change, item_of_change
from gitlab_hub.access.changes.own_changes import OwnChangeReader
from gitlab_hub.access.keys import CHANGES, FEED
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import partition
from gitlab_hub.storage.codec import size_of
from gitlab_hub.storage.ports import ABSENT, PRESENT, Check, Condition, ConditionFailed, Delete, Item, Key, Put, Table
from gitlab_hub.storage.rows import MOST_ACTIONS, MOST_BYTES, Action, query_all, size_bytes
from gitlab_hub.sync.errors import Overtaken

KEPT_SECONDS = 400 * 86_400
"""How long an entry is kept: an auditor's year, and a month for the audit."""

PACK_BYTES = 32_000
"""Of the entries in one item: few enough for a page to be cheap, enough for a thousand shares to fit a transaction."""

MOST_BYTES_TOLD = 300_000
"""Of one entry. No GitLab has such an account; a server may send one."""

ATTEMPTS = 20
"""How often a number is asked for again; each time another worker has got on."""

STATE = "state"
UNREAD = "unread#"


@dataclass(frozen=True, slots=True)
class Step:
    """One conditional write of a row, what is to be told of it, and an item that must be there."""

    action: Put | Delete
    changes: Sequence[Change] = ()
    needs: Key | None = None


@dataclass(frozen=True, slots=True)
class _State:
    """How far the feed is."""

    number: int
    noticed_at: int


class ChangeFeed:
    """The feed of one integration as one worker writes it. All calls block, and may come from any thread."""

    def __init__(
        self, table: Table, integration_id: str, *, sync_id: str, now: Callable[[], float], beside_runs: bool
    ) -> None:
        self._table, self._sync_id, self._now, self._beside_runs = table, sync_id, now, beside_runs
        self._changes, self._feed = partition(integration_id, CHANGES), partition(integration_id, FEED)
        self._own = OwnChangeReader(table, integration_id, now)
        self._lock = threading.RLock()
        self._state: _State | None = None
        self._unread: set[str] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether changes are told."""
        with self._lock:
            self._marks()
            return self._state is not None

    @property
    def checks(self) -> bool:
        """Whether writes have something to do with the feed, even if only to check that it has not begun."""
        return self._beside_runs or self.has_begun

    def first_reading(self, scope: str) -> Key | None:
        """The mark of a list that was never read to its end since the feed began; None where it was."""
        with self._lock:
            return (self._feed, f"{UNREAD}{scope}") if scope in self._marks() and self._state is not None else None

    def was_read(self, scope: str) -> None:
        """A list was read to its end: from now on its changes are told."""
        with self._lock:
            self._table.delete(self._feed, f"{UNREAD}{scope}")
            self._marks().discard(scope)

    def begin(self, unread: Iterable[str]) -> None:
        """Tell changes from now on, except what the first reading of these lists shows; no effect where it has begun.

        A worker that is killed in between leaves marks and no feed: the next one to come here puts them right.
        """
        with self._lock:
            marks = self._marks()
            if self._state is not None:
                return
            wanted = set(unread)
            self._table.write(
                puts=[self._mark(scope) for scope in sorted(wanted - marks)],
                deletes=[(self._feed, f"{UNREAD}{scope}") for scope in sorted(marks - wanted)],
            )
            state = _State(0, int(self._now()))
            self._table.put(self._state_item(state), ABSENT)
            self._state, self._unread = state, wanted

    def write(self, steps: Iterable[Step], *, along: Callable[[], Put] | None = None) -> None:
        """Make writes and tell what they change. Raises Overtaken where a row is not what it was, or LeaseLost.

        `along` gives a write that each of the transactions makes as well.
        """
        for portion in portions(steps):
            self._write(portion, [] if along is None else [along()])

    def _write(self, steps: Sequence[Step], along: Sequence[Put]) -> None:
        with self._lock:
            self._marks()
            for _ in range(ATTEMPTS):
                actions, state = self._actions(steps)
                actions = [*actions, *along]
                try:
                    self._table.transact(actions)
                except ConditionFailed:
                    if not self._was_another_number():
                        break
                else:
                    self._state = state
                    return
            self._unread = None
            raise Overtaken("Somebody else stored what this sync was about to; it is read again.")

    def _actions(self, steps: Sequence[Step]) -> tuple[list[Action], _State | None]:
        """The transaction that makes some steps, and how far the feed is then."""
        needed = dict.fromkeys(step.needs for step in steps if step.needs is not None)
        actions: list[Action] = [*(step.action for step in steps), *(Check(key, PRESENT) for key in needed)]
        changes, state = [change for step in steps for change in step.changes], self._state
        if state is None:
            return ([*actions, Check((self._feed, STATE), ABSENT)] if self._beside_runs else actions), None
        if not changes:
            return actions, state
        changes = self._own.attributed(changes)
        # A clock that was set back must not bring entries into disorder: they are found by their time, too.
        following = _State(state.number + len(changes), max(state.noticed_at, int(self._now())))
        moved = Put(self._state_item(following), Condition(equals={"number": state.number}))
        return [*actions, *self._entries(changes, state.number, following.noticed_at), moved], following

    def _entries(self, changes: Sequence[Change], number: int, noticed_at: int) -> Iterator[Put]:
        for pack in packs(changes):
            number += len(pack)
            yield Put({
                "pk": self._changes,
                "sk": padded(number),
                "noticed_at": noticed_at,
                "sync_id": self._sync_id or None,
                "entries": pack,
                "schema_version": 1,
                "expires_at": noticed_at + KEPT_SECONDS,
            }, ABSENT)  # fmt: skip

    def _was_another_number(self) -> bool:
        """Whether it was for the number that a transaction failed; the next one takes what is there now."""
        before, self._state = self._state, _state_of(self._table.get(self._feed, STATE))
        return before is not None and self._state is not None and before.number != self._state.number

    def _marks(self) -> set[str]:
        if self._unread is None:
            rows = {item["sk"]: item for item in query_all(self._table, self._feed)}
            self._state = _state_of(rows.pop(STATE, None))
            self._unread = {sk.removeprefix(UNREAD) for sk in rows}
        return self._unread

    def _mark(self, scope: str) -> Item:
        return {"pk": self._feed, "sk": f"{UNREAD}{scope}", "schema_version": 1}

    def _state_item(self, state: _State) -> Item:
        return {"pk": self._feed, "sk": STATE, "schema_version": 1, **asdict(state)}


def _state_of(item: Item | None) -> _State | None:
    return None if item is None else _State(item["number"], item["noticed_at"])


# Sharing entries out over items, and steps over transactions; pure.


def packs(changes: Iterable[Change]) -> Iterator[list[Item]]:
    """What is stored of changes, in their order and in as many parts as items are needed."""
    pack: list[Item] = []
    left = PACK_BYTES
    for change in changes:
        told = item_of_change(change)
        if (size := size_of(told)) > MOST_BYTES_TOLD:
            told["before"] = {}  # It stands in the entry before, and an item has a limit.
            size = size_of(told)
        if pack and size > left:
            yield pack
            pack, left = [], PACK_BYTES
        pack.append(told)
        left -= size
    if pack:
        yield pack


def portions(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Share steps out over as many transactions as it takes."""
    portion: list[Step] = []
    count, size = 0.0, 0
    for step in steps:
        told = [size_of({"told": pack}) for pack in packs(step.changes)]
        # Of two items that follow each other at least one is more than half full.
        actions = 1 + (step.needs is not None) + sum(told) / (PACK_BYTES / 2)
        bytes_ = size_bytes([step.action]) + sum(told)
        if portion and (count + actions > MOST_ACTIONS - 3 or size + bytes_ > MOST_BYTES):
            yield portion
            portion, count, size = [], 0.0, 0
        portion.append(step)
        count, size = count + actions, size + bytes_
    if portion:
        yield portion
