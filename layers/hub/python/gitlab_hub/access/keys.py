"""Where access rows lie in the table.

`<integration>#accounts`, `#groups` and `#projects` hold one row per id. `<integration>#grants` holds one row per direct
membership under `<group|project>#<resource>#<account>`; the index `by_account` turns that round. `<integration>#hints`
holds a mark per `<group|project>#<resource>` that a message is on its way about.
"""

from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ResourceType

ACCOUNTS = "accounts"
GRANTS = "grants"
BY_ACCOUNT = "by_account"
HINTS = "hints"
COLLECTIONS = (ACCOUNTS, GRANTS, HINTS, *(kind.collection for kind in ResourceType))


def account_partition(integration_id: str, account_id: int) -> str:
    """Name the partition of the index `by_account` that has everything one account was given."""
    return f"{integration_id}#{padded(account_id)}"


def grants_scope(resource_type: ResourceType, key: str) -> str:
    """Name the scope of the members of one resource, which is also the beginning of their sort keys."""
    return f"{resource_type}#{key}"
