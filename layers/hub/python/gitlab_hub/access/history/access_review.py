"""`access-review.csv`: everybody's access to everything, as one snapshot has it. Pure but for what it iterates over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple

from gitlab_hub.access.effective.graph import Node
from gitlab_hub.access.effective.paths import GrantKind
from gitlab_hub.access.effective.reader import grants_in
from gitlab_hub.access.history.model import Snapshot
from gitlab_hub.access.history.state import State
from gitlab_hub.access.model import Account
from gitlab_hub.access.reviews.model import Item
from gitlab_hub.access.reviews.snapshot import item_of_grant
from gitlab_hub.access.reviews.table import COLUMNS
from gitlab_hub.csv_lines import cell, cells_line, csv_line

EVERYONE = "everyone"
_NAMES = {"internal": "everyone who is signed in", "public": "everyone, signed in or not"}

Decided = Mapping[tuple[int, str, int], "Decision"]
"""The last decision about an account's access to a group or project, by (account, type, resource)."""

_DEPEND_ON = {
    "account": (
        "account_id", "username", "name", "email", "email_source", "account_kind", "account_status", "two_factor",
        "external", "last_sign_in_at", "last_activity_on", "activity_source",
    ),
    "resource": ("resource_type", "resource_id", "resource_path", "visibility"),
    "day": ("snapshot_at", "source_system", "remediation_plan_id", "remediated_at"),
    "decision": ("review_id", "reviewer", "decision", "decision_at", "comment"),
}  # fmt: skip
"""What the cells of some columns depend on, alone: they are spelled once for all rows that have it in common."""

_NOBODYS = ("account_id", "account_kind", "account_status", "role", "access_level", "privileged", "overdue")
"""What stays empty where the access is everyone's: no membership gives it, and no level is said of it."""


class Decision(NamedTuple):
    """What people decided about an access, and in which review."""

    review_id: str
    item: Item


@dataclass(frozen=True, slots=True)
class _Day:
    """What a row was taken from, as columns ask for it."""

    id: str
    snapshot_at: int
    complete: bool


_KINDS = {name: kind for kind, names in _DEPEND_ON.items() for name in names}
_PARTS = [(kind, tuple(names)) for kind, names in groupby(COLUMNS, key=lambda name: _KINDS.get(name, "access"))]
"""The columns in their order, side by side where their cells depend on the same."""


def review_lines(
    integration_id: str, snapshot: Snapshot, state: State, decided: Decided, group_id: int | None = None
) -> Iterator[str]:
    """The file line by line: by group, then by project, each first with everyone, then in order of account ids.

    `group_id`: only this group, and everything below it.
    """
    yield csv_line(COLUMNS)
    rows = _Rows(snapshot, decided)
    for node in state.covered:
        if group_id is not None and not state.is_below(node, group_id):
            continue
        if node.visibility in _NAMES:
            yield rows.everyone(node)
        for grant in grants_in(state, integration_id, state.graph, node):
            if grant.access.paths:
                account = state.accounts.get(grant.account_id) or Account(id=grant.account_id)
                yield rows.of(item_of_grant("", grant, account, now=snapshot.taken_at))


class _Rows:
    """Spells rows, and remembers what was spelled of accounts, and of the group or project under way."""

    def __init__(self, snapshot: Snapshot, decided: Decided) -> None:
        self._day, self._decided = _Day("", snapshot.taken_at, snapshot.complete), decided
        self._accounts: dict[int, list[list[str]]] = {}
        self._resource: tuple[tuple[str, int], list[list[str]]] = (("", 0), [])
        self._same: dict[str, list[list[str]]] = {}

    def of(self, item: Item) -> str:
        """The line of one access."""
        decision = self._decided.get((item.account_id, item.resource_type, item.resource_id))
        parts = {
            "account": iter(self._of_account(item)),
            "resource": iter(self._of_resource(item)),
            "day": iter(self._of_all("day", item)),
            "decision": iter(self._of_all("decision", item) if decision is None else self._of_decision(item, decision)),
        }
        row: list[str] = []
        for kind, names in _PARTS:
            row += _cells(names, self._day, item) if kind == "access" else next(parts[kind])
        return cells_line(row)

    def everyone(self, node: Node) -> str:
        """The line of a group or project that can be read without any membership."""
        item = Item(
            id="",
            account_id=0,
            username=EVERYONE,
            name=_NAMES[node.visibility or ""],
            resource_type=str(node.place.type),
            resource_id=node.place.id,
            full_path=node.full_path,
            visibility=node.visibility,
            access_level=0,
            kind=str(GrantKind.IMPLIED),
        )
        return cells_line(["" if name in _NOBODYS else _cell(name, self._day, item) for name in COLUMNS])

    def _of_account(self, item: Item) -> list[list[str]]:
        if (known := self._accounts.get(item.account_id)) is None:
            known = self._accounts[item.account_id] = self._spelled("account", item)
        return known

    def _of_resource(self, item: Item) -> list[list[str]]:
        if self._resource[0] != (item.resource_type, item.resource_id):
            self._resource = ((item.resource_type, item.resource_id), self._spelled("resource", item))
        return self._resource[1]

    def _of_all(self, kind: str, item: Item) -> list[list[str]]:
        """The cells of every row, or of every one without a decision."""
        if kind not in self._same:
            self._same[kind] = self._spelled(kind, item)
        return self._same[kind]

    def _of_decision(self, item: Item, decision: Decision) -> list[list[str]]:
        fields: Any = decision.item.current
        decided = replace(item, **fields)
        return self._spelled("decision", decided, replace(self._day, id=decision.review_id))

    def _spelled(self, kind: str, item: Item, day: _Day | None = None) -> list[list[str]]:
        return [_cells(names, day or self._day, item) for one, names in _PARTS if one == kind]


def _cells(names: tuple[str, ...], day: _Day, item: Item) -> list[str]:
    return [_cell(name, day, item) for name in names]


def _cell(name: str, day: _Day, item: Item) -> str:
    return cell(COLUMNS[name](day, item))
