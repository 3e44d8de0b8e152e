"""The feed as it is read, and a replay of it onto a baseline, compared with what is stored.

The replay is written from the description in `access/changes/model.py` alone.
"""

from typing import Any

from gitlab_hub.access.changes.model import Entry
from gitlab_hub.access.changes.reader import ChangeFilter, ChangeReader
from gitlab_hub.storage.ports import Item, Table
from tests.fakes.table import MemoryTable

View = dict[str, dict[Any, Any]]
"""accounts, grants, shares and resources by their keys, with the fields that are told of them."""

ACCOUNT = ("username", "name", "kind", "status", "state", "emails", "identities", "is_admin", "external")
GRANT = ("access_level", "member_role", "expires_at", "membership_state")
SHARE = ("access_level", "expires_at", "member_role_id")
RESOURCE = ("full_path", "name", "parent_id", "visibility", "archived")


def told(table: Table, *, after: int = 0) -> list[Entry]:
    """All entries behind a number, read in small pages."""
    entries: list[Entry] = []
    while True:
        page = ChangeReader(table).page("i1", ChangeFilter(), after=after, limit=7)
        entries, after = entries + page.entries, page.position
        if not page.has_more:
            return entries


def brief(entries: list[Entry]) -> list[tuple[Any, ...]]:
    """What happened to what: kind, and the resource or account or both."""
    found = []
    for entry in entries:
        change, place = entry.change, entry.change.resource
        where = () if place is None else (f"{place['type']} {place['id']}",)
        found.append((str(change.kind), *where, *(() if change.account_id is None else (change.account_id,))))
    return found


def stored(table: MemoryTable) -> View:
    """What is stored, in the names of the API."""
    view: View = {"accounts": {}, "grants": {}, "shares": {}, "resources": {}}
    for row in table.dump():
        match "#".join(row["pk"].split("#")[:2]):  # without the shard
            case "i1#accounts":
                view["accounts"][row["id"]] = _some(row, ACCOUNT)
            case "i1#grants":
                key = (row["resource_type"], row["resource_id"], row["account_id"])
                view["grants"][key] = _some({**row, "expires_at": row["ends_at"]}, GRANT)
            case "i1#groups" | "i1#projects":
                place = (row["pk"][3:-1], row["id"])
                view["resources"][place] = _some(row, RESOURCE)
                for share in row["shared_with"]:
                    view["shares"][*place, share["group_id"]] = _some({**share, "expires_at": share["ends_at"]}, SHARE)
    return view


def replayed(baseline: View, entries: list[Entry]) -> View:
    """The baseline with everything that was told since."""
    replay = _Replay(baseline)
    for entry in entries:
        replay.take(entry)
    resources = {place: _some({**row, "full_path": replay.path(place)}, RESOURCE) for place, row in replay.resources}
    return {**replay.view, "resources": resources}


class _Replay:
    def __init__(self, baseline: View) -> None:
        self.view: View = {name: dict(rows) for name, rows in baseline.items()}
        rows = self.view["resources"].items()
        self.view["resources"] = {place: {"follows_parent": True, **row} for place, row in rows}

    @property
    def resources(self) -> list[tuple[Any, Any]]:
        return list(self.view["resources"].items())

    def take(self, entry: Entry) -> None:
        change = entry.change
        what, _, how = str(change.kind).partition("_")
        place = None if change.resource is None else (str(change.resource["type"]), change.resource["id"])
        rows = self.view[f"{what}s"]
        key: Any
        fields: tuple[str, ...]
        match what:
            case "account":
                key, fields = change.account_id, ACCOUNT
            case "grant":
                key, fields = (*(place or ()), change.account_id), GRANT
            case "share":
                key, fields = (*(place or ()), (change.after or change.before or {})["group_id"]), SHARE
            case _:
                key, fields = place, (*RESOURCE, "follows_parent")
        if change.after is not None:
            rows[key] = {**rows.get(key, {}), **_some(change.after, fields)}
        else:
            if what == "resource":
                self._freeze(place)
            rows.pop(key)
        assert (change.before is None) == (how == "added")

    def path(self, place: Any) -> str:
        """Where something lies, by its group where it follows that."""
        row = self.view["resources"][place]
        group = ("group", row["parent_id"])
        if row["follows_parent"] and group in self.view["resources"]:
            return f"{self.path(group)}/{row['full_path'].rpartition('/')[2]}"
        return str(row["full_path"])

    def _freeze(self, group: Any) -> None:
        inside = [place for place, row in self.resources if ("group", row["parent_id"]) == group]
        paths = {place: self.path(place) for place in inside}
        for place, path in paths.items():
            self.view["resources"][place] = {**self.view["resources"][place], "full_path": path}


def _some(row: Item, names: tuple[str, ...]) -> Item:
    return {name: row[name] for name in names if name in row}
