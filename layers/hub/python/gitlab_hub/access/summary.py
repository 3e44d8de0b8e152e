"""The summary as it is read back, and how whole its counts are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gitlab_hub.access.keys import BESIDE_ACCESS
from gitlab_hub.access.readings import InvitationReading, Readings, invitation_reading
from gitlab_hub.access.summary_row import StoredSummary, SummaryRow
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.scope_list import DISABLED, ScopeList
from gitlab_hub.sync.store import RunStore


@dataclass(frozen=True, slots=True)
class Completeness:
    """How whole the counts are: how the last sync went, and how many scopes it could not read, by status.

    `reading`: how fresh the invitations are, which a sync is complete without.
    `tells_all_access`: whether all is there that says who has what, whatever else is missing.
    """

    status: str
    finished_at: int | None
    unread: Mapping[str, int]
    reading: Mapping[ResourceType, InvitationReading]
    is_complete: bool
    tells_all_access: bool


class AccessSummary:
    """Reads the counts of integrations. Calls block."""

    def __init__(self, table: Table, runs: RunStore, scopes: ScopeList, *, now: Callable[[], float]) -> None:
        self._table, self._runs, self._scopes, self._now = table, runs, scopes, now

    def counts(self, integration_id: str) -> StoredSummary:
        """The counts as the last sync left them."""
        return SummaryRow(self._table, integration_id).read(self._now())

    def completeness(self, integration_id: str) -> Completeness:
        """Say how the last access sync went."""
        run = self._runs.load(integration_id, Kind.ACCESS)
        unread = self._scopes.counted(integration_id, Kind.ACCESS)
        noted = Readings(self._table, integration_id)
        readings = {kind: invitation_reading(noted, kind) for kind in ResourceType}
        # Where there is nothing to read, nothing is missing.
        is_whole = not unread.keys() - {DISABLED}
        went_well = run.status is RunStatus.IDLE and run.finished_at is not None and not run.rejected
        has_all = all(stage in BESIDE_ACCESS for stage, _ in self._scopes.incomplete(integration_id, Kind.ACCESS, None))
        return Completeness(
            str(run.status), run.finished_at, unread, readings, is_complete=went_well and is_whole,
            tells_all_access=went_well and has_all,
        )  # fmt: skip
