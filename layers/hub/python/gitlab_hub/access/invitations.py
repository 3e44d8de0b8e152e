"""The stages of invitations: a request per group and per project, so that they are read in rounds.

Where GraphQL has told the members of a group or project, it has told how many of them have no account, at what level
and since when, too (`nameless`). Who was invited by email is one of these; so only where they are not those that are
stored is GitLab asked by REST, which alone tells the address.

They stand beside what the run is for. Whatever is refused here is noted and leaves the run complete: only whoever may
invite is shown invitations, and the hub needs no such rights.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.due import now_of
from gitlab_hub.access.invitation_rights import InvitationRights
from gitlab_hub.access.keys import grants_scope, invitations_stage
from gitlab_hub.access.members import NamelessMembers, resource_scopes
from gitlab_hub.access.model import Invitation
from gitlab_hub.access.rounds import Part, going_on, most_at_once, part_of
from gitlab_hub.access.transform import invitation_of, nameless
from gitlab_hub.gitlab.errors import GitLabError, UnexpectedResponse
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.listing import collect
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.storage.rows import content_hash
from gitlab_hub.sync.asides import ENDS_SLICE, MOST_REFUSED, SHOWN, Attempts, as_refusal, readable
from gitlab_hub.sync.ports import Scope, SingleScopeStage

UNREADABLE = "Some invitations could not be parsed; those that are stored stay."
RIGHTFUL, OTHERS, TOLD = "rightful", "others", "told"
"""Where the user seems to have the right, and where not: refusals here do not end the asking there. And
those of which GraphQL has told."""

ReadMembers = Callable[[int, Scope], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one run reads: how often GitLab has answered so far in the round is part of it."""

    part: Part
    attempts: dict[str, Attempts]
    begins_round: bool
    is_told: bool = False
    """Whether GraphQL has told of any group or project who was invited."""


