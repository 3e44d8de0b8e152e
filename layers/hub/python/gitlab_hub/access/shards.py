"""Where rows about groups and projects lie: shared out over partitions, by the group or project they are about.

DynamoDB takes 1,000 write units a second in one partition (developer guide, "DynamoDB burst and adaptive capacity"),
and a first sync writes three or more for each membership. So a collection has `SHARDS` partitions,
`<integration>#<collection>#00` and on. All rows about one group or project are in one of them, side by side, found by a
hash that stays the same over releases: another hash or number would lose sight of what is stored.

Releases before kept a collection in one partition, `<integration>#<collection>`. Whoever syncs moves its rows before it
looks at them, each in a transaction: it is in one place or the other, and nothing is told of it. Whoever reads looks
at the former place first, so that a row which moves meanwhile is seen twice rather than never, and takes it once.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from gitlab_hub.inventory.model import partition
from gitlab_hub.storage.ports import ABSENT, ConditionFailed, Delete, Item, Key, Put, Rows, Table
from gitlab_hub.sync.errors import Overtaken
from gitlab_hub.sync.table_rows import HASH, unchanged

SHARDS = 16
MOVED_AT_ONCE = 49
"""Rows in one transaction, which has a hundred actions: two for each row, and a check of the fence."""

ATTEMPTS = 5
"""How often rows are moved again that somebody else has moved or written meanwhile."""

BELIEVED_SECONDS = 60.0
"""How long a reader believes that nothing is left in the former partition: a worker of the release before may go on."""


@dataclass(frozen=True, slots=True)
class Shards:
    """Names the partitions of one collection of an integration; a scope is `<group|project>#<resource>`."""

    integration_id: str
    collection: str

    def of(self, scope: str) -> str:
        """The partition that has everything about one group or project."""
        return self._name(blake2b(scope.encode(), digest_size=1).digest()[0] % SHARDS)

    def key(self, scope: str, key: str) -> Key:
        """The key of one row."""
        return self.of(scope), f"{scope}#{key}"

    @property
    def former(self) -> str:
        """The partition that had everything."""
        return partition(self.integration_id, self.collection)

    @property
    def every(self) -> list[str]:
        """All partitions, without the former one."""
        return [self._name(number) for number in range(SHARDS)]

    def holds(self, pk: str) -> bool:
        """Whether a row that lies in this partition belongs to the collection."""
        return pk == self.former or pk.startswith(f"{self.former}#")

    def _name(self, number: int) -> str:
        return f"{self.former}#{number:02}"


def _scope_of(sk: str) -> str:
    return sk.rpartition("#")[0]


class FormerRows:
    """What is left of a collection where the release before kept it, for whoever syncs. All calls block."""

    def __init__(self, table: Table, shards: Shards) -> None:
        self._table, self._shards = table, shards
        self._are_gone = False

    def move(self, scopes: Sequence[str]) -> None:
        """Move the rows of sorted scopes, and of what lies between them. Raises Overtaken where a rival goes on."""
        if scopes and not self._gone():
            self._move(f"{scopes[0]}#", f"{scopes[-1]}#~")

    def move_all(self) -> None:
        """Move whatever is left: what is never read any more was never looked at."""
        if not self._gone():
            self._move(None, None)

    def _gone(self) -> bool:
        self._are_gone = self._are_gone or not self._table.query(self._shards.former, limit=1).items
        return self._are_gone

    def _move(self, first: str | None, last: str | None) -> None:
        setbacks = 0
        while rows := self._table.query(self._shards.former, after=first, until=last, limit=MOVED_AT_ONCE).items:
            try:
                self._table.transact(self._actions(rows))
            except ConditionFailed:
                setbacks += 1
                if setbacks == ATTEMPTS:
                    raise Overtaken("Somebody else is moving these rows; they are read again.") from None

    def _actions(self, rows: Sequence[Item]) -> list[Put | Delete]:
        places = {row["sk"]: self._shards.of(_scope_of(row["sk"])) for row in rows}
        # What is there already was read later than what the release before has left.
        found = self._table.get_many([(pk, sk) for sk, pk in places.items()], attributes=("sk",))
        known = {item["sk"] for item in found}
        moved = [Put({**row, "pk": places[row["sk"]]}, ABSENT) for row in rows if row["sk"] not in known]
        return [*moved, *(Delete((row["pk"], row["sk"]), unchanged(row.get(HASH))) for row in rows)]


class ShardReader:
    """Collections as those read them who answer questions. All calls block."""

    def __init__(self, table: Table, clock: Callable[[], float] = time.monotonic) -> None:
        self._table, self._clock = table, clock
        self._looked: dict[str, float] = {}

    def has_former(self, shards: Shards) -> bool:
        """Whether some rows were not moved yet; that there are none is believed for a while."""
        now = self._clock()
        if now - self._looked.get(shards.former, -BELIEVED_SECONDS) < BELIEVED_SECONDS:
            return False
        if self._table.query(shards.former, limit=1, attributes=("sk",)).items:
            return True
        self._looked[shards.former] = now
        return False

    def page(self, shards: Shards, scope: str, *, prefix: str, after: str | None, limit: int) -> Rows:
        """One page of the rows about one group or project, in order of their sort keys."""
        former = Rows([], None)
        if self.has_former(shards):
            former = self._table.query(shards.former, prefix=prefix, after=after, limit=limit)
        rows = self._table.query(shards.of(scope), prefix=prefix, after=after, limit=limit)
        return _merged(former, rows, limit) if former.items else rows

    def of_scope(self, shards: Shards, scope: str, *, after: str | None, limit: int) -> Iterator[Item]:
        """The rows about one group or project behind a sort key, read page by page as they are taken."""
        while True:
            rows = self.page(shards, scope, prefix=f"{scope}#", after=after, limit=limit)
            yield from rows.items
            if rows.last is None:
                return
            after = rows.last[1]

    def get_many(self, shards: Shards, wanted: Sequence[tuple[str, str]], beside: Sequence[Key] = ()) -> list[Item]:
        """Read rows by scope and key, and items of other partitions; of two that are one row the later counts."""
        former: list[Item] = []
        if wanted and self.has_former(shards):
            former = self._table.get_many([(shards.former, f"{scope}#{key}") for scope, key in wanted])
        return former + self._table.get_many([*(shards.key(scope, key) for scope, key in wanted), *beside])

    def listing(self, shards: Shards, attributes: Sequence[str] = ()) -> "Listing":
        """All rows of a collection."""
        return Listing(self._table, shards, attributes, has_former=self.has_former(shards))

    def pages(self, shards: Shards, *attributes: str) -> Iterator[list[Item]]:
        """All rows of a collection page by page, as they are asked for; a page may be empty."""
        listing, after = self.listing(shards, attributes), None
        while True:
            rows = listing.query(after, None)
            yield rows.items
            if rows.last is None:
                return
            after = rows.last[1]


FORMER = -1
"""Stands for the former partition among the numbers of the others."""


class Listing:
    """All rows of a collection, one partition after the other; what is about one group or project stays together.

    A position is `<number of the partition>|<sort key>`; without a number it lies in the former partition, as one that
    the release before gave out does.
    """

    def __init__(self, table: Table, shards: Shards, attributes: Sequence[str], *, has_former: bool) -> None:
        self._table, self._shards = table, shards
        self._attributes = ("sk", *attributes) if attributes else ()
        self._first = FORMER if has_former else 0
        self._taken: set[str] = set()

    def query(self, after: str | None, limit: int | None) -> Rows:
        """One page, all of one partition; `last` has the position behind it."""
        number, sk = (self._first, "") if after is None else _opened(after)
        pk = self._shards.former if number == FORMER else self._shards.every[number]
        rows = self._table.query(pk, after=sk or None, limit=limit, attributes=self._attributes)
        items = [item for item in rows.items if item["sk"] not in self._taken]
        if number == FORMER:
            self._taken.update(item["sk"] for item in items)
        if rows.last is not None:
            return Rows(items, (pk, _position(number, rows.last[1])))
        return Rows(items, (pk, _position(number + 1, "")) if number + 1 < SHARDS else None)

    def position(self, item: Item) -> str:
        """The position behind a row."""
        number = item["pk"].removeprefix(self._shards.former).removeprefix("#")
        return _position(int(number) if number else FORMER, item["sk"])


def _position(number: int, sk: str) -> str:
    return sk if number == FORMER else f"{number:02}|{sk}"


def _opened(position: str) -> tuple[int, str]:
    number, mark, sk = position.partition("|")
    return (int(number), sk) if mark else (FORMER, position)


def _merged(former: Rows, rows: Rows, limit: int) -> Rows:
    """One page of two, as far as both go; a row that is in both counts as it was moved."""
    end = min((one.last for one in (former, rows) if one.last is not None), key=lambda last: last[1], default=None)
    found = {item["sk"]: item for item in (*former.items, *rows.items)}
    kept = [found[sk] for sk in sorted(found) if end is None or sk <= end[1]]
    page = kept[:limit]
    return Rows(page, (page[-1]["pk"], page[-1]["sk"]) if len(page) < len(kept) else end)
