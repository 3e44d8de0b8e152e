"""Reads the direct members of many groups and projects at once, and says which of them REST has to be asked for.

A list counts as read only where everything says that it is whole: no error lies on it, nothing in it is null that must
not be, and its pages come to an end. Whatever else comes is for REST to tell, list by list.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.due import is_due
from gitlab_hub.access.graphql.comparison import is_same
from gitlab_hub.access.graphql.queries import MemberPage, member_pages, values_of
from gitlab_hub.access.graphql.standing import Place, Probe, Standing
from gitlab_hub.access.keys import TOP_GROUPS
from gitlab_hub.access.transform import Nameless
from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.gitlab.graphql import GraphQLReply
from gitlab_hub.gitlab.graphql_batches import ENDS_SLICE, TOO_MUCH, BatchSize
from gitlab_hub.inventory.listing import MAX_COLLECTED, Rows
from gitlab_hub.inventory.model import ResourceType

WORTH_IT = 20
"""So many lists cost REST about as many requests as finding out whether GraphQL may be used."""

FIRST = 200
"""Lists that the first batch asks for."""


class Told(NamedTuple):
    """A list of members, as rows of REST's, and which way they came; GraphQL lists those without an account, too."""

    rows: Rows
    by_graphql: bool
    nameless: tuple[Nameless, ...] = ()


