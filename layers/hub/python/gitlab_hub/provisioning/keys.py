"""What others need of plans: where they lie in the access table, and how the provisioner is started for them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gitlab_hub.inventory.model import partition
from gitlab_hub.storage.due import DueRows

if TYPE_CHECKING:
    from gitlab_hub.storage.ports import Function, Table

PLANS, STEPS, DESIRED = "plans", "plan_steps", "desired_access"
REQUESTS, CLAIMS, POLICIES = "access_requests", "access_claims", "access_policies"


def partitions(integration_id: str) -> list[str]:
    """Name every partition that holds something of an integration."""
    collections = (PLANS, STEPS, DESIRED, REQUESTS, CLAIMS, POLICIES)
    return [partition(integration_id, name) for name in collections]


def due_plans(table: "Table") -> DueRows:
    """The plans and the requests for access that the provisioner is to look at."""
    return DueRows(table, "plans")


def start_where_due(table: "Table", provisioner: "Function", now: Callable[[], float]) -> None:
    """Start the provisioner if there is something for it (blocking). Raises QueueUnavailable."""
    if next(due_plans(table).pages(int(now())), None):
        provisioner.start()
