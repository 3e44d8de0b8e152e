"""What is kept of the access state of one day. Pure; times are unix seconds, days are ISO dates in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from gitlab_hub.access.changes.differences import APART
from gitlab_hub.access.keys import ACCOUNTS, GRANTS, OUTSIDE_GRANTS, OUTSIDE_GROUPS
from gitlab_hub.inventory.model import ResourceType

KEPT_DAYS = 400
"""As long as the change feed: an auditor's year, and a month for the audit."""

DAY = 86_400

_ACCOUNT = (
    "id", "username", "name", "kind", "status", "state", "emails", "identities", "is_admin", "is_auditor", "external",
    "two_factor_enabled", "last_sign_in_at", "last_activity_on", "activity_source",
)  # fmt: skip
_RESOURCE = (
    "id", "full_path", "name", "parent_id", "visibility", "archived", "shared_with", "share_with_group_lock",
    "membership_lock", "marked_for_deletion_on", "owner_id", APART,
)  # fmt: skip
_GRANT = (
    "account_id", "resource_type", "resource_id", "access_level", "member_role", "ends_at", "granted_at", "granted_by",
    "membership_state",
)  # fmt: skip

SECTIONS: Mapping[str, tuple[str, ...]] = {
    ACCOUNTS: _ACCOUNT,
    ResourceType.GROUP.collection: _RESOURCE,
    ResourceType.PROJECT.collection: _RESOURCE,
    OUTSIDE_GROUPS: _RESOURCE,
    GRANTS: _GRANT,
    OUTSIDE_GRANTS: _GRANT,
}
"""The collections of a snapshot in their order, and the attributes that are kept of each row."""

UNTOLD: Mapping[str, tuple[str, ...]] = {
    ACCOUNTS: ("last_sign_in_at", "last_activity_on", "activity_source"),
    ResourceType.GROUP.collection: ("owner_id",),
    ResourceType.PROJECT.collection: ("owner_id",),
    GRANTS: ("granted_at", "granted_by"),
    OUTSIDE_GROUPS: _RESOURCE,
    OUTSIDE_GRANTS: _GRANT,
}
"""What snapshots hold and the change feed does not tell (beside the paths of invited groups in shares): what moves
every day by itself, who gave a membership and when where that alone is another, and groups outside of the integration.
All else in a snapshot is given by the feed, replayed onto an earlier one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Where the state of one day lies, and what it is of.

    It is of the run `sync_id` and was read from `taken_at` on. `feed_from` and `feed_to` are the numbers of the change
    feed before and after it was read: a replay from `feed_from` on gives every later state. `state` is a digest that
    changes with the state. `unread` counts, by stage, what the run could not read; `rows` and `hashes` have the number
    of rows of each section, and their SHA-256. `previous` is the hash of the population file before this one.
    """

    day: str
    taken_at: int
    sync_id: str
    synced_at: int
    key: str
    size: int
    sha256: str
    state: str
    complete: bool
    feed_from: int | None
    feed_to: int | None
    unread: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    previous: str | None = None
    population: str | None = None
    """`population.csv` as it was made with the snapshot; None in those of releases that did not keep it."""
    version: int = 1

    @property
    def name(self) -> str:
        """What tells it from others of its day."""
        return self.key.rpartition("/")[2].partition(".")[0]


def day_of(moment: float) -> str:
    """The UTC day of a moment."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def end_of(day: str) -> int:
    """The last second of a day."""
    return int(datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).timestamp()) + DAY - 1


def first_kept(now: float) -> str:
    """The oldest day of which something is kept."""
    return (datetime.fromtimestamp(now, UTC).date() - timedelta(days=KEPT_DAYS)).isoformat()


# Where objects lie in the bucket.


def snapshots_prefix(integration_id: str, day: str = "") -> str:
    """What the keys of an integration's snapshots begin with, of one day or of all."""
    return f"{integration_id}/access/{day}/" if day else f"{integration_id}/access/"


def files_prefix(integration_id: str) -> str:
    """What the keys of the files made for auditors begin with; they are not kept for long."""
    return f"files/{integration_id}/"


def snapshot_key(integration_id: str, day: str, taken_at: int, writer: str) -> str:
    """The key of a snapshot. No two writers share one: what is there never changes, and none removes another's."""
    return f"{snapshots_prefix(integration_id, day)}{taken_at:010d}-{writer}.jsonl.gz"
