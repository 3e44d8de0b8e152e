"""The rows of credentials, and what is noted of their readings. All calls block."""

from collections.abc import Iterable, Iterator, Sequence

from gitlab_hub.access.credentials.model import Credential, account_partition_of, scope_of
from gitlab_hub.access.grant_rows import grants_to
from gitlab_hub.access.keys import ACCOUNTS, BY_ACCOUNT, CREDENTIALS, READINGS
from gitlab_hub.access.model import Account
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import Resource, ResourceType, partition
from gitlab_hub.inventory.store import known_among
from gitlab_hub.storage.ports import Key, Table
from gitlab_hub.storage.rows import item_of, query_all, value_of
from gitlab_hub.sync.ports import Row
from gitlab_hub.sync.table_rows import TableRows

OWN_TOKEN, READ = "own_token", "credentials"
PAGE = 500


class CredentialStore:
    """The credentials of one integration, and the accounts, groups and projects that they are read by."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._integration_id = table, integration_id
        self._pk = partition(integration_id, CREDENTIALS)
        self.rows = TableRows(
            table,
            key=lambda _, key: (self._pk, key),
            scope_range=lambda scope: (self._pk, f"{scope}#"),
            row_key=lambda sk: sk,
        )

    def row(self, credential: Credential) -> Row:
        """Make a credential what is stored of it, findable by the account that it acts as."""
        index = {}
        if credential.account_id is not None:
            pk = account_partition_of(self._integration_id, credential.account_id)
            index = {f"{BY_ACCOUNT}_pk": pk, f"{BY_ACCOUNT}_sk": credential.key}
        return Row(credential.key, {**item_of(credential), **index})

    def place_of(self, key: str) -> Key:
        """Where a row lies in the table."""
        return self._pk, key

    def get(self, key: str) -> Credential | None:
        """Read one credential by where it lies."""
        item = self._table.get(self._pk, key)
        return None if item is None else value_of(Credential, item)

    def of(self, kind: CredentialKind) -> Iterator[Credential]:
        """All stored credentials of a kind, in order of what they belong to."""
        items = query_all(self._table, self._pk, prefix=f"{scope_of(kind)}#")
        return (value_of(Credential, item) for item in items)

    def all(self) -> Iterator[Credential]:
        """All stored credentials."""
        return (value_of(Credential, item) for item in query_all(self._table, self._pk))

    def keys(self, kinds: Iterable[CredentialKind]) -> Iterator[str]:
        """Where all stored credentials of some kinds lie."""
        for kind in sorted(kinds):
            for item in query_all(self._table, self._pk, prefix=f"{scope_of(kind)}#", attributes=("sk",)):
                yield str(item["sk"])

    def accounts(self, ids: Iterable[int]) -> dict[int, Account]:
        """Those of some accounts that are stored."""
        return known_among(self._table, partition(self._integration_id, ACCOUNTS), Account, ids).values

    def accounts_after(self, after: str | None) -> list[Account]:
        """The next stored accounts in order of their ids, none at the end."""
        rows = self._table.query(partition(self._integration_id, ACCOUNTS), after=after, limit=PAGE)
        return [value_of(Account, item) for item in rows.items]

    def resources_after(self, kind: ResourceType, after: str | None) -> list[Resource]:
        """The next stored groups or projects in order of their ids, none at the end."""
        rows = self._table.query(partition(self._integration_id, kind.collection), after=after, limit=PAGE)
        return [value_of(Resource, item) for item in rows.items]

    def count(self, collection: str) -> int:
        """How many accounts, groups or projects are stored."""
        return sum(1 for _ in query_all(self._table, partition(self._integration_id, collection), attributes=("sk",)))

    def are_stored(self, collection: str, ids: Sequence[int]) -> set[int]:
        """Those of some accounts, groups or projects that are stored."""
        pk = partition(self._integration_id, collection)
        found = self._table.get_many([(pk, padded(number)) for number in ids], attributes=("sk",))
        return {int(item["sk"]) for item in found}

    def levels(self, accounts: Iterable[int]) -> dict[tuple[int, ResourceType, int], int]:
        """What some accounts were given directly: the level by account and group or project."""
        grants = (grant for one in set(accounts) for grant in grants_to(self._table, self._integration_id, one))
        return {(one.account_id, ResourceType(one.resource_type), one.resource_id): one.access_level for one in grants}

    def note(self, name: str, number: int) -> None:
        """Note a number under a name; one that is noted already is not written again."""
        if self.noted(name) != number:
            row = {"pk": partition(self._integration_id, READINGS), "sk": name, "schema_version": 1}
            self._table.put({**row, "value": number})

    def noted(self, name: str) -> int | None:
        """Read such a number."""
        item = self._table.get(partition(self._integration_id, READINGS), name)
        return None if item is None else int(item["value"])
