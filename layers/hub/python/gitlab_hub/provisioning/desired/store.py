"""The access that was last wanted, one row per integration, and whether the mirror still is so."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Protocol

from gitlab_hub.errors import HubError
from gitlab_hub.incidents import Incident, IncidentStore
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.provisioning.desired.model import Drift, Held, Place, Wanted, drift
from gitlab_hub.provisioning.keys import DESIRED
from gitlab_hub.storage.ports import Table
from gitlab_hub.storage.rows import value_of

DRIFT = "access_drift"
SUBJECT = "desired_access"
_MOST_NAMED = 10
_HINT = (
    "Access is no longer as it was asked for. Look at the drift (PUT …/desired-access as a dry run), then plan it away "
    "(dry_run=false), or send what is wanted now."
)
_KEY = "last"


class Memberships(Protocol):
    """Direct memberships as the mirror has them."""

    def held(self, integration_id: str, place: Place) -> Mapping[int, Held]:
        """What accounts have in a group or project itself, by their ids."""


class DesiredStore:
    """What is wanted of every integration. All calls block."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, integration_id: str) -> list[Wanted]:
        """What was last wanted; nothing where nobody has said so."""
        row = self._table.get(partition(integration_id, DESIRED), _KEY)
        if row is None:
            return []
        found = [value_of(Wanted, {**one, "resource_type": ResourceType(one["resource_type"])}) for one in row["rows"]]
        return list(found)

    def put(self, integration_id: str, wanted: Sequence[Wanted], *, by: str, at: int) -> None:
        """Keep what is wanted in the place of what was; wanting nothing deletes it."""
        pk = partition(integration_id, DESIRED)
        if not wanted:
            self._table.delete(pk, _KEY)
            return
        rows = [{**asdict(one), "resource_type": str(one.resource_type)} for one in wanted]
        self._table.put({"pk": pk, "sk": _KEY, "schema_version": 1, "rows": rows, "stored_by": by, "stored_at": at})


def drift_of(integration_id: str, wanted: Sequence[Wanted], memberships: Memberships, today: str) -> list[Drift]:
    """How the mirror differs from what is wanted; only what is named is read. `today` is a day (UTC, ISO)."""
    places = {one.place for one in wanted}
    return drift(wanted, {place: memberships.held(integration_id, place) for place in places}, today)


def today_of(now: float) -> str:
    """The day of a moment (unix seconds), as days are compared."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


class DriftWatch:
    """Tells a person when access is no longer as it was wanted. Called when a sync has read everything."""

    def __init__(
        self, store: DesiredStore, memberships: Memberships, incidents: IncidentStore, now: Callable[[], float]
    ) -> None:
        self._store, self._memberships, self._incidents, self._now = store, memberships, incidents, now

    def look(self, integration_id: str) -> None:
        """Open an incident, or end the one there is; where that cannot be said now, the next sync does (blocking)."""
        with suppress(HubError):
            wanted = self._store.get(integration_id)
            found = drift_of(integration_id, wanted, self._memberships, today_of(self._now()))
            if not found:
                self._incidents.close(DRIFT, integration_id, SUBJECT)
                return
            named = [
                f"{one.kind}: account {one.wanted.account_id}, {one.wanted.resource_type} {one.wanted.resource_id}"
                for one in found[:_MOST_NAMED]
            ]
            self._incidents.open(
                Incident(
                    kind=DRIFT,
                    integration_id=integration_id,
                    subject=SUBJECT,
                    at=int(self._now()),
                    hint=_HINT,
                    details={"count": len(found), "first": named},
                )
            )
