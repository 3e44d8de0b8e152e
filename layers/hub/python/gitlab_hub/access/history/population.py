"""`population.csv`: how much was read of what, so that an auditor can tell that nothing was left out. Pure.

Each file has the hash of the one before it, over all days: none can be changed or taken out later without a trace.
"""

from collections.abc import Iterator
from typing import Any

from gitlab_hub.access.history.model import SECTIONS, Snapshot
from gitlab_hub.access.keys import GRANTS, OUTSIDE_GRANTS, OUTSIDE_GROUPS, members_stage
from gitlab_hub.access.reviews.table import SOURCE_SYSTEM
from gitlab_hub.csv_lines import csv_line, time
from gitlab_hub.inventory.model import ResourceType

_STAGES = {
    GRANTS: tuple(members_stage(kind) for kind in ResourceType),
    OUTSIDE_GRANTS: (OUTSIDE_GROUPS,),
    OUTSIDE_GROUPS: (),
}
"""The stages of a sync that read a section, where they are not called like it."""

COLUMNS = (
    "snapshot_at", "source_system", "integration_id", "completeness", "scope", "rows", "unread", "synced_at", "sync_id",
    "rows_sha256", "previous_file_sha256",
)  # fmt: skip


def population_csv(integration_id: str, snapshot: Snapshot) -> str:
    """The whole file of a snapshot: as it was made with that, whatever a later release would make of it.

    The next day's file has its hash.
    """
    if snapshot.population is not None:
        return snapshot.population
    return made_population(integration_id, snapshot)


def made_population(integration_id: str, snapshot: Snapshot) -> str:
    """Make the file of a snapshot."""
    return "".join([csv_line(COLUMNS), *(csv_line(row) for row in _rows(integration_id, snapshot))])


def _rows(integration_id: str, snapshot: Snapshot) -> Iterator[list[Any]]:
    stages = {name: _STAGES.get(name, (name,)) for name in SECTIONS}
    others = snapshot.unread.keys() - {stage for some in stages.values() for stage in some}
    scopes = {**stages, **{stage: (stage,) for stage in sorted(others)}}
    for scope, its_stages in scopes.items():
        unread = sum(snapshot.unread.get(stage, 0) for stage in its_stages)
        yield [
            time(snapshot.taken_at),
            SOURCE_SYSTEM,
            integration_id,
            "incomplete" if unread else "complete",
            scope,
            snapshot.rows.get(scope),
            unread,
            time(snapshot.synced_at),
            snapshot.sync_id,
            snapshot.hashes.get(scope),
            snapshot.previous,
        ]