class InvitationsStage:
    """The invitations to every stored group, or to every stored project.

    `members`: what GraphQL has told of members without an account. `read_members` reads the members of one group or
    project by REST, where some of these are not invited: they have an account that GraphQL does not show.
    """

    def __init__(
        self, context: AccessContext, kind: ResourceType, members: NamelessMembers, read_members: ReadMembers
    ) -> None:
        self.name = invitations_stage(kind)
        self._context, self._kind, self._members, self._read_members = context, kind, members, read_members
        self._rights = InvitationRights(context.session.target.is_admin)
        self._planning = asyncio.Lock()
        self._plan: _Plan | None = None

    async def size(self) -> int:
        """Count the groups or projects whose invitations are read in this run."""
        return len((await self._planned()).part.keys)

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """Give one scope per group or project that has its turn."""
        plan = await self._planned()
        if not plan.begins_round:
            self._context.session.keep_notes()
        async for scope in resource_scopes(
            self._context, self._kind, after, self._context.store.invitations.look_ahead, only=plan.part.keys
        ):
            yield scope

    async def read(self, scope: Scope) -> None:
        """Read the invitations to one resource; what is refused is noted, and nothing of it is removed."""
        attempts = (await self._planned()).attempts[self._sort_of(scope.key, str(scope.payload["path"]))]
        await attempts.read(self._context.session, scope, self._read, given_up=self._given_up())

    async def note_round(self) -> None:
        """Note how far the round is, once everything that had its turn was read."""
        plan, session = self._plan, self._context.session
        if plan is not None and plan.part.after is not None:
            answers = {sort: attempts.answers for sort, attempts in plan.attempts.items()}
            answers |= {TOLD: SHOWN} if plan.is_told else {}
            now = replace(plan.part.after, answers=answers)
            await session.write(self._context.store.readings.note_round, self.name, now, sync_id=session.sync_id)

    async def refresh(self, number: int, path: str) -> None:
        """Read the invitations to one group or project now, if they are shown; what goes wrong is for a run to say."""
        await self._look_up_rights()
        if not self._rights.cover(self._kind, number, path):
            return
        try:
            await as_refusal(self._context.session, lambda: self._read(Scope(padded(number))))
        except ENDS_SLICE:
            raise
        except GitLabError:
            return

    async def _planned(self) -> _Plan:
        async with self._planning:
            if self._plan is None:
                self._plan = await self._decide()
        return self._plan

    async def _decide(self) -> _Plan:
        """Choose what this slice reads. A worker that carries on does not know what GraphQL told: it chooses anew."""
        session, store, now = self._context.session, self._context.store, now_of(self._context)
        before = await session.io(store.readings.round, self.name)
        current = going_on(before, now=now, full=session.full)
        so_far = {} if current is None else current.answers
        attempts = {sort: Attempts(answers=so_far.get(sort, 0)) for sort in (RIGHTFUL, OTHERS)}
        await self._look_up_rights()
        known = await session.io(store.nameless_invitations, self._kind)
        resources = await session.io(self._context.inventory.store.all_paths, self._kind)
        changed, others, is_told = list[str](), list[str](), so_far.get(TOLD) == SHOWN
        for key, path in resources:
            sort = self._sort_of(key, path)
            told = self._members.of(self._kind, int(key)) if sort == RIGHTFUL else None
            is_told |= told is not None
            if told is None and not attempts[sort].has_given_up:
                others.append(key)
            elif told is not None and told != known.get(key, ()):
                changed.append(key)
        if not resources:  # Where nothing is stored yet, the next run that finds something is not to wait for a day.
            return _Plan(Part(), attempts, begins_round=True)
        most = most_at_once(len(resources), is_first=before is None, full=session.full)
        part = part_of(before, changed, others, most=most, now=now, full=session.full)
        begins = part.after is not None and (current is None or not current.until)
        return _Plan(part, attempts, begins_round=begins, is_told=is_told)

    def _sort_of(self, key: str, path: str) -> str:
        return RIGHTFUL if self._rights.cover(self._kind, int(key), path) else OTHERS

    async def _read(self, scope: Scope) -> None:
        number = int(scope.key)
        rows = await collect(self._context.session.gitlab, f"/{self._kind.collection}/{number}/invitations")
        read = partial(invitation_of, resource_type=self._kind, resource_id=number)
        pairs, is_whole = readable(rows, read)
        found = [invitation for _, invitation in pairs]
        if not is_whole:
            await self._context.session.aside(scope, "partial", UnexpectedResponse.code, UNREADABLE)
        await self._replace(grants_scope(self._kind, scope.key), found, is_whole=is_whole)
        # A member without an account who was not invited has one, and GraphQL does not show it: REST does.
        if Counter(self._members.of(self._kind, number)) - Counter(map(nameless, found)):
            self._context.session.count(graphql_differs=1)
            await self._read_members(number, scope)

    async def _replace(self, place: str, invitations: Iterable[Invitation], *, is_whole: bool) -> None:
        """Store what is new or changed, and remove what GitLab, asked by address, has no more.

        The deletion guard is left out: whoever answers ends an invitation, so all may be gone within a day.
        """
        session, store = self._context.session, self._context.store
        stored = await session.io(lambda: dict(store.invitations.stored(place)))
        rows = {row.key: row for row in map(store.invitation_row, invitations)}
        hashes = {key: content_hash(row.item) for key, row in rows.items()}
        changed = [row for key, row in rows.items() if stored.get(key) != hashes[key]]
        if changed:
            await session.write(store.invitations.put, place, changed, hashes, stored)
        missing = [key for key in stored if key not in rows] if is_whole else []
        gone = {key: stored[key] for key in missing if await self._is_gone(place, key)}
        if gone:
            await session.write(store.invitations.remove, place, gone, at=session.now())
        session.count(invitations=len(rows), rows_read=len(rows), rows_written=len(changed), rows_removed=len(gone))

    async def _is_gone(self, place: str, key: str) -> bool:
        invitation = await self._context.session.io(self._context.store.invitation, place, key)
        if invitation is None:
            return False
        path = f"/{self._kind.collection}/{invitation.resource_id}/invitations"
        async for page in self._context.session.gitlab.pages(path, {"query": invitation.email}):
            if any(row.get("invite_email") == invitation.email for row in page.rows):
                return False
        return True

    async def _look_up_rights(self) -> None:
        context, target = self._context, self._context.session.target
        if target.is_admin:
            return
        grants = await context.session.io(context.store.granted_to, target.user_id)
        ids = [grant.resource_id for grant in grants if grant.resource_type == ResourceType.GROUP]
        groups = await context.session.io(context.inventory.store.known, ResourceType.GROUP, ids)
        paths = {number: group.full_path for number, group in groups.values.items()}
        self._rights = InvitationRights.of(self._kind, grants, paths)

    def _given_up(self) -> str:
        return (
            f"GitLab did not show the invitations to the first {MOST_REFUSED} {self._kind.collection}; the others were "
            "not asked for them. It shows them to Owners of a group and to Maintainers of a project, and to a "
            "fine-grained token with Invitation: Read. All else was read as far as it is told here."
        )


class HasRound(Protocol):
    """A stage that reads in rounds."""

    async def note_round(self) -> None:
        """Note how far the round is."""


class RoundsStage(SingleScopeStage):
    """Notes how far the rounds are: in a stage of its own, as all that had its turn is read before it begins."""

    name = "rounds"

    def __init__(self, stages: Sequence[HasRound]) -> None:
        self._stages = stages

    async def read(self, scope: Scope) -> None:  # noqa: ARG002 - there is only one
        """Note them. What another worker of the run has read is not noted: the next run reads it again."""
        for stage in self._stages:
            await stage.note_round()
