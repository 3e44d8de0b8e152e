"""What a feature works with while it heeds a hint: a session without a run."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from gitlab_hub.blocking import to_the_end
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.storage.table import Table
from gitlab_hub.sync import breaker
from gitlab_hub.sync.errors import LeaseLost, OutOfTime
from gitlab_hub.sync.fence import Fence, FencedTable
from gitlab_hub.sync.hint_ledger import Room
from gitlab_hub.sync.mirror import DatasetMirror
from gitlab_hub.sync.offload import Offload
from gitlab_hub.sync.ports import RowStore, Scope, Target
from gitlab_hub.sync.session import RESERVE_SECONDS


class HintSession(Offload):
    """Fulfils `ports.Session` without lease, journal and checkpoints: whatever is cut short is done anew.

    A run that is in progress is neither read nor touched. Rows are written as a run writes them, and removed by the
    rules of a run that read nothing but this.
    """

    sync_id, full, failures = "", False, 0

    def __init__(
        self,
        target: Target,
        gitlab: GitLab,
        fence: Fence,
        number: int | None,
        still: Callable[[], Target | None],
        room: Room,
        *,
        remaining: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self.target, self.gitlab = target, gitlab
        self.counts: Counter[str] = Counter()
        self._fence, self._fenced = fence, FencedTable(fence, number)
        self._still, self._room, self._remaining, self._clock = still, room, remaining, clock
        self._mirrors: dict[str, DatasetMirror] = {}

    def now(self) -> datetime:
        """The hub's clock (UTC)."""
        return datetime.fromtimestamp(self._clock(), UTC)

    def fenced(self, table: Table) -> Table:
        """The feature's table as long as no run has begun or ended: what was read before that may be old."""
        if table is not self._fence.table:
            raise ValueError("A session fences the table of its feature.")
        return self._fenced

    def width(self, most: int) -> int:
        """As much at once as anybody wants."""
        return most

    def mirror(self, dataset: str, store: RowStore) -> DatasetMirror:
        """The mirror of a dataset."""
        if dataset not in self._mirrors:
            self._mirrors[dataset] = DatasetMirror(dataset, store, self)
        return self._mirrors[dataset]

    def journal(self, name: str, entries: Iterable[Any]) -> None:
        """Nobody carries on from here."""

    def refuses(self, dataset: str) -> bool:  # noqa: ARG002 - doubt about one dataset is doubt about all, as in a run
        """Whether removals must wait: nobody is asked to accept them, the next run judges them among all others."""
        tallies = {name: mirror.tally for name, mirror in self._mirrors.items()}
        suspicious = {name: mirror.suspicious for name, mirror in self._mirrors.items()}
        return bool(breaker.refused(tallies, suspicious, {})) or self._room.refuses(tallies)

    def cursor(self, scope: Scope) -> Any:  # noqa: ARG002 - there are no checkpoints
        """Everything begins at its start."""
        return None

    async def checkpoint(self, scope: Scope, cursor: Any) -> None:  # noqa: ARG002 - see above
        """End here when time is up."""
        self.check()

    def check(self) -> None:
        """Raise when time is up."""
        if self._remaining() < RESERVE_SECONDS:
            raise OutOfTime("the function's time is nearly up")

    async def before_write(self) -> None:
        """Raise where the integration was removed, paused or changed: its rows may be on their way out."""
        if await to_the_end(self._still) != self.target:
            raise LeaseLost("the integration is not what it was")

    @property
    def told(self) -> dict[str, int]:
        """What was done, for the log."""
        listed = {name: mirror.listed for name, mirror in self._mirrors.items() if mirror.listed}
        return {**self.counts, **listed}

    async def partial(self, scope: Scope, code: str, reason: str) -> None:
        """The next run finds the same, and keeps a note of it."""

    def count(self, **amounts: int) -> None:
        """Add to the counters."""
        self.counts.update(amounts)
