"""`leavers.csv`: who has left, and for how long access outlived that. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from gitlab_hub.access.changes.model import ChangeKind, Entry, State
from gitlab_hub.access.history.model import Snapshot
from gitlab_hub.access.keys import GRANTS
from gitlab_hub.access.model import AccountStatus
from gitlab_hub.access.reviews.table import SOURCE_SYSTEM
from gitlab_hub.csv_lines import csv_line, time
from gitlab_hub.storage.ports import Item

COLUMNS = (
    "snapshot_at", "source_system", "completeness", "account_id", "username", "name", "account_kind", "left_at",
    "left_as", "last_grant_removed_at", "minutes_between", "grants_left",
)  # fmt: skip

REMOVED, DISABLED = "removed", "disabled"


@dataclass(frozen=True, slots=True)
class Leaver:
    """An account that is disabled, or gone, since `at` (unix seconds); `known`: what the feed told of it then."""

    at: int
    how: str
    known: State


_Grant = tuple[int, str, int]
"""An account, and the type and id of what it was given."""


@dataclass(slots=True)
class Leavers:
    """Who has left, by account, as the change feed tells it; an account that came back has not.

    `since`: only who left then or later (unix seconds). `behind`: the number of the feed that a snapshot is of, None
    before the feed began; what was given and taken after it is told by the feed alone.
    """

    since: int | None = None
    behind: int | None = None
    left: dict[int, Leaver] = field(default_factory=dict)
    last_removed: dict[int, int] = field(default_factory=dict)
    """When the last grant of an account was removed, as far as the feed was read."""
    later: dict[_Grant, bool] = field(default_factory=dict)
    """Whether a grant is there, of those that changed after the snapshot."""

    def take(self, entry: Entry) -> None:
        """Take in one entry; they come in their order."""
        change, account = entry.change, entry.change.account_id
        if account is None:
            return
        if change.resource is not None and entry.number > (self.behind or 0):
            # Again what the snapshot may have already, if it changed while that was read.
            self._take_later((account, str(change.resource["type"]), change.resource["id"]), change.kind)
        if self.since is not None and entry.noticed_at < self.since:
            return
        at = entry.noticed_at if change.at is None else change.at
        match change.kind:
            case ChangeKind.GRANT_REMOVED:
                self.last_removed[account] = at
            case ChangeKind.ACCOUNT_ADDED:
                self.left.pop(account, None)
            case ChangeKind.ACCOUNT_REMOVED:
                before = self.left.get(account) or Leaver(at, REMOVED, {})
                self.left[account] = replace(before, how=REMOVED, known=change.before or {})
            case ChangeKind.ACCOUNT_CHANGED:
                self._take_change(account, at, change.before or {}, change.after or {})

    def _take_later(self, grant: _Grant, kind: ChangeKind) -> None:
        if kind in {ChangeKind.GRANT_ADDED, ChangeKind.GRANT_REMOVED}:
            self.later[grant] = kind is ChangeKind.GRANT_ADDED

    def _take_change(self, account: int, at: int, before: State, after: State) -> None:
        if after.get("status") != AccountStatus.DISABLED:
            self.left.pop(account, None)
        elif before.get("status") != AccountStatus.DISABLED:
            self.left[account] = Leaver(at, DISABLED, after)
        elif account in self.left:
            self.left[account] = replace(self.left[account], known=after)

    def lines(self, snapshot: Snapshot, rows: Iterable[tuple[str, Item]]) -> Iterator[str]:
        """The file line by line, in the order in which they left; `rows` are those of the snapshot."""
        held = {
            (item["account_id"], str(item["resource_type"]), item["resource_id"])
            for section, item in rows
            if section == GRANTS and item["account_id"] in self.left
        }
        given = {grant for grant, is_there in self.later.items() if is_there and grant[0] in self.left}
        grants = Counter(account for account, *_ in (held - self.later.keys()) | given)
        yield csv_line(COLUMNS)
        for account, leaver in sorted(self.left.items(), key=lambda one: (one[1].at, one[0])):
            removed = None if grants[account] else self.last_removed.get(account)
            outlived = None if grants[account] else max(0, (removed or leaver.at) - leaver.at) // 60
            yield csv_line([
                time(snapshot.taken_at),
                SOURCE_SYSTEM,
                "complete" if snapshot.complete else "incomplete",
                account,
                leaver.known.get("username"),
                leaver.known.get("name"),
                leaver.known.get("kind"),
                time(leaver.at),
                leaver.how,
                time(removed),
                outlived,
                grants[account],
            ])  # fmt: skip
