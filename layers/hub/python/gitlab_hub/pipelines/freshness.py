"""When a pipeline must be read (again)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitlab_hub.gitlab.fields import millis
from gitlab_hub.pipelines.model import UNKNOWN, is_terminal
from gitlab_hub.storage.ports import Condition

SETTLE_MS = 120_000
"""A job's row can land after its pipeline's: a finished pipeline is read once more this long after it finished.

Shorter than a window's overlap, so that the next windows still list it until it has settled and no list of unsettled
pipelines is needed.
"""


LATE_MS = 960_000
"""A worker lives for 15 minutes (AWS Lambda, "Quotas"): what it wrote so long after a moment it has read after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPipeline:
    """What is stored of a pipeline, as far as it decides about reading and writing it."""

    status: str
    updated_at: str | None
    settled: bool
    digest: str
    changed_at: int
    first_terminal_status: str | None
    first_terminal_at: int | None
    deleted_at_source: int | None
    job_chunks: int
    bridge_chunks: int
    hinted: bool = False
    """Stored on behalf of a webhook; perhaps while a run was storing it too, so its chunks are not to be relied on."""
    written_at: int | None = None
    """Moves with every write (milliseconds)."""
    created_at: int | None = None
    """Unix seconds."""

    @property
    def unchanged(self) -> Condition:
        """What holds of the stored row as long as nobody writes it."""
        fields = {"digest": self.digest, "settled": self.settled, "changed_at": self.changed_at}
        return Condition(equals=fields if self.written_at is None else {**fields, "written_at": self.written_at})


def _when(moment: Any) -> Any:
    """A time by its moment: `Z` and `+00:00`, or more digits than another answer has, are no change."""
    found = millis(moment)
    return moment if found is None else found


def _is_same_time(moment: Any, known: StoredPipeline) -> bool:
    """Whether a listed `updated_at` is the stored one, also where one of them is told in whole seconds, as by GraphQL.

    Within the second of the stored one a pipeline may have changed once more, unless it was read after that second: so
    are those that GraphQL tells. Of others it is known where they were written long after they had changed.
    """
    listed, stored = _when(moment), _when(known.updated_at)
    if listed == stored:
        return True
    if not (isinstance(listed, int) and isinstance(stored, int)) or listed // 1000 != stored // 1000:
        return False
    if "." not in str(known.updated_at):
        return True
    return "." not in str(moment) and known.written_at is not None and known.written_at - stored >= LATE_MS


def is_settled(pipeline: Mapping[str, Any], *, at: int) -> bool:
    """Say whether nothing can land late any more in a pipeline that was read at `at` (the server's clock)."""
    if not is_terminal(pipeline.get("status")):
        return False
    finished = millis(pipeline.get("finished_at")) or millis(pipeline.get("updated_at"))
    return finished is None or at - finished >= SETTLE_MS


def must_read(row: Mapping[str, Any], known: StoredPipeline | None, *, at: int) -> bool:
    """Decide from a list row: new, changed, thought deleted, or finished long enough to be read for the last time."""
    if known is None or known.deleted_at_source is not None:
        return True
    if (row.get("status") or UNKNOWN) != known.status or not _is_same_time(row.get("updated_at"), known):
        return True
    # The row has no finished_at; a pipeline is never updated before it finishes, so this is later, never too early.
    return not known.settled and is_settled({**row, "finished_at": None}, at=at)
