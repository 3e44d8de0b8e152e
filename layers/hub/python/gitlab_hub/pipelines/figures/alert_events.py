"""What the hub publishes of alerts; docs/pipelines.md and the JSON schema beside it say the same.

Fields are only ever added. Whoever receives an event twice tells it by `id`.
"""

from collections.abc import Mapping
from typing import Any

from gitlab_hub.incidents import IncidentStore, Turn
from gitlab_hub.storage.ports import Bus, StorageRefused

SCHEMA = 1
MOST_AT_ONCE = 200
"""Events in one tick: a bus that was away for long is caught up with over several."""


class AlertEvents:
    """Tells the bus what has opened and closed since the last time."""

    def __init__(self, incidents: IncidentStore, bus: Bus) -> None:
        self._incidents, self._bus = incidents, bus

    def tick(self) -> Mapping[str, Any]:
        """Put what was not told yet on the bus, the earliest first, at least once each.

        Raises StorageUnavailable where the bus is away, and StorageRefused, once the others were tried, where it does
        not take an event: what was not told stays noted.
        """
        told, refused = 0, None
        for turn, _ in zip(self._incidents.untold(), range(MOST_AT_ONCE), strict=False):
            try:
                self._bus.put("Alert Opened" if turn.is_open else "Alert Closed", message_of(turn))
            except StorageRefused as error:
                refused = error
                continue
            self._incidents.told(turn)
            told += 1
        if refused is not None:
            raise refused
        return {"chore": "alert_events", "told": told}


def message_of(turn: Turn) -> dict[str, Any]:
    """Say what opened or closed, as `GET /v1/incidents` does; times are unix seconds."""
    incident = turn.incident
    return {
        "schema": SCHEMA,
        "type": "alert.opened" if turn.is_open else "alert.closed",
        "id": turn.id,
        "alert": {
            "kind": incident.kind,
            "integration_id": incident.integration_id,
            "subject": incident.subject,
            "at": incident.at,
            "closed_at": None if turn.is_open else turn.at_ms // 1000,
            "hint": incident.hint,
            "details": incident.details,
        },
    }
