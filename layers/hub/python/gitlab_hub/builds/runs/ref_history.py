"""When branches and tags ended and began again, as far as pushes told: one small row for each that was seen to."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from gitlab_hub.builds.runs.claims import RefHistory
from gitlab_hub.builds.triggers.model import TAG, TAG_PUSH, BuildRequest
from gitlab_hub.gitlab.webhooks.parse import HookEvent
from gitlab_hub.storage.ports import Key, StorageUnavailable, Table
from gitlab_hub.storage.rows import at_version, is_written

SCHEMA = 1
_MOST_SEEN = 20
_TRIES = 10


class RefHistories:
    """Reads and writes histories; every delivery moves one only once, however often it comes."""

    def __init__(self, table: Table, *, kept_seconds: int) -> None:
        self._table, self._kept_seconds = table, kept_seconds

    def of(self, request: BuildRequest) -> RefHistory:
        """The history of the ref that a request is about; an empty one where it never ended."""
        kind = TAG if request.ref_kind == TAG else ""
        return _history(self._table.get(*_key(request.integration_id, request.project_id, kind, request.ref)))

    def record(self, integration_id: str, event: HookEvent, *, delivery_id: str, number: int, now: int) -> None:
        """Note that a push deleted a ref, or made one anew; `number` is that of the integration's newest build."""
        if event.project_id is None or not event.ref or not (event.deletes_ref or event.creates_ref):
            return
        kind = TAG if event.kind == TAG_PUSH else ""
        pk, sk = _key(integration_id, event.project_id, kind, event.ref)
        for _ in range(_TRIES):
            row = self._table.get(pk, sk)
            seen = tuple(row["seen"]) if row else ()
            if delivery_id in seen:
                return
            told = replace(_history(row), **{"ended" if event.deletes_ref else "revived": number})
            version = row["version"] if row else 0
            item = {"pk": pk, "sk": sk, "schema_version": SCHEMA, "expires_at": now + self._kept_seconds}
            item |= {**asdict(told), "seen": [*seen, delivery_id][-_MOST_SEEN:], "version": version + 1}
            if is_written(self._table.put, item, at_version(version)):
                return
        raise StorageUnavailable("Too many changes of one branch at this moment; try again.", retry_after=5)


def _history(row: Mapping[str, Any] | None) -> RefHistory:
    return RefHistory() if row is None else RefHistory(ended=int(row["ended"]), revived=int(row["revived"]))


def _key(integration_id: str, project_id: int, kind: str, ref: str) -> Key:
    named = hashlib.sha256(f"{kind}\n{ref}".encode()).hexdigest()[:32]
    return f"INTEGRATION#{integration_id}", f"REF#{project_id}#{named}"
