"""The stages of invitations: a request per group and per project, so that once a day has to be enough.

They stand beside what the run is for. Whatever is refused here is noted and leaves the run complete: only whoever may
invite is shown invitations, and the hub needs no such rights.
"""

from collections.abc import AsyncIterator, Iterable
from functools import partial

from gitlab_hub.access.asides import MOST_REFUSED, Attempts, is_due, note_reading, readable
from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.invitation_rights import InvitationRights
from gitlab_hub.access.keys import grants_scope, invitations_stage
from gitlab_hub.access.members import resource_scopes
from gitlab_hub.access.model import Invitation
from gitlab_hub.access.transform import invitation_of
from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.inventory.listing import collect
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.storage.rows import content_hash
from gitlab_hub.sync.ports import Scope

UNREADABLE = "Some invitations could not be parsed; those that are stored stay."


class InvitationsStage:
    """The invitations to every stored group, or to every stored project."""

    def __init__(self, context: AccessContext, kind: ResourceType) -> None:
        self.name = invitations_stage(kind)
        self._context, self._kind = context, kind
        self._rights = InvitationRights(context.session.target.is_admin)
        # Apart, so that refusals where the user seems to have no right do not end the asking where it has.
        self._attempts = {True: Attempts(), False: Attempts()}

    async def size(self) -> int:
        """Count the resources, where their invitations are to be read in this run."""
        if not await is_due(self._context, self.name):
            return 0
        return await self._context.session.io(self._context.inventory.store.count, self._kind)

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """Give one scope per resource, unless they were read within a day."""
        session, store = self._context.session, self._context.store
        if not await is_due(self._context, self.name):
            session.keep_notes()
            return
        await self._look_up_rights()
        has_any = after is not None
        async for scope in resource_scopes(self._context, self._kind, after, store.invitations.look_ahead):
            has_any = True
            yield scope
        if has_any:  # Where nothing is stored yet, the next run that finds something is not to wait for a day.
            await note_reading(self._context, self.name)

    async def read(self, scope: Scope) -> None:
        """Read the invitations to one resource; what is refused is noted, and nothing of it is removed."""
        attempts = self._attempts[self._rights.cover(self._kind, int(scope.key), str(scope.payload["path"]))]
        await attempts.read(self._context.session, scope, self._read, in_vain=self._in_vain())

    async def _read(self, scope: Scope) -> None:
        number = int(scope.key)
        rows = await collect(self._context.session.gitlab, f"/{self._kind.collection}/{number}/invitations")
        read = partial(invitation_of, resource_type=self._kind, resource_id=number)
        found, is_whole = readable(rows, read)
        if not is_whole:
            await self._context.session.aside(scope, "partial", UnexpectedResponse.code, UNREADABLE)
        await self._replace(grants_scope(self._kind, scope.key), [one for _, one in found], is_whole=is_whole)

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

    def _in_vain(self) -> str:
        return (
            f"GitLab did not show the invitations to the first {MOST_REFUSED} {self._kind.collection}; the others were "
            "not asked for them. It shows them to Owners of a group and to Maintainers of a project, and to a "
            "fine-grained token with Invitation: Read. All else was read as far as it is told here."
        )
