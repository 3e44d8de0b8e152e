"""How far a run's token sees: found out by asking GitLab, not by comparing names or trusting a stored flag."""

import asyncio

from gitlab_hub.access.transform import is_admin_row
from gitlab_hub.gitlab.errors import GitLabError, RateLimited, Unauthorized
from gitlab_hub.sync.ports import Session

USERS = "/users"
BY_ID = {"order_by": "id", "sort": "asc"}


class Reach:
    """What the token may list; asked once per slice and only where it makes a difference."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asking = asyncio.Lock()
        self._lists_accounts: bool | None = None

    @property
    def ought_to_list_accounts(self) -> bool:
        """Whether the credential was an administrator's when it was checked, and nothing narrows the run."""
        return self._session.target.is_admin and self._session.target.group is None

    async def lists_accounts(self) -> bool:
        """Whether `/users` answers as it does for administrators.

        With GitLab's admin mode an administrator's token without that scope sees names only, and no error.
        """
        async with self._asking:
            if self._lists_accounts is None:
                self._lists_accounts = self.ought_to_list_accounts and await self._sees_admin_fields()
            return self._lists_accounts

    async def gathers_accounts(self) -> bool:
        """Whether accounts are to be taken from member lists. Where in doubt they are: that erases nothing."""
        try:
            return not await self.lists_accounts()
        except (RateLimited, Unauthorized):
            raise
        except GitLabError:
            # Asked once: trouble with the user list is the accounts' stage's, not that of every group and project.
            self._lists_accounts = False
            return True

    async def _sees_admin_fields(self) -> bool:
        async for page in self._session.gitlab.pages(USERS, BY_ID, per_page=1):
            return bool(page.rows) and all(is_admin_row(row) for row in page.rows)
        return False


def inside(full_path: str, group: str) -> bool:
    """Whether a path is the group's own or below it; GitLab's paths ignore case."""
    return f"{full_path}/".casefold().startswith(f"{group}/".casefold())
