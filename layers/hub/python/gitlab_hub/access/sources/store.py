"""What GitLab's lists of accounts tell, row by row, and how each of them was last read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gitlab_hub.access.keys import ACCOUNT_FACTS, READINGS
from gitlab_hub.access.model import Account
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.storage.ports import Item, Key, Table
from gitlab_hub.storage.rows import content_hash, item_of, query_all, value_of
from gitlab_hub.sync.ports import Row
from gitlab_hub.sync.table_rows import TableRows

READ = "read"
"""The status of a list that was read to its end when it was last asked for; any other says why it was not."""

NOT_ASKED = "not_asked"

_LISTS, _ROLES, _FIRST = "account_lists#", "role_names", "account_lists_first#"
_DOUBTED = "account_lists_doubted#"
_GONE = "gone"
_NOTHING: tuple[Any, ...] = (None, "", [], {}, "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListState:
    """How one list was last read: `at` the last try, `read_at` the last whole reading (unix seconds)."""

    place: str
    status: str
    at: int
    read_at: int | None = None
    is_new: bool = False
    """Whether what its first reading shows has not been taken over into the accounts yet."""

    @property
    def is_current(self) -> bool:
        """Whether what it told is as fresh as the list is read."""
        return self.status == READ


@dataclass(frozen=True, slots=True)
class Chunk:
    """What lists tell of some accounts in order of their ids; `last` is where the next begins, None at the end.

    `gone`: rows that told something once and do so no more; they go when the accounts are without it.
    """

    told: dict[int, dict[str, Account]]
    gone: list[Key]
    last: str | None


class SourceStore:
    """The facts of one integration. All calls block."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._integration_id = table, integration_id
        self._pk, self._readings = partition(integration_id, ACCOUNT_FACTS), partition(integration_id, READINGS)
        self._rows = TableRows(
            table,
            key=lambda place, key: (self._pk, f"{place}#{key}"),
            scope_range=lambda place: (self._pk, f"{place}#"),
            row_key=lambda sk: sk.rpartition("#")[2],
        )

    def told_of(self, place: str) -> set[int]:
        """The accounts that the list told of before."""
        return {int(key) for key, _ in self._told(place)}

    def doubted_since(self, place: str) -> int | None:
        """Since when the list is too short to be believed (unix seconds); None = it is not."""
        item = self._table.get(self._readings, f"{_DOUBTED}{place}")
        return None if item is None else int(item["at"])

    def doubt(self, place: str, at: int) -> None:
        """Note that the list is too short to be believed."""
        self._table.put({"pk": self._readings, "sk": f"{_DOUBTED}{place}", "schema_version": 1, "at": at})

    def trust(self, place: str) -> None:
        """Note that it is not so any more."""
        self._table.delete(self._readings, f"{_DOUBTED}{place}")

    def put(self, place: str, accounts: Mapping[int, Account], *, gone: Iterable[int] = ()) -> int:
        """Store what is new or changed, and mark what is not told any more; the answer counts the writes."""
        stored = dict(self._rows.stored(place))
        rows = [Row(padded(number), _told_item(account)) for number, account in accounts.items()]
        rows += [Row(padded(number), {"id": number, _GONE: True}) for number in gone]
        hashes = {row.key: content_hash(row.item) for row in rows}
        changed = [row for row in rows if stored.get(row.key) != hashes[row.key]]
        self._rows.put(place, changed, hashes, stored)
        return len(changed)

    def end(self, place: str) -> bool:
        """Mark all that a list told as not told any more: there is no such list. Whether anything is left of it."""
        self.put(place, {}, gone=[int(key) for key, _ in self._told(place)])
        return bool(self._table.query(self._pk, prefix=f"{place}#", limit=1, attributes=("sk",)).items)

    def after(self, places: Sequence[str], after: str | None, limit: int) -> Chunk:
        """Read what lists tell of the next accounts behind a key, about `limit` of them."""
        found: list[tuple[str, Item]] = []
        frontier: str | None = None
        for place in places:
            position = None if after is None else f"{place}#{after}"
            rows = self._table.query(self._pk, prefix=f"{place}#", after=position, limit=limit)
            found += [(place, item) for item in rows.items]
            if rows.last is not None:
                key = rows.last[1].rpartition("#")[2]
                frontier = key if frontier is None else min(frontier, key)
        # Behind the nearest end of a page another list may have more of an account.
        within = [one for one in found if frontier is None or padded(one[1]["id"]) <= frontier]
        told: dict[int, dict[str, Account]] = {}
        for place, item in sorted(within, key=lambda one: (one[1]["id"], one[0])):
            of_account = told.setdefault(item["id"], {})
            if _GONE not in item:
                of_account[place] = value_of(Account, item)
        gone = [(self._pk, str(item["sk"])) for _, item in within if _GONE in item]
        return Chunk(told, gone, frontier)

    def delete(self, keys: Iterable[Key]) -> None:
        """Remove rows of what is not told any more."""
        self._table.write(deletes=keys)

    def states(self) -> dict[str, ListState]:
        """How every list that was ever asked for was last read, by its place."""
        return {state.place: state for state in states(self._table, self._integration_id)}

    def keep(self, state: ListState) -> None:
        """Note how a list was read."""
        item = {"pk": self._readings, "sk": f"{_LISTS}{state.place}", "schema_version": 1, **item_of(state)}
        if state.is_new:
            self._table.put({"pk": self._readings, "sk": f"{_FIRST}{state.place}", "schema_version": 1})
        self._table.put(item)

    def drop(self, place: str) -> None:
        """Forget that there was such a list."""
        names = (f"{_LISTS}{place}", f"{_DOUBTED}{place}")
        self._table.write(deletes=[*((self._readings, name) for name in names), self.baseline_mark(place)])

    def settle(self, state: ListState) -> None:
        """The first reading of a list has been taken over: what comes up in it is news from now on."""
        self._table.delete(*self.baseline_mark(state.place))
        self.keep(replace(state, is_new=False))

    def baseline_mark(self, place: str) -> Key:
        """What is there as long as the first reading of a list is being taken over: nothing in it is news."""
        return self._readings, f"{_FIRST}{place}"

    def keep_roles(self, roles: Mapping[int, str], at: int) -> None:
        """Note the names of custom roles."""
        row = {"pk": self._readings, "sk": _ROLES, "schema_version": 1, "at": at}
        self._table.put({**row, "roles": [[number, name] for number, name in sorted(roles.items())]})

    def has_roles(self) -> bool:
        """Whether a group was invited with a custom role: only then are the names of roles of use."""
        for kind in ResourceType:
            pk = partition(self._integration_id, kind.collection)
            for item in query_all(self._table, pk, attributes=("shared_with",)):
                if any(share.get("member_role_id") is not None for share in item.get("shared_with", ())):
                    return True
        return False

    def _told(self, place: str) -> Iterator[tuple[str, str]]:
        rows = query_all(self._table, self._pk, prefix=f"{place}#", attributes=("sk", "hash", _GONE))
        return ((str(row["sk"]).rpartition("#")[2], row["hash"]) for row in rows if _GONE not in row)


def states(table: Table, integration_id: str) -> Iterator[ListState]:
    """How every list of an integration was last read."""
    for item in query_all(table, partition(integration_id, READINGS), prefix=_LISTS):
        yield value_of(ListState, item)


def role_names(table: Table, integration_id: str) -> dict[int, str]:
    """The names of custom roles, as far as the token was shown them."""
    item = table.get(partition(integration_id, READINGS), _ROLES) or {}
    return dict(item.get("roles", ()))


def _told_item(account: Account) -> Item:
    return {"id": account.id, **{name: value for name, value in item_of(account).items() if value not in _NOTHING}}
