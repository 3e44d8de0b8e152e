"""The first and the last moments of an integration: nothing half-made is used, nothing removed comes back.

A row that holds the place is written before the secret, and outlives it. So whatever crashes in between, a secret
always belongs to a row, and `sweep` finishes what was begun.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations import rows
from gitlab_hub.integrations.errors import DuplicateIntegration, TooBusy
from gitlab_hub.integrations.health import on_schedule
from gitlab_hub.integrations.model import Credential, Integration, IntegrationWithCredentials
from gitlab_hub.integrations.store import ATTEMPTS, PAGE, IntegrationStore
from gitlab_hub.integrations.tokens.due import changed, due_token_checks
from gitlab_hub.integrations.tokens.revocations import Revocation, row
from gitlab_hub.integrations.tokens.vault import Contents
from gitlab_hub.storage.due import Due, DueRows
from gitlab_hub.storage.ports import (
    ABSENT,
    Condition,
    ConditionFailed,
    Delete,
    Item,
    Key,
    Put,
    QueueUnavailable,
    StorageRefused,
    Table,
)
from gitlab_hub.storage.rows import is_written, query_pages
from gitlab_hub.sync.due import delete_due_runs, due_snapshots, rows_at_once

GRACE_SECONDS = 900
"""Longer than any request or worker lives: what is older is nobody's work in progress."""

Purge = Callable[[str], None]
"""Asks for the removal of everything that was synced from an integration."""

RevocationsOf = Callable[[IntegrationWithCredentials], Sequence[Revocation]]
"""The tokens of an integration that GitLab is to end when it is removed."""

REVOCATION_SECONDS = 86_400
"""How long the secret of a removed integration is kept where GitLab does not end its tokens."""

PendingRevocations = Callable[[str], Sequence[object]]
"""Tries once more to end in GitLab what is still to be ended of an integration, while there is its secret; the rest."""


