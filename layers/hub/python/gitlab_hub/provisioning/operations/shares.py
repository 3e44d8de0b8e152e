"""Groups that are invited into groups and projects: shared with, and no longer.

GitLab's rules that shape the calls:

- There is no request that changes a share; a second `POST …/share` is a conflict (lib/api/groups.rb and projects.rb).
  So one that differs is refused: ended and made anew, nobody in the group would have access in between.
- `DELETE` of a group's share answers 204 also where nothing was done (groups/group_links/destroy_service.rb).
- Whoever shares has to see the other group, and for a project be in it (projects/group_links/create_service.rb).
- A group reaches its direct members only, a project all (docs.gitlab.com/user/project/members/sharing_projects_groups).
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gitlab_hub.gitlab.fields import GitLabRow, day, first_id, number, rows_in
from gitlab_hub.gitlab.roles import MAINTAINER, OWNER
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.facts import Hand, Place
from gitlab_hub.provisioning.limits import MOST_COUNTED
from gitlab_hub.provisioning.model import Call, Step
from gitlab_hub.provisioning.operation import Kind, Operation
from gitlab_hub.provisioning.operations.base import Around, Decision, Finding
from gitlab_hub.provisioning.reading import LiveReader
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.sentences import change
from gitlab_hub.provisioning.states import Membership, membership_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareFacts:
    """What a share is decided by.

    `guest`: the group that is invited, and `share` what it has. `home`: the ids of the groups that the place is or lies
    in; `is_outside`: the guest lies outside of a tree that keeps to itself. `own_level`, `guest_level`: those of the
    token's user in the place and in the guest; `own_way`: in the place as a member, without any share.
    """

    place: Place | None
    guest: Place | None
    share: Membership | None = None
    home: frozenset[int] = frozenset()
    is_outside: bool = False
    own_level: int = 0
    guest_level: int = 0
    own_way: int = 0
    is_fresh: bool = True


class Shares:
    """`share` and `unshare`."""

    waits_for: str | None = None
    makes_members = False

    async def look(self, reader: LiveReader, operation: Operation, around: Around) -> Finding:
        """Decide by what GitLab says about both groups, or the project and the group."""
        facts = await _facts(reader, operation, around)
        decision = decide(operation, facts, around.hand)
        place, guest = facts.place, facts.guest
        who = f"group {guest.full_path if guest else operation.group_id}"
        where = place.full_path if place else operation.place
        ends = around.counts and place is not None and operation.kind is Kind.UNSHARE and bool(decision.calls)
        touched, members = frozenset[int](), 0
        if ends and place is not None:
            # Whoever is in the invited group may lose access.
            every = "/all" if place.type is ResourceType.PROJECT else ""
            path = f"/groups/{operation.group_id}/members{every}"
            touched, own = await asyncio.gather(reader.account_ids(path, MOST_COUNTED), reader.member_count(place))
            members = own + len(touched)
        return Finding(
            decision=decision,
            sentence=change(who, where, decision.before, decision.after, is_change=bool(decision.calls)),
            subject=guest.full_path if guest else "",
            full_path=place.full_path if place else "",
            members=members,
            touched=touched,
        )

    async def state(self, reader: LiveReader, operation: Operation) -> Membership | None:
        """What the group has here; only groups that the token sees are listed (lib/api/entities/group_detail.rb)."""
        share = await _listed(reader, operation)
        if share is None:
            await reader.check_shown(*operation.resource)
            await reader.check_shown(ResourceType.GROUP, operation.group_id or 0)
        return share

    def back(self, step: Step) -> Operation:
        """End what was shared, or share again as it was."""
        before, after = membership_of(step.before), membership_of(step.after)
        if before is None:
            level = None if after is None else after.access_level
            return replace(_plain(step.operation), kind=Kind.UNSHARE, expected_level=level)
        shared = replace(_plain(step.operation), kind=Kind.SHARE, access_level=before.access_level)
        return replace(shared, expires_on=before.expires_on, member_role_id=before.member_role_id)


def decide(operation: Operation, facts: ShareFacts, hand: Hand) -> Decision:
    """Decide about sharing or its end. Pure."""
    before, after = facts.share, None
    if operation.kind is Kind.SHARE:
        after = Membership(
            access_level=operation.access_level or 0,
            expires_on=operation.expires_on,
            member_role_id=operation.member_role_id,
        )
        if before is not None and operation.member_role_id is None and after.access_level == before.access_level:
            after = replace(after, member_role_id=before.member_role_id)
    calls = () if facts.place is None or before == after else (_call(operation, facts.place, after),)
    found = {*_always(operation, facts, hand)}
    if calls:
        found |= {*_of_change(operation, facts, hand)}
    return Decision(before=before, after=after, calls=calls, refusals=tuple(sorted(found)))


def _call(operation: Operation, place: Place, after: Membership | None) -> Call:
    path = f"/{place.type.collection}/{place.id}/share"
    if after is None:
        return Call(method="DELETE", path=f"{path}/{operation.group_id}")
    body: dict[str, object] = {"group_id": operation.group_id, "group_access": after.access_level}
    body |= {"expires_at": after.expires_on} if after.expires_on else {}
    # Only groups take a custom role (ee/lib/ee/api/groups.rb).
    has_role = after.member_role_id is not None and place.type is ResourceType.GROUP
    return Call(method="POST", path=path, body=body | ({"member_role_id": after.member_role_id} if has_role else {}))


def _always(operation: Operation, facts: ShareFacts, hand: Hand) -> Iterator[Code]:
    if facts.place is None or not facts.is_fresh:
        yield Code.STALE_DATA
    if facts.guest is None:
        yield Code.USER_NOT_FOUND
    if operation.expires_on is not None and operation.expires_on <= hand.today:
        yield Code.EXPIRES_IN_PAST
    if operation.kind is Kind.SHARE:
        if operation.group_id in facts.home:
            yield Code.INHERITED_ACCESS
    elif facts.share is None or operation.expected_level not in {None, facts.share.access_level}:
        yield Code.GRANT_CHANGED


def _of_change(operation: Operation, facts: ShareFacts, hand: Hand) -> Iterator[Code]:
    """What stands against the change itself."""
    place, ends = facts.place, operation.kind is Kind.UNSHARE
    if not hand.may_write:
        yield Code.TOKEN_SCOPE
    if not _may(facts, operation, hand):
        yield Code.NOT_OWNER
    if place is not None and place.syncs_ldap:
        yield Code.LDAP_MANAGED
    if ends:
        # A share may be the only way by which the hub's own user has its role here.
        if not hand.is_admin and facts.guest_level > 0 and facts.own_way < facts.own_level:
            yield Code.SELF_TARGET
        return
    if facts.share is not None:
        yield Code.GRANT_CHANGED
    if facts.is_outside or (place is not None and place.type is ResourceType.PROJECT and place.locks_shares):
        yield Code.MEMBERSHIP_LOCK


def _may(facts: ShareFacts, operation: Operation, hand: Hand) -> bool:
    """Whether the token's user may (`admin_group_member`; `admin_project`, and Owner for an Owner's share)."""
    if hand.is_admin or facts.place is None or facts.guest is None:
        return True
    if facts.place.type is ResourceType.GROUP:
        return facts.own_level >= OWNER
    ends = operation.kind is Kind.UNSHARE
    level = facts.share.access_level if ends and facts.share else operation.access_level
    if level == OWNER:
        own = max(facts.own_level, facts.guest_level) if ends else facts.own_level
        if own < OWNER:
            return False
    return facts.own_level >= MAINTAINER and (ends or facts.guest_level > 0)


async def _facts(reader: LiveReader, operation: Operation, around: Around) -> ShareFacts:
    place, guest = await asyncio.gather(
        reader.place(*operation.resource),
        reader.place(ResourceType.GROUP, operation.group_id or 0),
    )
    if place is None or guest is None:
        return ShareFacts(place=place, guest=guest, is_fresh=around.is_fresh)
    me = reader.hand.account_id
    share, own, above = await asyncio.gather(
        _listed(reader, operation), reader.member(place.type, place.id, me), reader.inherited(place, me)
    )
    line, guests_line = await asyncio.gather(reader.line(place), reader.line(guest))
    own_level, guest_level = await asyncio.gather(reader.own_level(place), reader.own_level(guest))
    groups = [*([place] if place.type is ResourceType.GROUP else []), *line]
    inside = {one.id for one in (guest, *guests_line)}
    own_here = 0 if own is None else own.membership.access_level
    return ShareFacts(
        place=place,
        guest=guest,
        share=share,
        home=frozenset(one.id for one in groups),
        is_outside=bool(groups) and groups[-1].keeps_inside and groups[-1].id not in inside,
        own_level=own_level,
        guest_level=guest_level,
        own_way=OWNER if place.owner_id == me else max(own_here, 0 if above is None else above.level),
        is_fresh=around.is_fresh,
    )


async def _listed(reader: LiveReader, operation: Operation) -> Membership | None:
    kind, number = operation.resource
    row = await reader.row(f"/{kind.collection}/{number}", _SMALL)
    return share_in(row or {}, operation.group_id)


_SMALL = {"with_projects": "false"}


def share_in(row: GitLabRow, group_id: int | None) -> Membership | None:
    """What a group has by the row of a group or project (lib/api/entities/shared_group_with_group.rb)."""
    for one in rows_in(row.get("shared_with_groups")):
        if first_id(one, "group_id") == group_id:
            return Membership(
                access_level=number(one.get("group_access_level")) or 0,
                expires_on=day(one.get("expires_at")),
                member_role_id=first_id(one, "member_role_id"),
            )
    return None


def _plain(one: Operation) -> Operation:
    return replace(one, access_level=None, expires_on=None, member_role_id=None, expected_level=None)
