"""What the engine asks of a feature, and what it gives to it.

A feature describes a run as a sequence of stages; a stage lists its scopes in a stable order and reads one scope at a
time. The engine does the rest: lease, concurrency, checkpoints, retries, parking, progress, and the safe removal of
rows that GitLab no longer lists.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gitlab_hub.storage.ports import Item, Key, Table

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab, Tokens


T = TypeVar("T")

Confirm = Callable[[str, str], Awaitable[bool]]
"""(scope, key) → whether GitLab, asked for this one row, says that it is gone."""


class Kind(StrEnum):
    """What a run syncs."""

    ACCESS = "access"
    PIPELINES = "pipelines"
    CREDENTIALS = "credentials"

    @property
    def worked_with(self) -> "Kind":
        """The kind whose function, queue and rows among the due ones this one shares; mostly itself.

        A function and a queue cost something while nothing happens (docs/costs.md), and one run a day needs neither.
        """
        return Kind.ACCESS if self is Kind.CREDENTIALS else self


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncTarget:
    """The GitLab that a run reads, as one integration and one of its credentials see it."""

    integration_id: str
    credential_id: str
    base_url: str
    user_id: int
    is_admin: bool
    group: str | None = None
    """Full path of the group the integration is limited to; None = everything the token reaches."""
    group_id: int | None = None
    """Which group that is; None = it was not looked up yet, or there is none."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of a stage that is read, checkpointed and failed on its own.

    `key` is unique within the stage and sorts in the order of listing (zero-pad numbers). `payload` is JSON; what a
    scope of one group or project is about stands in it as `type`, `id` and `path`, and is shown to people.
    """

    key: str
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One row as GitLab has it: its key within the scope, and the attributes to store.

    `baseline_mark`: an item of the table; as long as it is there, a new row is part of the baseline and no change.
    """

    key: str
    item: Item
    baseline_mark: Key | None = None


class RowStore(Protocol):
    """The stored rows of one dataset, grouped by scope. All calls block; the engine runs them off the loop."""

    def stored(self, scope: str) -> Iterator[tuple[str, str]]:
        """Every stored (key, content hash) of a scope, streamed."""

    def stored_of(self, scope: str, keys: Sequence[str]) -> dict[str, str]:
        """The content hashes of those of `keys` that are stored."""

    def put(self, scope: str, rows: Sequence[Row], hashes: Mapping[str, str], stored: Mapping[str, str]) -> None:
        """Write rows with their content hashes, where what is stored is as it was. Raises Overtaken.

        `stored`: the hashes that were stored when the rows were compared; a row without one was not there.
        """

    def remove(self, scope: str, stored: Mapping[str, str], *, at: datetime) -> None:
        """Tombstone rows that GitLab no longer has, where they are as they were (key → hash). Raises Overtaken."""


class Mirror(Protocol):
    """One dataset kept equal to what GitLab lists. Only completely read scopes ever lose rows, and only in `sweep`."""

    @property
    def listed(self) -> int:
        """How many rows GitLab has listed so far in this run."""

    def lists_any(self, prefix: str) -> bool:
        """Whether a completely read scope whose name begins so had any row in this run."""

    def is_complete(self, scope: str) -> bool:
        """Whether the scope was read to its end in this run."""

    def has_seen(self, scope: str, key: str) -> bool:
        """Whether `upsert` was given this row of the scope in this run, by whatever worker."""

    def believe(self, scope: str) -> None:
        """Note that nothing contradicts what was listed in the scope."""

    def is_believed(self, scope: str) -> bool:
        """Whether that was noted in this run, by whatever worker."""

    async def replace_all(self, scope: str, rows: Sequence[Row], stored: Mapping[str, str] | None = None) -> None:
        """These are all rows of the scope: write what changed, note what is missing.

        `stored`: the content hashes of all stored rows of the scope; None = not read before.
        """

    async def upsert(self, scope: str, rows: Sequence[Row], stored: Mapping[str, str] | None = None) -> None:
        """These are some rows of the scope: write what changed, note that they were seen.

        `stored`: the content hashes of the stored rows that parts of these were taken from; None = not read before.
        """

    async def complete(self, scope: str) -> int:
        """The scope was read to its end through `upsert`: note what is missing. The answer counts the stored rows."""

    async def delete_missing(self, confirm: Confirm | None = None) -> None:
        """Remove what is missing and `confirm`ed gone, or mark the run suspect where too much is missing."""


