"""When an integration's tokens are to be looked after next, see `storage/due.py`.

Whatever changes an integration has it looked at by the next tick: that row is part of the change itself.
"""

import zlib

from gitlab_hub.integrations.model import Integration
from gitlab_hub.storage.due import AT_ONCE, Due, DueRows
from gitlab_hub.storage.table import Table

DAY = 86_400
RETRY_SECONDS = 30
"""When one is looked at again whose look has not come to a good end: by the next tick, behind those that wait."""


def due_care(table: Table) -> DueRows:
    """The integrations whose tokens are to be looked after."""
    return DueRows(table, "care")


def changed(integration: Integration) -> Due:
    """The look that a change of an integration asks for; `integration` is what it has become."""
    return Due(integration.id, AT_ONCE, f"integration {integration.version}")


def daily(integration_id: str, now: int) -> Due:
    """The look that every integration has once a day, whatever else was noted, each at an hour of its own."""
    own = zlib.crc32(integration_id.encode())
    return Due(integration_id, now + (own - now) % DAY, "daily")
