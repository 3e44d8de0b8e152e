"""What the change feed holds: one change per difference between two stored states of one thing.

States have the names that the API shows. Times are unix seconds.

A replay starts from the state at the first entry and takes the entries in order: `…_added`, `…_changed` and
`resource_moved` put what `after` says in the place of what was there, `…_removed` takes it away. One thing is not told,
as it follows from others: the paths of what lies in a group that is renamed or moved.

- A group or project whose state has `follows_parent` lies at its group's path, a slash, and the last part of its own
  `full_path`, for as long as that group (`parent_id`) is there. In the state that a replay starts from all do so.
- When the group is removed, whatever lay in it keeps the path that it had then, until it is told another.
- One whose `follows_parent` is false has the path that it was told, whatever its group is called.

The paths of invited groups inside shares follow the groups themselves, and are not compared.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, TypedDict

from gitlab_hub.inventory.model import ResourceType

State = dict[str, Any]


class ChangeKind(StrEnum):
    """What happened to what."""

    ACCOUNT_ADDED = "account_added"
    ACCOUNT_REMOVED = "account_removed"
    ACCOUNT_CHANGED = "account_changed"
    GRANT_ADDED = "grant_added"
    GRANT_REMOVED = "grant_removed"
    GRANT_CHANGED = "grant_changed"
    SHARE_ADDED = "share_added"
    SHARE_REMOVED = "share_removed"
    SHARE_CHANGED = "share_changed"
    RESOURCE_ADDED = "resource_added"
    RESOURCE_REMOVED = "resource_removed"
    RESOURCE_MOVED = "resource_moved"
    RESOURCE_CHANGED = "resource_changed"


ADDITIONS = frozenset({
    ChangeKind.ACCOUNT_ADDED, ChangeKind.GRANT_ADDED, ChangeKind.SHARE_ADDED, ChangeKind.RESOURCE_ADDED,
})  # fmt: skip


class Author(StrEnum):
    """Who made a change: the hub itself, or somebody in GitLab."""

    HUB = "hub"
    GITLAB = "gitlab"


class Place(TypedDict):
    """A group or project, and its path when the change was noticed; None where it was not known."""

    type: ResourceType
    id: int
    full_path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference. `before` is None for what came up, `after` for what is gone."""

    kind: ChangeKind
    account_id: int | None = None
    resource: Place | None = None
    before: State | None = None
    after: State | None = None
    at: int | None = None
    """When it happened, as far as GitLab tells."""
    audit_id: str | None = None
    """The line of the audit log about it, where the hub itself has made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A change as the feed tells it. Numbers go up by one from entry to entry, and `noticed_at` never goes down."""

    number: int
    noticed_at: int
    sync_id: str | None
    """The run that noticed it; None where that was a hint between runs."""
    by: Author
    audit_id: str | None
    change: Change


def item_of_change(change: Change) -> dict[str, Any]:
    """Turn a change into what is stored of it."""
    told = {**asdict(change), "kind": str(change.kind)}
    if change.audit_id is None:
        del told["audit_id"]
    if change.resource is not None:
        told["resource"] = {**change.resource, "type": str(change.resource["type"])}
    return told


def change_of(item: Mapping[str, Any]) -> Change:
    """Read a change back from what is stored of it."""
    place = item["resource"]
    return Change(
        kind=ChangeKind(item["kind"]),
        account_id=item["account_id"],
        resource=None
        if place is None
        else Place(type=ResourceType(place["type"]), id=place["id"], full_path=place["full_path"]),
        before=item["before"],
        after=item["after"],
        at=item["at"],
        audit_id=item.get("audit_id"),
    )
