"""Whether those whom credentials act as are still there: told from the stored accounts and memberships."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from gitlab_hub.access.credentials.risks import UNKNOWN, OwnerFacts
from gitlab_hub.access.grant_rows import grants_to
from gitlab_hub.access.keys import ACCOUNTS, ADMINISTRATORS, READINGS
from gitlab_hub.access.model import Account, AccountStatus, Grant
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import partition
from gitlab_hub.storage.ports import Table
from gitlab_hub.storage.rows import value_of

TOKEN_BOTS = frozenset({AccountKind.GROUP_BOT, AccountKind.PROJECT_BOT})


@dataclass(slots=True)
class Owners:
    """What is known of some accounts; pure.

    `is_whole`: whether every account of the GitLab is stored, so that one that is not stored is gone.
    """

    is_whole: bool
    known: set[int] = field(default_factory=set)
    disabled: set[int] = field(default_factory=set)
    administrators: set[int] = field(default_factory=set)
    bots: set[int] = field(default_factory=set)
    granted: set[int] = field(default_factory=set)
    makers: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Who added a bot, which is whoever made its token; by the bots."""

    def account(self, account: Account) -> None:
        """Take in an account."""
        self.known.add(account.id)
        if account.status == AccountStatus.DISABLED:
            self.disabled.add(account.id)
        if account.is_admin:
            self.administrators.add(account.id)
        if account.kind in TOKEN_BOTS:
            self.bots.add(account.id)

    def grant(self, grant: Grant) -> None:
        """Take in a membership, behind the account that has it."""
        self.granted.add(grant.account_id)
        if grant.account_id in self.bots and grant.granted_by is not None:
            self.makers[grant.account_id].add(grant.granted_by)

    def facts(self, account_id: int | None) -> OwnerFacts:
        """Say whether an account is disabled, and whether it, or whoever made it, has left."""
        if account_id is None:
            return UNKNOWN
        makers = self.makers.get(account_id, set())
        left = self._has_left(account_id) or (bool(makers) and all(map(self._has_left, makers)))
        return OwnerFacts(account_id in self.disabled, left)

    def _has_left(self, account_id: int) -> bool:
        if account_id not in self.known:
            return self.is_whole
        # An administrator reaches everything without a membership.
        is_member = account_id in self.granted or account_id in self.administrators
        return account_id in self.disabled or not is_member


class OwnerReader:
    """Reads what is known of the owners of a page of credentials. All calls block."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._integration_id = table, integration_id

    def accounts(self, ids: Iterable[int]) -> Mapping[int, Account]:
        """Those of some accounts that are stored."""
        pk = partition(self._integration_id, ACCOUNTS)
        items = self._table.get_many([(pk, padded(number)) for number in sorted(set(ids))])
        return {item["id"]: value_of(Account, item) for item in items}

    def owners(self, ids: Collection[int]) -> Owners:
        """What is known of some accounts, and of those that made the bots among them; a small query for each."""
        owners = Owners(self.is_whole())
        self._load(owners, ids)
        makers = {maker for made_by in owners.makers.values() for maker in made_by}
        self._load(owners, makers - owners.known)
        return owners

    def is_whole(self) -> bool:
        """Whether the last access sync was shown every account of the GitLab."""
        return self._table.get(partition(self._integration_id, READINGS), ADMINISTRATORS) is not None

    def _load(self, owners: Owners, ids: Iterable[int]) -> None:
        for account in self.accounts(ids).values():
            owners.account(account)
            for grant in grants_to(self._table, self._integration_id, account.id):
                owners.grant(grant)