class Session(Protocol):
    """What a stage gets to work with during one run."""

    target: SyncTarget
    gitlab: "GitLab"
    sync_id: str
    full: bool

    @property
    def failures(self) -> int:
        """How many scopes of this run were not read completely so far (forbidden, gone or failed)."""

    def now(self) -> datetime:
        """The hub's clock (UTC)."""

    def concurrency(self, most: int) -> int:
        """How much to begin at once, at most `most`: less after slices that brought nothing to its end."""

    def mirror(self, dataset: str, store: RowStore) -> Mirror:
        """The mirror of a dataset; the same name gives the same mirror for the whole run."""

    def cursor(self, scope: Scope) -> Any:
        """Where an interrupted reading of the scope had come to (JSON), None at its start."""

    async def checkpoint(self, scope: Scope, cursor: Any) -> None:
        """All rows before `cursor` (JSON) are durable. Ends the slice here when time is up or the lease is lost."""

    async def note_progress(self) -> None:
        """Something is done for good, and what is left stands in the table: no cursor moves. Ends the slice, too."""

    def fenced(self, table: Table) -> Table:
        """The feature's table as this worker may write to it: while no newer one has begun. Raises LeaseLost."""

    async def io(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run a blocking read of a store off the loop."""

    async def write(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run a blocking write of a store off the loop, only while the lease is ours."""

    async def gather(self, *jobs: Callable[[], Awaitable[T]]) -> list[T]:
        """Run jobs concurrently; the first failure cancels the others and is raised."""

    def count(self, **amounts: int) -> None:
        """Add to the run's counters (shown as `counts` of the kind)."""

    async def partial(self, scope: Scope, code: str, reason: str = "", *, rows: Sequence[str] = ()) -> None:
        """Say of a scope that is read that a part of it is not known: the part is named in `reason`.

        `rows`: the ids of rows that cannot be understood; those of all pages are named together.
        """

    async def aside(self, scope: Scope, status: str, code: str, reason: str = "") -> None:
        """Note that something beside what the run is for was not read: the run is complete all the same.

        `status`: forbidden, gone, failed or partial. The scope itself counts as read, so it is not tried again.
        """

    def keep_notes(self) -> None:
        """Let the notes of earlier runs about the stage under way stay: it reads nothing in this one."""


class Stage(Protocol):
    """One step of a run; steps run one after the other."""

    name: str

    async def size(self) -> int | None:
        """How many scopes there will be, where that is cheap to know (for progress)."""

    def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """The scopes in ascending order of key, those after `after` only."""

    async def read(self, scope: Scope) -> bool | None:
        """Read one scope completely, or raise. False where its list is empty.

        Such a scope (a project without a single pipeline) does not say whether the token may read what is in a list.
        A `GitLabError` decides what happens to the scope: 403 forbidden, 404 gone, anything else is tried again later.
        """


class Feature(Protocol):
    """What a kind of sync does."""

    kind: Kind
    table: Table
    """Where its rows lie."""

    def stages(self, session: Session) -> Sequence[Stage]:
        """The steps of one run, in order. Sweeping is the last of them."""


# A stage that is a single scope: one list, or one sweep.

ALL = "all"


class SingleScopeStage:
    """Lists the one scope; a stage derives from it and only reads."""

    async def size(self) -> int | None:
        """Count the one."""
        return 1

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """Give the one, unless it is done."""
        if after is None or after < ALL:
            yield Scope(ALL)


# What the engine needs to know of integrations; the integrations feature fulfils it.


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Some of the integrations that may sync on schedule; `last` is where the next page begins, None at the end."""

    ids: list[str]
    last: str | None


class Targets(Protocol):
    """The integrations as the engine sees them. All calls block but those of `Tokens`."""

    def scheduled(self, ids: Iterable[str]) -> set[str]:
        """Those of these integrations that may sync on schedule: active, not paused, credential not rejected."""

    def scheduled_page(self, after: str | None) -> Scheduled:
        """One page of all integrations that may, behind a position."""

    def target(self, integration_id: str) -> SyncTarget | None:
        """What to read; None where the integration is gone, paused or has no credential."""

    def tokens(self, target: SyncTarget) -> "Tokens":
        """Where the client gets this target's token."""

    def store_group(self, target: SyncTarget, *, group_id: int, path: str) -> None:
        """GitLab says which group the target's is, and what it is called; no effect where it has another meanwhile."""

    def mark_rejected(self, target: SyncTarget) -> None:
        """GitLab definitely refuses the credential; no effect where it was replaced meanwhile."""

    def mark_valid(self, target: SyncTarget) -> None:
        """GitLab takes the credential (again)."""
