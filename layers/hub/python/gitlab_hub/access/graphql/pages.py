"""Which groups' own pages a run has to read: only they tell at what level other groups were invited.

GraphQL has no level and no end of an invitation, but `sharedGroups` tells where a group was invited
(`SharedGroupsFinder` in GitLab). To whom every group is shown, as to an administrator, all of them together tell into
which groups any group was invited; the pages of the others have nothing new but the lock of memberships, which stands
nowhere else: they are read in rounds. A full sync reads every page.
"""

import asyncio
from dataclasses import dataclass, field

from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.due import now_of
from gitlab_hub.access.graphql.members import MemberBatches
from gitlab_hub.access.keys import GROUP_PAGES
from gitlab_hub.access.rounds import Round, most_at_once, part_of
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ResourceType


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
        self._round: Round | None = None

    async def is_wanted(self, number: int) -> bool:
        """Whether the page of this group is to be read in this run."""
        async with self._deciding:
            if self._wanted is None:
                self._wanted = await self._decide()
        return self._wanted.has(number)

    async def note_round(self) -> None:
        """Note how far the round is, once every group had its turn."""
        session = self._context.session
        if self._round is not None:
            await session.write(
                self._context.store.readings.note_round, GROUP_PAGES, self._round, sync_id=session.sync_id
            )

    async def _decide(self) -> Wanted:
        standing = await self._batches.standing(ResourceType.GROUP)
        if standing.invited_into is None:
            return Wanted()
        session, now = self._context.session, now_of(self._context)
        groups = await session.io(self._context.inventory.store.outlines, ResourceType.GROUP)
        before = await session.io(self._context.store.readings.round, GROUP_PAGES)
        some = standing.invited_into | {number for number, group in groups.items() if group.has_shares}
        rest = {padded(number): group for number, group in sorted(groups.items()) if number not in some}
        # An Enterprise Edition tells the lock there; where it is not known the page was never read.
        unread = [key for key, group in rest.items() if standing.is_enterprise and not group.tells_lock]
        part = part_of(
            before,
            unread,
            [key for key in rest if key not in unread],
            most=most_at_once(len(groups), is_first=before is None, full=False),
            now=now,
        )
        self._round = part.after
        return Wanted(every=False, some=some | {int(key) for key in part.keys})