class MemberBatches:
    """The lists of one slice. Whoever reads a list of which nothing is known here is told so, and asks REST."""

    def __init__(self, context: AccessContext, *, worth_it: int = WORTH_IT) -> None:
        self._context, self._worth_it = context, worth_it
        self._one_at_a_time = asyncio.Lock()
        self._planned: dict[Place, str] = {}
        self._found: dict[Place, Told | None] = {}
        self._standings: dict[ResourceType, Standing] = {}
        self._size = BatchSize(FIRST)
        self._unproven: tuple[Place, Rows] | None = None

    def plan(self, kind: ResourceType, resources: Iterable[tuple[str, str]]) -> None:
        """Hear of groups or projects, by keys and full paths, whose lists are to be read next, in this order."""
        self._planned |= {(kind, int(key)): path for key, path in resources}

    async def told_of(self, kind: ResourceType, number: int) -> Told | None:
        """What is known of a list; None where REST has to tell it."""
        place = (kind, number)
        async with self._one_at_a_time:
            standing = await self._decided(kind)
            if place in self._planned and place not in self._found and standing.takes(kind, self._planned[place]):
                await self._fetch(place, standing)
            self._planned.pop(place, None)
            return self._found.pop(place, None)

    async def standing(self, kind: ResourceType) -> Standing:
        """What GraphQL may tell in this run."""
        async with self._one_at_a_time:
            return await self._decided(kind)

    async def _decided(self, kind: ResourceType) -> Standing:
        if kind not in self._standings:
            # What was not put to the test yet, as all lists were for REST, is found out with lists of this kind.
            known = (one for one in self._standings.values() if kind in one.schema.kinds and self._unproven is None)
            self._standings[kind] = next(known, None) or (
                await self._found_out(kind) if await self._is_worth_it() else Standing()
            )
        return self._standings[kind]

    async def _is_worth_it(self) -> bool:
        """Whether there are enough lists. A full sync asks REST for everything: that is what it is for."""
        session, store = self._context.session, self._context.inventory.store
        if session.full or not self._planned:
            return False
        return sum([await session.io(store.count, kind) for kind in ResourceType]) >= self._worth_it

    async def _found_out(self, kind: ResourceType) -> Standing:
        probe = Probe(self._context)
        try:
            some = [number for of, number in self._planned if of is kind]
            standing = await probe.standing(kind, some, leaves_tops=await is_due(self._context, TOP_GROUPS))
        except ENDS_SLICE:
            raise
        except GitLabError:
            standing = Standing()
        if probe.sample is not None:
            self._unproven = (probe.sample, probe.read[probe.sample])
        self._found |= {place: Told(rows, by_graphql=False) for place, rows in probe.read.items()}
        if not standing.schema.kinds:
            self._context.session.count(graphql_refused=1)
        return standing

    async def _fetch(self, place: Place, standing: Standing) -> None:
        """Read a batch that begins with this list, in smaller ones where it is too much."""
        size = self._size
        while place not in self._found:
            batch, begun = self._batch(place, standing), self._context.session.now()
            try:
                pages, too_much = await self._ask(batch, standing)
            except ENDS_SLICE:
                raise
            except TOO_MUCH:
                pages, too_much = {}, True
            except GitLabError:
                self._give_up()
                return
            if self._unproven is not None and self._unproven[0][1] not in pages:
                pages = {}  # What may not be the same is not taken.
            elif not self._is_proven(pages, standing):
                self._give_up(differs=1)
                return
            await self._take([one for one in batch if not too_much or one[1] in pages], pages, standing)
            if too_much or not pages:
                size.was_too_much(brought_any=bool(pages))
            else:
                size.worked((self._context.session.now() - begun).total_seconds())
            if size.is_hopeless:
                self._give_up()
                return
            if len(batch) == 1:
                self._found.setdefault(place, None)

    def _batch(self, first: Place, standing: Standing) -> list[Place]:
        """This list and those that are read after it; the first batch has a list in it that REST has told, too."""
        kind, wanted = first[0], self._size.within(standing.members(first[0]).within(standing.schema.limit))
        begin = [first] if self._unproven is None else [self._unproven[0], first]
        open_ones = (
            one for one, path in self._planned.items()
            if one[0] is kind and one != first and one not in self._found and standing.takes(kind, path)
        )  # fmt: skip
        return [*begin, *islice(open_ones, max(0, wanted - len(begin)))]

    def _is_proven(self, pages: dict[int, MemberPage], standing: Standing) -> bool:
        """Whether the list that was read both ways is the same both ways; asked once."""
        if self._unproven is None:
            return True
        (kind, number), rows = self._unproven
        if not is_same(rows, pages[number], kind, number, accounts_too=standing.wants_accounts):
            return False
        self._unproven = None
        return True

    async def _ask(self, batch: Sequence[Place], standing: Standing) -> tuple[dict[int, MemberPage], bool]:
        """Ask for a batch's first pages: those that came whole, and whether less at once may bring the others."""
        kind = batch[0][0]
        reply = await self._query(kind, [number for _, number in batch], standing)
        return member_pages(reply, kind, standing.state), reply.is_too_much

    async def _take(self, batch: Sequence[Place], pages: dict[int, MemberPage], standing: Standing) -> None:
        for kind, number in batch:
            page = pages.get(number)
            if (kind, number) in self._found:
                continue  # REST has told it: it was asked for to be compared.
            self._found[kind, number] = None if page is None else await self._whole(kind, number, page, standing)

    async def _whole(self, kind: ResourceType, number: int, page: MemberPage, standing: Standing) -> Told | None:
        """Read a list of more than a page to its end, or not at all."""
        rows, nameless, seen = list(page.rows), page.nameless, set[str]()
        while page.next is not None:
            if page.next in seen or len(rows) > MAX_COLLECTED:
                return None
            seen.add(page.next)
            try:
                reply = await self._query(kind, [number], standing, after=page.next)
            except ENDS_SLICE:
                raise
            except GitLabError:
                return None
            following = member_pages(reply, kind, standing.state).get(number)
            if following is None:
                return None
            page = following
            rows += page.rows
            nameless += page.nameless
        return Told(rows, by_graphql=True, nameless=nameless)

    async def _query(
        self, kind: ResourceType, numbers: Sequence[int], standing: Standing, *, after: str | None = None
    ) -> GraphQLReply:
        query = standing.members(kind).query(len(numbers))
        return await self._context.session.gitlab.query(query, values_of(kind, numbers, after=after))

    def _give_up(self, *, differs: int = 0) -> None:
        """Leave everything that is not known yet to REST, for the rest of the slice."""
        self._standings = dict.fromkeys(ResourceType, Standing())
        self._context.session.count(graphql_given_up=1, **({"graphql_differs": differs} if differs else {}))
