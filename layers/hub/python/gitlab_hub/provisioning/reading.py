"""Reading from GitLab, live, what an operation touches; the mirror only says whether the hub covers it.

A reader remembers accounts, places and its own roles for as long as one plan is looked at, so that fifty operations in
one group do not ask fifty times for it, also where they are looked at together. Memberships are never remembered: they
are what changes.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gitlab_hub.errors import NotInGitLab
from gitlab_hub.gitlab.errors import Forbidden, GitLabError, ResourceNotFound
from gitlab_hub.gitlab.fields import GitLabRow, first_id, mapping, number, rows_in
from gitlab_hub.gitlab.messages import segment
from gitlab_hub.gitlab.roles import OWNER
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.errors import OutOfSight
from gitlab_hub.provisioning.fact_rows import member_of, person_of, place_of
from gitlab_hub.provisioning.facts import Hand, Inherited, Member, Person, Place
from gitlab_hub.provisioning.states import Membership

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

_MOST_PARENTS = 25
"""GitLab nests 20 levels (app/models/namespace.rb, `Namespace::NUMBER_OF_ANCESTORS_ALLOWED`)."""

_MOST_OWNERS = 10_000
MOST_COMPARED = 1_000
"""Direct members of one place that are read before and after a write: ten pages."""

_SMALL = {"with_projects": "false"}


class LiveReader:
    """Reads facts with one client."""

    def __init__(self, gitlab: "GitLab", hand: Hand) -> None:
        self._gitlab, self.hand = gitlab, hand
        self._people: dict[int, Person | None] = {}
        self._places: dict[tuple[ResourceType, int], Place | None] = {}
        self._own_levels: dict[tuple[ResourceType, int], int] = {}
        self._saml: dict[int, bool] = {}
        self._own_token: list[int | None] = []
        self._asking: defaultdict[tuple[object, ...], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def person(self, account_id: int) -> Person | None:
        """An account; None where GitLab shows none."""
        async with self._asking["person", account_id]:
            if account_id not in self._people:
                row = await self.row(f"/users/{account_id}")
                self._people[account_id] = None if row is None else person_of(row)
        return self._people[account_id]

    async def place(self, kind: ResourceType, number: int) -> Place | None:
        """A group or project; None where GitLab shows none."""
        async with self._asking["place", kind, number]:
            if (kind, number) not in self._places:
                is_group = kind is ResourceType.GROUP
                row = await self.row(f"/{kind.collection}/{number}", _SMALL if is_group else None)
                self._places[kind, number] = None if row is None else await self._place_of(kind, row)
        return self._places[kind, number]

    async def id_of(self, kind: ResourceType, path: str) -> int:
        """The id of a group or project by its full path. Raises NotInGitLab."""
        row = await self.row(f"/{kind.collection}/{segment(path)}")
        found = None if row is None else first_id(row, "id")
        if found is None:
            raise NotInGitLab(f"GitLab shows no {kind} {path[:200]} to the token; check its full path.")
        return found

    async def member(self, kind: ResourceType, number: int, account_id: int) -> Member | None:
        """The direct membership of an account; None where there is none."""
        row = await self.row(f"/{kind.collection}/{number}/members/{account_id}")
        return None if row is None else member_of(row)

    async def check_shown(self, kind: ResourceType, number: int) -> None:
        """Make sure that a 404 about something inside a place says that it is not there. Raises OutOfSight.

        Asked anew each time: a place that was shown a moment ago need not be shown any more.
        """
        if await self.row(f"/{kind.collection}/{number}", _SMALL if kind is ResourceType.GROUP else None) is None:
            raise OutOfSight(f"GitLab does not show {kind} {number} to the token (any more).")

    async def _place_of(self, kind: ResourceType, row: GitLabRow) -> Place:
        place = place_of(kind, row)
        if kind is ResourceType.GROUP or place.parent_id is None:
            return place
        group = await self.place(ResourceType.GROUP, place.parent_id)
        return place if group is None else replace(place, is_locked=group.is_locked, locks_shares=group.locks_shares)

    async def syncs_saml(self, place: Place) -> bool:
        """Whether SAML group links manage the members of a group (Premium; docs.gitlab.com/api/saml)."""
        if place.type is not ResourceType.GROUP:
            return False
        async with self._asking["saml", place.id]:
            if place.id not in self._saml:
                try:
                    reply = await self._gitlab.get(f"/groups/{place.id}/saml_group_links")
                    self._saml[place.id] = bool(rows_in(reply.body))
                except (ResourceNotFound, Forbidden):
                    self._saml[place.id] = False
        return self._saml[place.id]

    async def line(self, place: Place) -> list[Place]:
        """The groups above a place, the nearest first, as far as the token is shown them."""
        found: list[Place] = []
        parent = place.parent_id
        while parent is not None and len(found) < _MOST_PARENTS:
            group = await self.place(ResourceType.GROUP, parent)
            if group is None:
                break
            found.append(group)
            parent = group.parent_id
        return found

    async def inherited(self, place: Place, account_id: int) -> Inherited | None:
        """The highest membership in a group above (Member#highest_group_member)."""
        best: Inherited | None = None
        for group in await self.line(place):
            above = await self.member(group.type, group.id, account_id)
            if above is not None and (best is None or above.membership.access_level > best.level):
                best = Inherited(level=above.membership.access_level, full_path=group.full_path)
        return best

    async def own_level(self, place: Place) -> int:
        """The level of the token's user in a place, by whatever way."""
        if self.hand.is_admin:
            return OWNER
        key = (place.type, place.id)
        async with self._asking["own level", *key]:
            if key not in self._own_levels:
                mine = place.owner_id == self.hand.account_id
                self._own_levels[key] = OWNER if mine else await self.level_in(place, self.hand.account_id)
        return self._own_levels[key]

    async def level_in(self, place: Place, account_id: int) -> int:
        """The level of an account in a place by whatever way GitLab lists."""
        row = await self.row(f"/{place.type.collection}/{place.id}/members/all/{account_id}")
        return 0 if row is None else number(row.get("access_level")) or 0

    async def member_count(self, place: Place) -> int:
        """How many direct members there are."""
        async for page in self._gitlab.pages(f"/{place.type.collection}/{place.id}/members", per_page=100):
            # Above 10,000 GitLab does not count (docs.gitlab.com/api/rest, "Pagination response headers").
            return len(page.rows) if page.next is None else page.total or _MOST_OWNERS
        return 0

    async def members(self, kind: ResourceType, number: int) -> dict[int, Membership] | None:
        """All direct members; None where they are more than are read for a comparison."""
        found: dict[int, Membership] = {}
        async for page in self._gitlab.pages(f"/{kind.collection}/{number}/members", per_page=100):
            rows = ((first_id(row, "id"), member_of(row).membership) for row in page.rows)
            found |= {account_id: member for account_id, member in rows if account_id is not None}
            if len(found) > MOST_COMPARED:
                return None
        return found

    async def account_ids(self, path: str, most: int) -> frozenset[int]:
        """The ids in a list of members, the first `most` or a page more."""
        found: set[int] = set()
        async for page in self._gitlab.pages(path, per_page=100):
            found |= {account_id for row in page.rows if (account_id := first_id(row, "id")) is not None}
            if len(found) >= most:
                break
        return frozenset(found)

    async def other_owners(self, place: Place, without: Collection[int]) -> frozenset[int]:
        """One other direct Owner who can look after a group, if there is any."""
        seen = 0
        async for page in self._gitlab.pages(f"/{place.type.collection}/{place.id}/members"):
            seen += len(page.rows)
            for row in page.rows:
                if await self._is_owner(row, without):
                    return frozenset({row["id"]})
            if seen > _MOST_OWNERS:
                break
        return frozenset()

    async def _is_owner(self, row: GitLabRow, without: Collection[int]) -> bool:
        account_id, member = first_id(row, "id"), member_of(row)
        if account_id is None or account_id in without or member.membership.access_level < OWNER or member.is_awaiting:
            return False
        ends = member.membership.expires_on
        if (ends is not None and ends <= self.hand.today) or row.get("state") != "active":
            return False
        person = await self.person(account_id)
        return person is not None and person.counts_as_owner

    async def pages(self, path: str, params: Any = None) -> AsyncIterator[list[GitLabRow]]:
        """A whole list, page by page. Raises GitLabError."""
        async for page in self._gitlab.pages(path, params, per_page=100):
            yield list(page.rows)

    async def own_token(self) -> int | None:
        """The id of the access token that the hub reads with; None where that is no such token, or GitLab hides it."""
        if not self._own_token:
            try:
                row: GitLabRow = mapping((await self._gitlab.get("/personal_access_tokens/self")).body)
            except GitLabError as error:
                if error.retryable:
                    raise
                row = {}
            self._own_token.append(first_id(row, "id"))
        return self._own_token[0]

    async def row_in(self, path: str, number: int, params: Any = None) -> GitLabRow | None:
        """The row of an id in a list; None where it is not in it."""
        async for page in self._gitlab.pages(path, params, per_page=100):
            for row in page.rows:
                if first_id(row, "id") == number:
                    return row
        return None

    async def rows(self, path: str, params: Any = None) -> list[GitLabRow]:
        """The rows of a short list: its first page."""
        try:
            return list(rows_in((await self._gitlab.get(path, params)).body))
        except ResourceNotFound:
            return []

    async def row(self, path: str, params: Any = None) -> GitLabRow | None:
        """One row; None where GitLab shows none."""
        try:
            return mapping((await self._gitlab.get(path, params)).body)
        except ResourceNotFound:
            return None
