"""What the stages of one slice share: the session, the stored rows, and the four datasets kept equal to GitLab's."""

import asyncio
from dataclasses import dataclass

from gitlab_hub.access.changes.feed import ChangeFeed
from gitlab_hub.access.keys import ACCOUNTS, GRANTS
from gitlab_hub.access.store import AccessStore
from gitlab_hub.access.transform import is_admin_row
from gitlab_hub.gitlab.errors import GitLabError, RateLimited, Unauthorized
from gitlab_hub.inventory.listing import BY_ID, Inventory
from gitlab_hub.storage.ports import Key
from gitlab_hub.sync.ports import Mirror, Session

# How far a run's token sees: found out by asking GitLab, not by comparing names or trusting a stored flag.

USERS = "/users"


class Visibility:
    """What the token may list; asked once per slice and only where it makes a difference."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asking = asyncio.Lock()
        self._can_list_accounts: bool | None = None

    @property
    def expects_account_list(self) -> bool:
        """Whether the credential was an administrator's when it was checked, and nothing narrows the run."""
        return self._session.target.is_admin and self._session.target.group is None

    async def can_list_accounts(self) -> bool:
        """Whether `/users` answers as it does for administrators.

        With GitLab's admin mode an administrator's token without that scope sees names only, and no error.
        """
        async with self._asking:
            if self._can_list_accounts is None:
                self._can_list_accounts = self.expects_account_list and await self._sees_admin_fields()
            return self._can_list_accounts

    def note(self, *, lists_accounts: bool) -> None:
        """Hear from whoever reads the list of users what it is like."""
        self._can_list_accounts = lists_accounts

    async def collects_accounts(self) -> bool:
        """Whether accounts are to be taken from member lists. Where in doubt they are: that erases nothing."""
        try:
            return not await self.can_list_accounts()
        except (RateLimited, Unauthorized):
            raise
        except GitLabError:
            # Asked once: trouble with the user list is the accounts' stage's, not that of every group and project.
            self._can_list_accounts = False
            return True

    async def _sees_admin_fields(self) -> bool:
        async for page in self._session.gitlab.pages(USERS, BY_ID, per_page=1):
            return bool(page.rows) and all(is_admin_row(row) for row in page.rows)
        return False


@dataclass(frozen=True, slots=True)
class AccessContext:
    """All mirrors exist from the start of a slice: doubt about one dataset must be able to hold back the others."""

    session: Session
    store: AccessStore
    visibility: Visibility
    accounts: Mirror
    grants: Mirror
    inventory: Inventory

    @classmethod
    def of(cls, session: Session, store: AccessStore) -> "AccessContext":
        """Prepare a slice."""
        return cls(
            session=session,
            store=store,
            visibility=Visibility(session),
            accounts=session.mirror(ACCOUNTS, store.accounts),
            grants=session.mirror(GRANTS, store.grants),
            inventory=Inventory.of(session, store.inventory),
        )

    @property
    def feed(self) -> ChangeFeed:
        """Where changes are told."""
        return self.store.feed

    async def first_reading(self, scope: str) -> Key | None:
        """What stands for a list that was never read to its end: as long as it is there, nothing in it is news."""
        return await self.session.io(self.feed.first_reading, scope)

    async def was_read(self, scope: str, mark: Key | None) -> None:
        """A list was read to its end; where that was the first time, what comes up in it is news from now on."""
        if mark is not None:
            await self.session.write(self.feed.was_read, scope)
