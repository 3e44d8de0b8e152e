"""Where plans lie in the access table, for those who remove what an integration has left."""

from gitlab_hub.inventory.model import partition

PLANS, STEPS = "plans", "plan_steps"


def partitions(integration_id: str) -> list[str]:
    """Name every partition that holds something of an integration."""
    return [partition(integration_id, PLANS), partition(integration_id, STEPS)]
