"""Which groups' own pages a run has to read: only they tell at what level other groups were invited.

GraphQL has no level and no end of an invitation, but `sharedGroups` tells where a group was invited
(`SharedGroupsFinder` in GitLab). To whom every group is shown, as to an administrator, all of them together tell into
which groups any group was invited; the pages of the others have nothing new. Once a day, and in a full sync, every page
is read: the lock of memberships stands nowhere else.
"""

import asyncio
from dataclasses import dataclass, field

from gitlab_hub.access.asides import is_due, note_reading
from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.graphql.members import MemberBatches
from gitlab_hub.access.keys import GROUP_PAGES
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.inventory.store import Outline


@dataclass(frozen=True, slots=True)
class Wanted:
    """The pages to read: all of them, or those of some groups."""

    every: bool = True
    some: frozenset[int] = field(default_factory=frozenset)

    def has(self, number: int) -> bool:
        """Whether the page of this group is among them."""
        return self.every or number in self.some


class GroupPages:
    """Decides it, once in a slice."""

    def __init__(self, context: AccessContext, batches: MemberBatches) -> None:
        self._context, self._batches = context, batches
        self._deciding = asyncio.Lock()
        self._wanted: Wanted | None = None

    async def is_wanted(self, number: int) -> bool:
        """Whether the page of this group is to be read in this run."""
        async with self._deciding:
            if self._wanted is None:
                self._wanted = await self._decide()
        return self._wanted.has(number)

    async def were_read(self) -> None:
        """Every group had its turn."""
        if await is_due(self._context, GROUP_PAGES):
            await note_reading(self._context, GROUP_PAGES)

    async def _decide(self) -> Wanted:
        standing = await self._batches.standing(ResourceType.GROUP)
        if standing.invited_into is None or await is_due(self._context, GROUP_PAGES):
            return Wanted()
        groups = await self._context.session.io(self._context.inventory.store.outlines, ResourceType.GROUP)
        known = {number for number, one in groups.items() if _must_be_read(one, lock=standing.is_enterprise)}
        return Wanted(every=False, some=standing.invited_into | known)


def _must_be_read(group: Outline, *, lock: bool) -> bool:
    """Whether a stored group may change by its page, or was never read: an Enterprise Edition tells the lock there."""
    return group.has_shares or (lock and not group.tells_lock)
