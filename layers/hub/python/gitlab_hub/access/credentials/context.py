"""What the stages of one slice share, first of all what the token may read: GitLab is asked for that."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from gitlab_hub.access.context import Visibility
from gitlab_hub.access.credentials.one_row import OneRow
from gitlab_hub.access.credentials.store import CredentialStore
from gitlab_hub.access.keys import CREDENTIALS
from gitlab_hub.gitlab.errors import Forbidden
from gitlab_hub.gitlab.fields import number
from gitlab_hub.gitlab.keyset import keyset_pages
from gitlab_hub.inventory.listing import BY_ID, Params
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.sync.asides import as_refusal
from gitlab_hub.sync.ports import Mirror, Session

T = TypeVar("T")

LEAN: Mapping[ResourceType, Params] = {ResourceType.GROUP: BY_ID, ResourceType.PROJECT: {**BY_ID, "simple": "true"}}


class Reach:
    """How far the token sees, asked once per slice and only where it makes a difference."""

    def __init__(self, session: Session) -> None:
        self._session, self._visibility = session, Visibility(session)
        self._asking = asyncio.Lock()
        self._ids: dict[tuple[ResourceType, int], frozenset[int] | Forbidden] = {}

    async def sees_instance(self) -> bool:
        """Whether the lists of the whole GitLab answer as they do for administrators, and are wanted."""
        return await self._visibility.can_list_accounts()

    async def shows(self, kind: ResourceType, resource_id: int, least: int) -> bool:
        """Whether the user has a level in a group or project, as far as GitLab lists them by it.

        Administrators have every level. By `min_access_level` GitLab lists projects by everything that counts there
        (`project_authorizations`), groups by memberships in them and above them (app/finders/groups_finder.rb).
        """
        target = self._session.target
        if (target.is_admin and target.group is not None) or await self.sees_instance():
            return True
        listed = await self._listed(kind, least)
        return not isinstance(listed, Forbidden) and resource_id in listed

    async def refusal(self, kind: ResourceType, least: int) -> Forbidden | None:
        """Why GitLab does not even list the groups or projects in which the user has a level; None where it does."""
        listed = await self._listed(kind, least)
        return listed if isinstance(listed, Forbidden) else None

    async def _listed(self, kind: ResourceType, least: int) -> frozenset[int] | Forbidden:
        async with self._asking:
            if (kind, least) not in self._ids:
                self._ids[kind, least] = await self._list(kind, least)
        return self._ids[kind, least]

    async def _list(self, kind: ResourceType, least: int) -> frozenset[int] | Forbidden:
        found: set[int | None] = set()
        params = {**LEAN[kind], "min_access_level": least}
        try:
            async for page in keyset_pages(self._session.gitlab, f"/{kind.collection}", params):
                found.update(number(row.get("id")) for row in page.rows)
        except Forbidden as error:  # A fine-grained token without Group: Read or Project: Read.
            return error
        return frozenset(one for one in found if one is not None)

    async def as_refusal(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call that GitLab refuses with 401 where its user has too little: see `asides.as_refusal`."""
        return await as_refusal(self._session, call)


@dataclass(frozen=True, slots=True)
class CredentialContext:
    """The session, the stored rows, and the one dataset kept equal to GitLab's."""

    session: Session
    store: CredentialStore
    reach: Reach
    mirror: Mirror
    one_row: OneRow

    @classmethod
    def of(cls, session: Session, store: CredentialStore) -> "CredentialContext":
        """Prepare a slice."""
        return cls(session, store, Reach(session), session.mirror(CREDENTIALS, store.rows), OneRow(session, store))
