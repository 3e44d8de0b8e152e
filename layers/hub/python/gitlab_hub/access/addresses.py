"""Whose an address is, by all that the lists of accounts have told: also those that GitLab shows to few.

What is stored of an account has its addresses from `/users` (to administrators), from the enterprise users, the
billable and pending members of a top-level group, and from its identities (`access/sources/`).
"""

from collections.abc import Collection

from gitlab_hub.access.keys import ACCOUNTS
from gitlab_hub.inventory.model import partition
from gitlab_hub.storage.ports import Table
from gitlab_hub.storage.rows import query_all


class AccountAddresses:
    """Finds accounts by their addresses. All calls block."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def holders(self, integration_id: str, addresses: Collection[str]) -> dict[str, str]:
        """The usernames of the accounts that some addresses (in lower case) belong to, without the unknown ones.

        There is no index by address: it goes through all accounts, once for whatever number of addresses.
        """
        wanted, found = set(addresses), dict[str, str]()
        names = ("id", "username", "emails", "identities")
        for row in query_all(self._table, partition(integration_id, ACCOUNTS), attributes=names):
            known = [one.get("value") for one in row.get("emails") or ()]
            known += [one.get("extern_uid") for one in row.get("identities") or ()]
            for value in known:
                if isinstance(value, str) and value.lower() in wanted:
                    found[value.lower()] = str(row.get("username") or f"account {row['id']}")
        return found
