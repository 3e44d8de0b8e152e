"""Hints about pipelines, as whoever hears of them gives them; no token, and no request to GitLab."""

from collections.abc import Callable

from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.pipelines.keys import hint_key
from gitlab_hub.storage.ports import Key, Queue, Table, UnknownMessage
from gitlab_hub.sync.hints.queue import HintQueue
from gitlab_hub.sync.message import Hint

OF_PROJECT = frozenset({"integration_id", "project_id"})
"""What a hint about deployments says, and one about a pipeline beside that."""

EVERYTHING = 0
"""In the place of a pipeline, in the mark of a hint about deployments: no pipeline has this id."""


class PipelineHints:
    """Sends hints to the workers of the pipelines sync; those about one thing within seconds become one."""

    def __init__(self, table: Table, queue: Queue, now: Callable[[], float]) -> None:
        self.hint_queue = HintQueue(table=table, queue=queue, now=now, key=_key)

    def pipeline(self, integration_id: str, project_id: int, pipeline_id: int) -> None:
        """Have a pipeline read from GitLab soon. Raises StorageUnavailable.

        Ids that no GitLab has are left out: they come from a body that anybody may have written.
        """
        if all(0 < number <= MAX_ID for number in (project_id, pipeline_id)):
            self.hint_queue.send(
                {"integration_id": integration_id, "project_id": project_id, "pipeline_id": pipeline_id}
            )

    def deployments(self, integration_id: str, project_id: int) -> None:
        """Have the next sync ask for the deployments of a project. Raises StorageUnavailable."""
        if 0 < project_id <= MAX_ID:
            self.hint_queue.send({"integration_id": integration_id, "project_id": project_id})


def _key(hint: Hint) -> Key:
    if hint.keys() - {"pipeline_id"} != OF_PROJECT:
        raise UnknownMessage("This version knows hints about a pipeline, and about deployments, of a project only.")
    return hint_key(hint["integration_id"], hint["project_id"], hint.get("pipeline_id", EVERYTHING))
