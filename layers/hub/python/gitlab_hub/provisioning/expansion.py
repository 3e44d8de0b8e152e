"""What is asked for as operations that can be planned: one that names an account by its username gets the id."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gitlab_hub.gitlab.fields import first_id
from gitlab_hub.provisioning.model import ON_ACCOUNTS, Kind, Operation

if TYPE_CHECKING:
    from gitlab_hub.provisioning.reading import LiveReader


def is_open(operation: Operation) -> bool:
    """Whether GitLab has to be asked what an operation comes to."""
    return operation.kind in ON_ACCOUNTS and operation.kind is not Kind.CREATE_ACCOUNT and not operation.account_id


async def expanded(reader: "LiveReader", operations: Sequence[Operation]) -> list[Operation]:
    """The operations, each as what it comes to. Raises GitLabError."""
    return [await _named(reader, one) if is_open(one) else one for one in operations]


async def _named(reader: "LiveReader", operation: Operation) -> Operation:
    """The operation with the id of its account; without one where there is no such account."""
    rows = await reader.rows("/users", {"username": operation.username or ""})
    found = next((number for row in rows if (number := first_id(row, "id")) is not None), 0)
    return replace(operation, account_id=found, username=None)
