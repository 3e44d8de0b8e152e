"""Where plans lie in the access table, for those who remove what is left of an integration, or start the provisioner."""

from gitlab_hub.inventory.model import partition
from gitlab_hub.storage.due import DueRows
from gitlab_hub.storage.ports import Table

PLANS, STEPS = "plans", "plan_steps"


def partitions(integration_id: str) -> list[str]:
    """Name every partition that holds something of an integration."""
    return [partition(integration_id, PLANS), partition(integration_id, STEPS)]


def due_plans(table: Table) -> DueRows:
    """The plans that the provisioner is to look at."""
    return DueRows(table, "plans")
