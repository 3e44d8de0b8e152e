"""Hints about groups and projects, as whoever hears of them gives them; no token, and no request to GitLab."""

from collections.abc import Callable

from gitlab_hub.access.keys import HINTS, grants_scope
from gitlab_hub.gitlab.fields import MAX_ID, padded
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.storage.ports import Key, Queue, Table, UnknownMessage
from gitlab_hub.sync.hints.queue import HintQueue
from gitlab_hub.sync.message import Hint


class AccessHints:
    """Sends hints to the workers of the access sync; those about one group or project within seconds become one."""

    def __init__(self, table: Table, queue: Queue, now: Callable[[], float]) -> None:
        self.hint_queue = HintQueue(table=table, queue=queue, now=now, key=_key)

    def project(self, integration_id: str, project_id: int) -> None:
        """Have a project, its shares and its direct members read from GitLab soon. Raises StorageUnavailable."""
        self._send(integration_id, ResourceType.PROJECT, project_id)

    def group(self, integration_id: str, group_id: int) -> None:
        """Have a group, its shares, direct members and newest children read soon. Raises StorageUnavailable."""
        self._send(integration_id, ResourceType.GROUP, group_id)

    def _send(self, integration_id: str, kind: ResourceType, number: int) -> None:
        # An id that no GitLab has comes from a body that anybody may have written.
        if 0 < number <= MAX_ID:
            self.hint_queue.send({"integration_id": integration_id, f"{kind}_id": number})


def subject(hint: Hint) -> tuple[ResourceType, int]:
    """What a hint is about. Raises UnknownMessage."""
    for kind in ResourceType:
        if hint.keys() == {"integration_id", f"{kind}_id"}:
            return kind, int(hint[f"{kind}_id"])
    raise UnknownMessage("This version knows hints about a group or a project only.")


def _key(hint: Hint) -> Key:
    kind, number = subject(hint)
    return partition(hint["integration_id"], HINTS), grants_scope(kind, padded(number))
