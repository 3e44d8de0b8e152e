"""The inventory as whoever revokes tokens and keys needs it: found by their ids, and noted as over.

Lists are read once a day. What was revoked in the meantime would be shown as good until then, so its row is written as
the next sync would write it; a sync that is about to write the same row comes first.
"""

from contextlib import suppress
from dataclasses import replace

from gitlab_hub.access.credentials.model import Credential, account_partition_of, id_of, scope_of
from gitlab_hub.access.credentials.store import CredentialStore
from gitlab_hub.access.keys import BY_ACCOUNT
from gitlab_hub.gitlab.credential_kinds import ACCESS_TOKENS, CredentialKind
from gitlab_hub.storage.ports import ConditionFailed, Table
from gitlab_hub.storage.rows import content_hash, query_all, value_of
from gitlab_hub.sync.table_rows import HASH, unchanged


class CredentialEndings:
    """The listed tokens and keys of every integration. All calls block."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, integration_id: str, kind: CredentialKind, number: int) -> list[Credential]:
        """Those of a kind and an id; goes through the keys of all of that kind."""
        store = CredentialStore(self._table, integration_id)
        keys = [key for key in store.keys([kind]) if id_of(key) == number]
        return [found for key in keys if (found := store.get(key)) is not None]

    def of_account(self, integration_id: str, account_id: int) -> list[Credential]:
        """Those that act as an account."""
        pk = account_partition_of(integration_id, account_id)
        return [value_of(Credential, item) for item in query_all(self._table, pk, index=BY_ACCOUNT)]

    def ended(self, integration_id: str, credential: Credential) -> None:
        """Note that one opens nothing any more: an access token as revoked, of all others the row goes."""
        store = CredentialStore(self._table, integration_id)
        scope = scope_of(credential.kind)
        digest = store.rows.stored_of(scope, [credential.key]).get(credential.key)
        stored = store.get(credential.key)
        if stored is None or digest is None:
            return
        pk, sk = store.place_of(credential.key)
        with suppress(ConditionFailed):  # A sync has just read it anew.
            if credential.kind not in ACCESS_TOKENS:
                self._table.delete(pk, sk, unchanged(digest))
                return
            row = store.row(replace(stored, revoked=True))
            item = {**row.item, "pk": pk, "sk": sk, HASH: content_hash(row.item), "schema_version": 1}
            self._table.put(item, unchanged(digest))
