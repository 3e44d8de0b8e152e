"""Which branches and tags a project had when it was last looked at, or last heard of."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import NamedTuple

from gitlab_hub.gitlab.webhooks.parse import HookEvent
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import at_version, is_written

SCHEMA_VERSION = 1
MAX_PACKED_BYTES = 300_000
"""An item of DynamoDB has at most 400 KB; a project with more refs than fit is not watched."""

_ATTEMPTS = 4
_ROUND = "REFWATCH"
_KINDS = {"push": "heads", "tag_push": "tags"}


class StoredRef(NamedTuple):
    """Where a ref points, and how often it has moved since the first look (which tells two same moves apart)."""

    sha: str
    moves: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefSnapshot:
    """The refs of a project by their short full name: heads/main, tags/v1."""

    integration_id: str
    project_id: int
    looked_at: int
    complete: bool
    """Whether all were seen; of a part nobody can tell which ones are new or gone."""
    heads: Mapping[str, StoredRef] = field(repr=False)
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PollingRound:
    """One going through all projects that are built: since when (unix seconds), and where it goes on."""

    began_at: int = 0
    integration_id: str | None = None
    """The integration that it has come to; None = the first one."""
    project_id: int = 0
    """The last project of that one that was looked at."""
    is_over: bool = True


class RefSnapshots:
    """The last seen refs of projects, and how far the looking at them has come."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, integration_id: str, project_id: int) -> RefSnapshot | None:
        """What was last seen of a project; None before the first look."""
        item = self._table.get(f"INTEGRATION#{integration_id}", f"REFS#{project_id}")
        return _refs_of(item, integration_id, project_id) if item else None

    def keep(self, refs: RefSnapshot, before: RefSnapshot | None) -> bool:
        """Keep what was seen, unless somebody else has kept something since; False then, or where it does not fit."""
        version = 0 if before is None else before.version
        item = _item_of(refs, version=version + 1)
        if not _is_small(item["heads"]):
            return False
        return is_written(self._table.put, item, at_version(version))

    def record_push(self, integration_id: str, event: HookEvent) -> None:
        """Note an announced push, so that it is not announced again. For the worker that handles deliveries.

        Nothing is noted before the first look, nor of a push that does not follow what was last seen (an old delivery
        sent again): the next look finds out. A lost race is found out then, too.
        """
        name, after = ref_name(event), event.after
        if name is None or after is None or event.project_id is None:
            return
        for _ in range(_ATTEMPTS):
            before = self.get(integration_id, event.project_id)
            if before is None or not _follows(before.heads.get(name), event):
                return
            if self.keep(
                replace(before, heads=with_ref(before.heads, name, None if event.deletes_ref else after)), before
            ):
                return

    def round(self) -> PollingRound:
        """The present round, or the last one."""
        item = self._table.get(_ROUND, _ROUND)
        return PollingRound(**{name: item[name] for name in PollingRound.__slots__}) if item else PollingRound()

    def keep_round(self, round_: PollingRound) -> None:
        """Note how far a round has come."""
        self._table.put({"pk": _ROUND, "sk": _ROUND, "schema_version": SCHEMA_VERSION, **asdict(round_)})

    def delete(self, integration_id: str, project_id: int) -> None:
        """Delete a project: the next look at it is a first one."""
        self._table.delete(f"INTEGRATION#{integration_id}", f"REFS#{project_id}")


def ref_name(event: HookEvent) -> str | None:
    """The name of the ref that was pushed; None for what is no push."""
    kind = _KINDS.get(event.kind)
    return f"{kind}/{event.ref}" if kind and event.ref else None


def with_ref(heads: Mapping[str, StoredRef], name: str, sha: str | None) -> dict[str, StoredRef]:
    """The refs after one of them moved; None = it is gone, and its count of moves stays for when it comes back."""
    known = heads.get(name)
    if known is not None and known.sha == (sha or ""):
        return dict(heads)
    return {**heads, name: StoredRef(sha or "", 1 if known is None else known.moves + 1)}


def fits(heads: Mapping[str, StoredRef]) -> bool:
    """Whether refs can be kept in one row."""
    return _is_small(_packed(heads))


def _is_small(packed: bytes) -> bool:
    return len(packed) <= MAX_PACKED_BYTES


def _packed(heads: Mapping[str, StoredRef]) -> bytes:
    spelled = json.dumps({name: list(head) for name, head in sorted(heads.items())}, separators=(",", ":"))
    return zlib.compress(spelled.encode(), 6)


def _follows(known: StoredRef | None, event: HookEvent) -> bool:
    if known is None or known.sha == "":
        return not event.deletes_ref
    return event.before == known.sha


def _item_of(refs: RefSnapshot, *, version: int) -> Item:
    return {
        "pk": f"INTEGRATION#{refs.integration_id}",
        "sk": f"REFS#{refs.project_id}",
        "schema_version": SCHEMA_VERSION,
        "looked_at": refs.looked_at,
        "complete": refs.complete,
        "heads": _packed(refs.heads),
        "version": version,
    }


def _refs_of(item: Item, integration_id: str, project_id: int) -> RefSnapshot:
    heads = json.loads(zlib.decompress(item["heads"]))
    return RefSnapshot(
        integration_id=integration_id,
        project_id=project_id,
        looked_at=item["looked_at"],
        complete=item["complete"],
        heads={name: StoredRef(*values[:2]) for name, values in heads.items()},
        version=item["version"],
    )
