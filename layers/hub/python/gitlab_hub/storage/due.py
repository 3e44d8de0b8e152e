"""What is to be looked at when: small rows in a partition of their own, sorted by time.

So a tick reads what is due and nothing of the rest, however much that is. A row promises a look, not that there will be
something to do. One that is early, or one too many, costs a look; one that is missing would cost the work itself. So a
row is written before or with the change that needs it, and removed only after what follows from it is stored. A walk
through everything, once an hour, adds those that are missing all the same: a release before did not write them, or a
person restored a part of the table.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from gitlab_hub.storage.ports import Condition, ConditionFailed, Item, Key, Table
from gitlab_hub.storage.rows import query_all, query_pages

PAGE = 100
AT_ONCE = 0
WALK_SECONDS = 3_600
"""How long after its beginning the walk through everything begins anew."""

PAGES_A_TICK = 10
_WALK = "WALK"

Mend = Callable[[str | None], str | None]
"""Adds the rows that are missing of the page behind a position; the answer is its last position, None at the end."""


@dataclass(frozen=True, slots=True)
class Due:
    """That a subject is to be looked at from `at` (unix seconds) on.

    `mark` says what of the subject's state asked for it: who removes a row that another change has written anew
    meanwhile, removes nothing.
    """

    subject: str
    at: int
    mark: str


class DueRows:
    """The rows of one partition. All calls block."""

    def __init__(self, table: Table, name: str) -> None:
        self._table, self._pk = table, f"DUE#{name}"

    def item(self, due: Due) -> Item:
        """Spell a row, for a write that holds other rows too."""
        pk, sk = self._key(due)
        return {"pk": pk, "sk": sk, "mark": due.mark, "schema_version": 1}

    def pages(self, now: int) -> Iterator[list[Due]]:
        """What is due by now, what waits longest first, a page at a time; one request where nothing is due."""
        pages = query_pages(self._table, self._pk, until=f"{now:010d}~", limit=PAGE)
        return (list(map(_due_of, page)) for page in pages if page)

    def every(self) -> Iterator[Due]:
        """All rows, those that are due later too, in the order of their times; for partitions that stay small."""
        return (_due_of(item) for item in query_all(self._table, self._pk) if item["sk"] != _WALK)

    def add(self, wanted: Iterable[Due]) -> None:
        """Write rows; one that is there already is written anew."""
        self._table.write(puts=[self.item(one) for one in wanted])

    def add_missing(self, wanted: Iterable[Due]) -> None:
        """Write those of at most some hundred rows that are not there."""
        keyed = {self._key(one): one for one in wanted}
        there = {(item["pk"], item["sk"]) for item in self._table.get_many(list(keyed), attributes=("pk", "sk"))}
        self.add(one for key, one in keyed.items() if key not in there)

    def drop(self, looked_at: Iterable[Due]) -> None:
        """Remove rows as they were read."""
        for one in looked_at:
            with suppress(ConditionFailed):
                self._table.delete(*self._key(one), Condition(equals={"mark": one.mark}))

    def delete(self, subject: str) -> None:
        """Remove all rows of a subject that is gone; reads the partition, so this is not for ticks."""
        for page in query_pages(self._table, self._pk, attributes=("pk", "sk")):
            mine = [(item["pk"], item["sk"]) for item in page if str(item["sk"]).endswith(f"#{subject}")]
            self._table.write(deletes=mine)

    def walk(self, mend: Mend, now: int) -> None:
        """Go on with the present walk through everything, or begin the next one; one read where none is to be done."""
        stored = self._table.get(self._pk, _WALK) or {"began_at": 0, "after": None}
        began_at, after = stored["began_at"], stored["after"]
        if after is None:
            # A beginning in the future was noted by a clock that went wrong.
            if began_at <= now < began_at + WALK_SECONDS:
                return
            began_at = now
        for _ in range(PAGES_A_TICK):
            after = mend(after)
            # Noted behind the page: a crash has it gone through again.
            self._table.put({"pk": self._pk, "sk": _WALK, "began_at": began_at, "after": after, "schema_version": 1})
            if after is None:
                return

    def _key(self, due: Due) -> Key:
        return self._pk, f"{due.at:010d}#{due.subject}"


def _due_of(item: Item) -> Due:
    at, _, subject = str(item["sk"]).partition("#")
    return Due(subject, int(at), str(item["mark"]))
