"""Two stored states of one account, grant, group or project, and the changes between them. Pure.

States are compared as they are stored, field by field, and only those fields that both have: what an older release did
not keep has not changed. Fields that change by themselves every day (sign-ins, activity) are no part of it.
"""

from collections.abc import Mapping
from typing import Any

from gitlab_hub.access.changes.model import Change, ChangeKind, Place, State
from gitlab_hub.inventory.model import ResourceType, Share
from gitlab_hub.storage.ports import Item

_ACCOUNT = dict.fromkeys((
    "username", "name", "kind", "status", "state", "emails", "identities",
    "is_admin", "is_auditor", "external", "two_factor_enabled",
))  # fmt: skip
_GRANT: dict[str, str | None] = {
    "access_level": None, "member_role": None, "ends_at": "expires_at", "membership_state": None,
}  # fmt: skip
_GRANTED = dict.fromkeys(("granted_at", "granted_by"))
"""When a membership began and who gave it; told with it, and no change of what it gives."""
_SHARE: dict[str, str | None] = {"access_level": None, "ends_at": "expires_at", "member_role_id": None}
_PLACE = dict.fromkeys(("full_path", "name", "parent_id"))
_RESOURCE = dict.fromkeys(
    ("visibility", "archived", "membership_lock", "share_with_group_lock", "marked_for_deletion_on")
)
_LOCKS = ("membership_lock", "share_with_group_lock")
_WHOLE = {**_PLACE, **_RESOURCE}

FOLLOWS = "follows_parent"
APART = "apart"
"""Marks a stored group or project whose path was told, because that of its group did not explain it."""

_UNKNOWN: tuple[Any, ...] = (None, "", "unknown", [])


def account_changes(before: Item | None, after: Item | None) -> list[Change]:
    """Compare two states of an account; None where there is none."""
    number = (after or before or {})["id"]
    old, new = _state(before, _ACCOUNT), _state(after, _ACCOUNT)
    kinds = (ChangeKind.ACCOUNT_ADDED, ChangeKind.ACCOUNT_REMOVED, ChangeKind.ACCOUNT_CHANGED)
    kind = _kind(old, new, kinds)
    return [] if kind is None else [Change(kind=kind, account_id=number, before=old, after=new)]


def grant_changes(before: Item | None, after: Item | None, full_path: str | None = None) -> list[Change]:
    """Compare two states of a grant in a resource that has this path.

    A membership tells when it began (`created_at`, lib/api/entities/member.rb); of nothing else GitLab says since when.
    """
    some = after or before or {}
    kinds = (ChangeKind.GRANT_ADDED, ChangeKind.GRANT_REMOVED, ChangeKind.GRANT_CHANGED)
    kind = _kind(_state(before, _GRANT), _state(after, _GRANT), kinds)
    if kind is None:
        return []
    place = Place(type=ResourceType(some["resource_type"]), id=some["resource_id"], full_path=full_path)
    return [
        Change(
            kind=kind,
            account_id=some["account_id"],
            resource=place,
            before=_state(before, _GRANT | _GRANTED),
            after=_state(after, _GRANT | _GRANTED),
            at=some.get("granted_at") if kind is ChangeKind.GRANT_ADDED else None,
        )
    ]


def resource_changes(
    kind: ResourceType, before: Item | None, after: Item | None, parent_path: str | None
) -> list[Change]:
    """Compare two states of a group or project with its shares.

    `parent_path` is the path of its group as that is stored, None where it is not. A path that only changed because the
    group's did is not told: GitLab puts the group's new path in front of all that lie below (app/models/route.rb,
    `rename_descendants`), so the group's own change tells it.
    """
    some = after or before or {}
    place = Place(type=kind, id=some["id"], full_path=some["full_path"])
    shares = _share_changes(place, _shares(before), _shares(after))
    if after is None:
        gone = Change(kind=ChangeKind.RESOURCE_REMOVED, resource=place, before=_state(before, _WHOLE))
        return [*shares, gone]
    follows = parent_path is None or bool(after["full_path"].rpartition("/")[0] == parent_path)
    if before is None:
        state = {**(_state(after, _WHOLE) or {}), FOLLOWS: follows}
        return [Change(kind=ChangeKind.RESOURCE_ADDED, resource=place, after=state), *shares]
    changes = []
    has_another_path = before["full_path"] != after["full_path"]
    is_explained = parent_path is not None and follows and not before.get(APART)
    if has_moved(before, after) or (has_another_path and not is_explained):
        state = {**(_state(after, _PLACE) or {}), FOLLOWS: follows}
        changes = [Change(kind=ChangeKind.RESOURCE_MOVED, resource=place, before=_state(before, _PLACE), after=state)]
    old, new = _state(before, _RESOURCE), _state(after, _RESOURCE)
    if _differ(old, new):
        changes.append(Change(kind=ChangeKind.RESOURCE_CHANGED, resource=place, before=old, after=new))
    return [*changes, *shares]


def has_moved(before: Item, after: Item) -> bool:
    """Whether a group or project itself was renamed or moved, and not only what it lies in."""
    old, new = ((item["full_path"].rpartition("/")[2], item["name"], item.get("parent_id")) for item in (before, after))
    return bool(old != new)


def only_became_known(change: Change) -> bool:
    """Whether a change of an account is only that fields show which could not be seen before."""
    before, after = change.before or {}, change.after or {}
    return all(before[name] in _UNKNOWN or before[name] == after.get(name) for name in before)


def is_apart(before: Item | None, changes: list[Change]) -> bool:
    """Whether the path of a stored group or project is, from these changes on, not the one its group explains."""
    told = [change.after for change in changes if change.after is not None and FOLLOWS in change.after]
    return not told[-1][FOLLOWS] if told else bool(before and before.get(APART))


def _share_changes(place: Place, before: dict[int, Share], after: dict[int, Share]) -> list[Change]:
    kinds = (ChangeKind.SHARE_ADDED, ChangeKind.SHARE_REMOVED, ChangeKind.SHARE_CHANGED)
    changes = []
    for group in sorted(before.keys() | after.keys()):
        old, new = before.get(group), after.get(group)
        kind = _kind(_state(old, _SHARE), _state(new, _SHARE), kinds)
        if kind is not None:
            changes.append(Change(kind=kind, resource=place, before=_share_state(old), after=_share_state(new)))
    return changes


def _share_state(share: Share | None) -> State | None:
    return _state(share, {"group_id": None, "full_path": None, **_SHARE})


def _shares(item: Item | None) -> dict[int, Share]:
    return {share["group_id"]: share for share in (item or {}).get("shared_with", ())}


def _state(item: Mapping[str, Any] | None, names: Mapping[str, str | None]) -> State | None:
    if item is None:
        return None
    known = {name: shown or name for name, shown in names.items() if name in item and not _is_unknown(name, item)}
    return {shown: item[name] for name, shown in known.items()}


def _is_unknown(name: str, item: Mapping[str, Any]) -> bool:
    """Whether GitLab has not told a lock: one that it tells later has not changed by that."""
    return name in _LOCKS and item[name] is None


def _kind(
    before: State | None, after: State | None, kinds: tuple[ChangeKind, ChangeKind, ChangeKind]
) -> ChangeKind | None:
    added, removed, changed = kinds
    if before is None:
        return added
    if after is None:
        return removed
    return changed if _differ(before, after) else None


def _differ(before: State | None, after: State | None) -> bool:
    old, new = before or {}, after or {}
    return any(old[name] != new[name] for name in old.keys() & new.keys())
