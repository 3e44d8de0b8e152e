"""Which partitions hold something of an integration."""

from collections.abc import Iterator

from gitlab_hub.pipelines.keys import cursors_pk, hints_pk, jobs_pk, owed_pk, pipelines_pk, projects_pk
from gitlab_hub.storage.table import Table
from gitlab_hub.sync.fence import fence_partition


def partitions(table: Table, integration_id: str) -> Iterator[str]:
    """Every partition of an integration: those of its projects first, the list of projects itself last."""
    after: str | None = None
    while True:
        rows = table.query(projects_pk(integration_id), after=after, attributes=("id", "sk"))
        for item in rows.items:
            yield pipelines_pk(integration_id, item["id"])
            yield jobs_pk(integration_id, item["id"])
        if rows.last is None:
            break
        after = rows.last[1]
    yield cursors_pk(integration_id)
    yield hints_pk(integration_id)
    yield fence_partition(integration_id)
    yield owed_pk(integration_id)
    yield projects_pk(integration_id)
