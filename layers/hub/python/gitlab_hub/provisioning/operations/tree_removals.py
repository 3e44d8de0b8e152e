"""Somebody removed from everything in a top-level group: how `offboard` is done without an administrator's token.

GitLab's rules that shape the call (ee/lib/ee/api/members.rb, ee/app/services/billable_members/destroy_service.rb):
`DELETE /groups/:id/billable_members/:user_id` wants an Owner of a group at the top, answers 204, and removes every
direct membership in the tree in the background. What they were is not told of one by one, so nothing takes it back as
a whole.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gitlab_hub.gitlab.roles import OWNER
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.account_reading import held_in_tree
from gitlab_hub.provisioning.facts import Hand, Person, Place
from gitlab_hub.provisioning.model import Call, Step
from gitlab_hub.provisioning.operation import Operation
from gitlab_hub.provisioning.operations.account_rules import MACHINES
from gitlab_hub.provisioning.operations.base import Around, Decision, Finding
from gitlab_hub.provisioning.reading import LiveReader
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.sentences import change
from gitlab_hub.provisioning.states import Membership

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFacts:
    """What a removal is decided by.

    `held`: the levels of all direct memberships in the group and below it, with the names of where. `is_last`: whether
    the group would be without anybody who can look after it.
    """

    person: Person | None
    place: Place | None
    held: tuple[tuple[int, str], ...] = ()
    is_last: bool = False
    own_level: int = 0
    is_fresh: bool = True


class TreeRemovals:
    """`offboard`, as far as it is a removal from one top-level group."""

    waits_for: str | None = None
    makes_members = False

    async def look(self, reader: LiveReader, operation: Operation, around: Around) -> Finding:
        """Decide by what GitLab says about the person and the group; without a group it cannot be done."""
        facts = await _facts(reader, operation, around)
        decision = decide(operation, facts, around.hand)
        person, place = facts.person, facts.place
        counts = around.counts and place is not None and bool(decision.calls)
        members = await reader.member_count(place) if counts and place is not None else 0
        where = f"{place.full_path} and everything in it" if place else "everything"
        told = change(
            person.label if person else f"account {operation.account_id}",
            where,
            decision.before,
            decision.after,
            is_change=bool(decision.calls),
        )
        named = ", ".join(name for _, name in facts.held[:_MOST_NAMED])
        more = f"{named}{', …' if len(facts.held) > _MOST_NAMED else ''}"
        beside = f" ({len(facts.held)} direct: {more}), to be given anew one by one only" if decision.calls else ""
        return Finding(
            decision=decision,
            sentence=f"{told}{beside}",
            subject=person.label if person else "",
            full_path=place.full_path if place else "",
            members=members,
            touched=frozenset({operation.account_id}) if decision.changes_member else frozenset(),
        )

    async def state(self, reader: LiveReader, operation: Operation) -> Membership | None:
        """The most that the person has in the group or below it. Raises OutOfSight."""
        if operation.resource_type is None:
            return None
        held = await held_in_tree(reader, operation.resource_id, operation.account_id)
        if not held:
            await reader.check_shown(*operation.resource)
        return _most(held)

    def back(self, step: Step) -> Operation | None:
        """Nothing: what there was is not known one by one."""
        del step
        return None


def decide(operation: Operation, facts: TreeFacts, hand: Hand) -> Decision:
    """Decide about a removal. Pure."""
    before, calls = _most(facts.held), tuple[Call, ...]()
    if facts.place is not None and before is not None:
        path = f"/groups/{facts.place.id}/billable_members/{operation.account_id}"
        calls = (Call(method="DELETE", path=path),)
    found = {*_always(operation, facts, hand)}
    if calls:
        found |= {*_of_change(facts, hand)}
    return Decision(before=before, after=None, calls=calls, refusals=tuple(sorted(found)))


def _always(operation: Operation, facts: TreeFacts, hand: Hand) -> Iterator[Code]:
    if operation.deletes or operation.resource_type is None:
        yield Code.NOT_SUPPORTED_HERE if hand.on_gitlab_com else Code.TOKEN_SCOPE
    elif facts.place is None or not facts.is_fresh:
        yield Code.STALE_DATA
    elif not hand.is_admin and facts.own_level < OWNER:
        # What others have below, GitLab tells Owners only.
        yield Code.NOT_OWNER
    if facts.person is None:
        yield Code.USER_NOT_FOUND
    # It takes all from them there, also what another integration works with.
    if operation.account_id in {hand.account_id, *hand.other_users}:
        yield Code.SELF_TARGET
    if facts.person is not None and facts.person.kind in MACHINES:
        yield Code.BOT_MEMBER


def _of_change(facts: TreeFacts, hand: Hand) -> Iterator[Code]:
    """What stands against the change itself."""
    if not hand.may_write:
        yield Code.TOKEN_SCOPE
    if facts.place is not None and facts.place.syncs_ldap:
        yield Code.LDAP_MANAGED
    if facts.place is not None and facts.place.syncs_saml:
        yield Code.SAML_MANAGED
    if facts.is_last:
        yield Code.LAST_OWNER


def _most(held: Sequence[tuple[int, str]]) -> Membership | None:
    return Membership(access_level=max(level for level, _ in held)) if held else None


async def _facts(reader: LiveReader, operation: Operation, around: Around) -> TreeFacts:
    person = await reader.person(operation.account_id)
    if operation.resource_type is None:
        return TreeFacts(person=person, place=None, is_fresh=around.is_fresh)
    place = await reader.place(*operation.resource)
    if place is None or person is None:
        return TreeFacts(person=person, place=place, is_fresh=around.is_fresh)
    own_level, syncs_saml, member = await asyncio.gather(
        reader.own_level(place),
        reader.syncs_saml(place),
        reader.member(ResourceType.GROUP, place.id, person.id),
    )
    # To others GitLab answers 400.
    held = await held_in_tree(reader, place.id, person.id) if own_level >= OWNER else []
    is_last = False
    if member is not None and member.membership.access_level >= OWNER:
        here = operation.resource
        others = await reader.other_owners(place, {person.id, *around.gone(here)}) | around.coming(here)
        is_last = not others - {person.id}
    return TreeFacts(
        person=person,
        place=replace(place, syncs_saml=syncs_saml),
        held=tuple(held),
        is_last=is_last,
        own_level=own_level,
        is_fresh=around.is_fresh,
    )