class IntegrationLifecycle:
    """Brings integrations into being and removes them."""

    def __init__(
        self,
        table: Table,
        store: IntegrationStore,
        purge: Purge,
        now: Callable[[], float],
        pending_revocations: PendingRevocations = lambda _: (),
    ) -> None:
        self._table, self._store, self._purge, self._now = table, store, purge, now
        self._pending_revocations = pending_revocations
        self._incidents, self._due = IncidentStore(table, now, rows.is_live), DueRows(table, "unfinished")

    def create(self, integration: Integration, credential: Credential | None, contents: Contents) -> Integration:
        """Keep a new integration with its first credential, if any, or nothing. Raises DuplicateIntegration."""
        if rival := self._store.rival(integration):
            raise DuplicateIntegration(rival)
        self._reserve(integration.id)
        version = self._store.vault.create(integration.id, contents)
        try:
            self._table.transact(self._creation(integration, credential, version))
        except ConditionFailed:
            # A transaction whose answer was lost fails when it is repeated, and so does a repeated request.
            if not self._store.exists(integration.id):
                self._undo(integration.id)
                raise DuplicateIntegration(self._store.claimant(integration.identity)) from None
        return self._store.require(integration.id)

    def delete(self, integration_id: str) -> None:
        """Hide an integration at once, then remove what belongs to it. Raises NotFound."""
        self.mark_deleting(integration_id)
        self.purge(integration_id)

    def mark_deleting(
        self,
        integration_id: str,
        revocations: RevocationsOf = lambda _: (),
    ) -> Integration:
        """Put a tombstone in the place of an integration, and say what it was at last. Raises NotFound.

        What is to be ended in GitLab is noted with it: whoever clears up ends it first.
        """
        for _ in range(ATTEMPTS):
            holding = self._store.holding(integration_id)
            integration = holding.integration
            unchanged = Condition(equals={"version": integration.version, "lifecycle": rows.LIVE})
            tombstone = self._tombstone(integration_id, rows.DELETING, version=integration.version + 1)
            noted = (Put(row(one)) for one in revocations(holding))
            claim = Delete((f"IDENTITY#{integration.identity}", "CLAIM"))
            due = Put(self._due.item(_cleanup_due(tombstone)))
            try:
                self._table.transact([Put(tombstone, unchanged), claim, due, *noted])
            except ConditionFailed:
                if not self._is_deleting(integration_id):
                    continue
            return integration
        raise TooBusy("Others are changing this integration; try again.", retry_after=1)

    def cleanup_orphans(self) -> int:
        """Finish what was begun and left; say how much that was.

        Raises StorageRefused at its end where AWS refuses something of one: it holds up no other one.
        """
        now, finished = int(self._now()), 0
        refusals: list[StorageRefused] = []
        self._due.walk(self._add_missing_due_rows, now)
        for page in self._due.pages(now):
            for one in page:
                try:
                    finished += self._cleaned_up(one, now)
                except StorageRefused as error:
                    refusals.append(error)
                else:
                    self._due.drop([one])
        if refusals:
            raise refusals[0]
        return finished

    def _cleaned_up(self, one: Due, now: int) -> bool:
        """Finish what a look is about, if it is time; whether it was."""
        item = self._table.get(rows.INTEGRATIONS, one.subject)
        if item is None or not _is_unfinished(item):
            return False
        due = _cleanup_due(item)
        if due.at > now:
            self._due.add([due])
            return False
        self._finish(item)
        return True

    def _finish(self, item: Item) -> None:
        if item["lifecycle"] == rows.CONNECTING:
            self._undo(item["sk"])
        else:
            now = int(self._now())
            if self._pending_revocations(item["sk"]) and now < item["updated_at"] + REVOCATION_SECONDS:
                return  # The next walk through everything finds it, within an hour.
            # Once more than needed: a sync that ran during the removal may have written behind the first purge.
            self.purge(item["sk"])
            self._table.put(item | {"swept": True}, Condition(equals={"lifecycle": rows.DELETING}))

    def _add_missing_due_rows(self, after: str | None) -> str | None:
        """Have what is left among a page of the list swept where nothing asks for it."""
        page = self._table.query(rows.INTEGRATIONS, after=after, limit=PAGE)
        self._due.add_missing(_cleanup_due(item) for item in page.items if _is_unfinished(item))
        return None if page.last is None else page.last[1]

    def _reserve(self, integration_id: str) -> None:
        # First of all: what crashes behind this is swept.
        mine = self._tombstone(integration_id, rows.CONNECTING, version=1)
        self._due.add([_cleanup_due(mine)])
        if not is_written(self._table.put, mine, ABSENT) and self._is_deleting(integration_id):
            raise TooBusy("This request was made before, and undone. Send it as a new one.")

    def _undo(self, integration_id: str) -> None:
        # The secret first: while the row is there, somebody knows of the secret.
        self._store.vault.destroy(integration_id)
        still = Condition(equals={"lifecycle": rows.CONNECTING})
        try:
            self._table.delete(rows.INTEGRATIONS, integration_id, still)
        except ConditionFailed:
            return

    def purge(self, integration_id: str, *, pending_revocations: bool = False) -> None:
        """Remove what belongs to a hidden integration; doing it again has no second effect.

        `pending_revocations`: not its secret and what is noted to be ended with it; the sweep sees to these.
        """
        if not pending_revocations:
            self._store.vault.destroy(integration_id)
        for prefix in (one for one in rows.PURGED_PREFIXES if not (pending_revocations and one == rows.REVOCATION)):
            for items in query_pages(self._table, rows.partition(integration_id), prefix=prefix, limit=PAGE):
                self._table.write(deletes=[*_listings(items, integration_id), *((it["pk"], it["sk"]) for it in items)])
        self._incidents.delete(integration_id)
        for due_rows in (due_token_checks(self._table), due_snapshots(self._table)):
            due_rows.delete(integration_id)
        delete_due_runs(self._table, integration_id)
        try:
            self._purge(integration_id)
        except QueueUnavailable:
            # The tombstone stays, and the sweep asks again.
            return

    def _is_deleting(self, integration_id: str) -> bool:
        item = self._table.get(rows.INTEGRATIONS, integration_id)
        return item is not None and item["lifecycle"] == rows.DELETING

    def _creation(self, integration: Integration, credential: Credential | None, version: str) -> list[Put | Delete]:
        created = replace(integration, version=2, secret_version=version)
        reserved = Condition(equals={"lifecycle": rows.CONNECTING})
        first: list[Put | Delete] = []
        if credential is not None:
            first.append(Put(rows.credential_item(replace(credential, token_version=version), integration.host_url)))
            first.append(Put(rows.user_item(credential, integration.host_url)))
        first.append(Put(due_token_checks(self._table).item(changed(created))))
        if on_schedule(created):
            first += [Put(item) for item in rows_at_once(self._table, created.id, created.version)]
        return [
            Put(rows.integration_item(created), reserved),
            *first,
            Put(rows.claim_item(created.identity, created.id), ABSENT),
        ]

    def _tombstone(self, integration_id: str, lifecycle: str, *, version: int) -> Item:
        return rows.tombstone_item(integration_id, lifecycle, version=version, at=int(self._now()))


def _listings(items: list[Item], integration_id: str) -> Iterator[Key]:
    """Where credentials among these rows are listed with their GitLab user."""
    for item in items:
        if "user_pk" in item:
            yield item["user_pk"], rows.user_key(integration_id, str(item["sk"]).removeprefix(rows.CREDENTIAL))


def _is_unfinished(item: Item) -> bool:
    """Whether a row of the list is no integration, and still there so that its end is not forgotten."""
    return item["lifecycle"] != rows.LIVE and not item.get("swept")


def _cleanup_due(marker: Item) -> Due:
    """When what a marker stands for is nobody's work in progress any more."""
    return Due(marker["sk"], marker["updated_at"] + GRACE_SECONDS, marker["lifecycle"])
