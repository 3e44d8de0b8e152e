"""What can be asked of exports: have one made, list them, show one with links to its files."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.errors import NotFound
from gitlab_hub.exports.keys import prefix_of
from gitlab_hub.exports.model import DAY, Asked, Export, File, Status, TooManyExports, manifest_key
from gitlab_hub.exports.store import ExportStore
from gitlab_hub.storage.ports import Check, Function, Objects, QueueUnavailable
from gitlab_hub.web.principal import Principal

MOST_UNFINISHED = 3
"""Exports of one integration that may wait or be made at the same time."""

LINK_SECONDS = 900


@dataclass(frozen=True, slots=True)
class LinkedFile:
    """A file, and where it can be had for a quarter of an hour."""

    file: File
    url: str


class ExportService:
    """The exports of integrations. All calls block. `is_live`: what must hold of an integration for one to begin."""

    def __init__(
        self,
        store: ExportStore,
        objects: Objects,
        exporter: Function,
        audit: Audit,
        *,
        is_live: Callable[[str], Check],
        kept_days: int,
        now: Callable[[], float],
    ) -> None:
        self._store, self._objects, self._exporter, self._audit = store, objects, exporter, audit
        self._is_live, self._kept_days, self._now = is_live, kept_days, now

    def create(self, asked: Asked, caller: Principal, seed: str) -> Export:
        """Have an export made. Its id ends with what follows from the seed, so a repeated call makes no second one.

        Raises TooManyExports.
        """
        now, known = int(self._now()), list(self._store.of(asked.integration_id))
        mark = hashlib.sha256(f"{asked.integration_id}/{seed}".encode()).hexdigest()[:12]
        export = next((one for one in known if one.id.endswith(mark)), None)
        if export is None:
            if sum(not one.status.is_final for one in known) >= MOST_UNFINISHED:
                raise TooManyExports(
                    f"{MOST_UNFINISHED} exports of this integration are not done yet; ask again when one is.",
                    retry_after=30,
                )
            export = Export(
                id=f"exp_{now:08x}{mark}",
                asked=asked,
                created_at=now,
                created_by=caller.token_id,
                expires_at=now + self._kept_days * DAY,
            )
            after = {"dataset": str(asked.dataset), "format": str(asked.format), "project_id": asked.project_id}
            after |= {"from": asked.since, "to": asked.until}
            self._audit.record(
                AuditAction.EXPORT_CREATE,
                actor=caller.token_id,
                integration_id=asked.integration_id,
                target=export.id,
                after=after,
            )
            is_added = self._store.add(export, self._is_live(asked.integration_id))
            # An answer that was lost may have had its effect.
            if not is_added and self._store.get(asked.integration_id, export.id) is None:
                raise NotFound("There is no such integration.")
        if not export.status.is_final:
            with suppress(QueueUnavailable):  # A start that is lost costs minutes: a tick makes another.
                self._exporter.start()
        return export

    def page(self, integration_id: str, *, after: str | None, limit: int) -> tuple[list[Export], str | None]:
        """List the exports that are kept, newest first."""
        found, following = self._store.page(integration_id, after=after, limit=limit)
        kept = map(self._as_kept, found)
        return [one for one in kept if self._now() < one.expires_at], following

    def get(self, integration_id: str, export_id: str) -> Export:
        """Read one export. Raises NotFound, also where it has expired."""
        found = self._store.get(integration_id, export_id)
        export = None if found is None else self._as_kept(found)
        if export is None or self._now() >= export.expires_at:
            raise NotFound("There is no such export.")
        return export

    def files(self, export: Export, *, first: int, limit: int) -> list[LinkedFile]:
        """Files of an export from a number on, each with a link; none before it is done."""
        if export.status is not Status.DONE:
            return []
        found = self._store.files(export, first=first, limit=limit)
        return [LinkedFile(file, self._link(export, file.key)) for file in found]

    def manifest(self, export: Export) -> LinkedFile | None:
        """The list of all files, with a link; None before the export is done."""
        if export.status is not Status.DONE:
            return None
        key = manifest_key(export)
        file = File(key=key, rows=export.rows, size=export.manifest_size, sha256=export.manifest_sha256)
        return LinkedFile(file, self._link(export, key))

    def _as_kept(self, export: Export) -> Export:
        """An export with the end that it has by now.

        Another number of days holds for the objects that are there already: S3 applies a lifecycle rule to these, too
        (S3 user guide, "Managing the lifecycle of objects"), and removes them at the midnight after so many days.
        """
        return replace(export, expires_at=min(export.expires_at, export.created_at + self._kept_days * DAY))

    def _link(self, export: Export, key: str) -> str:
        name = key.removeprefix(prefix_of(export.asked.integration_id, export.id)).replace("/", "-")
        # A link must not live longer than what it leads to.
        left = int(export.expires_at - self._now())
        return self._objects.link(key, filename=name, seconds=max(1, min(LINK_SECONDS, left)))
