"""What somebody asks for, and which account and resource that names in GitLab."""

import asyncio
from dataclasses import dataclass

from gitlab_hub.errors import NotInGitLab
from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.gitlab.fields import first_id, rows_in
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.planner import Planner
from gitlab_hub.web.errors import unfit

MOST_MINUTES = 43_200
"""Thirty days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody asks for: an account by its id or its username, a resource by its id or its full path."""

    account_id: int | None
    username: str | None
    resource_type: ResourceType
    resource_id: int | None
    full_path: str | None
    access_level: int
    seconds: int | None
    until: int | None
    reason: str
    break_glass: bool

    def ends_at(self, now: int) -> int:
        """When access given now would end (unix seconds). Raises Unprocessable for an end that is over, or far away."""
        if self.seconds is not None:
            return now + self.seconds
        if self.until is None or not now < self.until <= now + MOST_MINUTES * 60:
            raise unfit("body.until", "body.until must be in the future, and at most 30 days away.")
        return self.until


class Names:
    """Looks names up in GitLab. All calls block."""

    def __init__(self, gitlabs: GitLabs, planner: Planner) -> None:
        self._gitlabs, self._planner = gitlabs, planner

    def ids(self, connection: GitLabConnection, wanted: Wanted) -> tuple[int, int]:
        """The ids of the account and the resource. Raises NotInGitLab or GitLabError."""
        account_id = wanted.account_id or asyncio.run(self._account_of(connection, wanted.username or ""))
        if wanted.resource_id is not None or wanted.full_path is None:
            return account_id, wanted.resource_id or 0
        place = (wanted.resource_type, wanted.full_path)
        return account_id, self._planner.ids_of(connection, [place])[place]

    async def _account_of(self, connection: GitLabConnection, username: str) -> int:
        """Find an account (docs.gitlab.com/api/users, "List users": `username` is exact, whatever its case)."""
        async with self._gitlabs.open(connection) as gitlab:
            rows = rows_in((await gitlab.get("/users", {"username": username})).body)
        found = first_id(rows[0], "id") if rows else None
        if found is None:
            raise NotInGitLab("GitLab shows no account of this username to the token; check how it is written.")
        return found
