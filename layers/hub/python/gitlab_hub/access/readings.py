"""When what not every run reads was read: whole, and how far the round under way is."""

from dataclasses import asdict, dataclass

from gitlab_hub.access.keys import READINGS, invitations_stage
from gitlab_hub.access.rounds import Round
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import value_of
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.scope_list import ScopeList

_ROUND = "round#"


class Readings:
    """The readings of one integration. All calls block."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._pk = table, partition(integration_id, READINGS)

    def note(self, stage: str, *, sync_id: str, at: int) -> None:
        """Note that a stage which not every run reads has been gone through (unix seconds)."""
        self._table.put({"pk": self._pk, "sk": stage, "schema_version": 1, "sync_id": sync_id, "at": at})

    def last(self, stage: str) -> tuple[str, int] | None:
        """Which run read such a stage last, and when (unix seconds)."""
        item = self._table.get(self._pk, stage)
        return None if item is None else (item["sync_id"], item["at"])

    def note_round(self, stage: str, now: Round, *, sync_id: str) -> None:
        """Note how far a round is; where it is over, the stage has been gone through since that began.

        A round in which GitLab has only refused has read nothing: what is known is of an earlier one.
        """
        row: Item = {"pk": self._pk, "sk": f"{_ROUND}{stage}", "schema_version": 1, "sync_id": sync_id}
        self._table.put({**row, **asdict(now)})
        if now.is_over and not now.is_refused:
            self.note(stage, sync_id=sync_id, at=now.begun_at)

    def round(self, stage: str) -> Round | None:
        """How far the last round of a stage is; None where none has begun."""
        item = self._table.get(self._pk, f"{_ROUND}{stage}")
        return None if item is None else value_of(Round, item)


@dataclass(frozen=True, slots=True)
class InvitationReading:
    """How fresh the invitations to groups, or to projects, are.

    `read_at` (unix seconds): all of them are as GitLab had them then or later; None where some were never read.
    `never_read`: of how many groups or projects; None where no sync has come to them, or GitLab refuses them all.
    """

    read_at: int | None
    never_read: int | None


def invitation_reading(readings: Readings, kind: ResourceType) -> InvitationReading:
    """Tell it of all groups, or of all projects (blocking)."""
    last, current = readings.last(invitations_stage(kind)), readings.round(invitations_stage(kind))
    if last is not None:
        return InvitationReading(last[1], 0)
    return InvitationReading(None, None if current is None or current.is_refused else current.left)


def invitations_read_at(
    readings: Readings, scopes: ScopeList, integration_id: str, kind: ResourceType, number: int
) -> int | None:
    """Since when the invitations to one group or project are known (unix seconds); None: not read (blocking).

    A list that GitLab refuses, or of which a part made no sense, is not known.
    """
    if scopes.incomplete(integration_id, Kind.ACCESS, [(invitations_stage(kind), padded(number))]):
        return None
    last, current = readings.last(invitations_stage(kind)), readings.round(invitations_stage(kind))
    if current is not None and not current.is_refused and padded(number) <= current.until:
        return max(current.begun_at, last[1] if last is not None else 0)
    return None if last is None else last[1]
