"""What others need of plans: where they lie in the access table, and how the provisioner is started for them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gitlab_hub.inventory.model import partition
from gitlab_hub.storage.due import DueRows

if TYPE_CHECKING:
    from gitlab_hub.storage.ports import Function, Table

PLANS, STEPS, DESIRED = "plans", "plan_steps", "desired_access"


def partitions(integration_id: str) -> list[str]:
    """Name every partition that holds something of an integration."""
    return [partition(integration_id, one) for one in (PLANS, STEPS, DESIRED)]


def due_plans(table: "Table") -> DueRows:
    """The plans that the provisioner is to look at."""
    return DueRows(table, "plans")


def start_where_due(table: "Table", provisioner: "Function", now: Callable[[], float]) -> None:
    """Start the provisioner if a plan is due (blocking). Raises QueueUnavailable."""
    if next(due_plans(table).pages(int(now())), None):
        provisioner.start()
