"""Direct memberships: given, changed and taken away."""

import asyncio
from dataclasses import replace

from gitlab_hub.gitlab.roles import OWNER, role_name
from gitlab_hub.provisioning.facts import Facts
from gitlab_hub.provisioning.model import Step
from gitlab_hub.provisioning.operation import NO_ROLE, Kind, Mode, Operation
from gitlab_hub.provisioning.operations.base import Around, Finding
from gitlab_hub.provisioning.operations.membership_rules import decide
from gitlab_hub.provisioning.reading import LiveReader
from gitlab_hub.provisioning.sentences import change
from gitlab_hub.provisioning.states import Membership, membership_of


class Memberships:
    """`grant` and `revoke`."""

    waits_for: str | None = None
    makes_members = False

    async def look(self, reader: LiveReader, operation: Operation, around: Around) -> Finding:
        """Decide by what GitLab says about the account and the place."""
        facts = await facts_of(reader, operation, around)
        decision = decide(operation, facts, around.hand)
        who = facts.person.label if facts.person else f"account {operation.account_id}"
        where = facts.place.full_path if facts.place else operation.place
        above = facts.inherited
        without = "" if above is None else f"{role_name(above.level)} (inherited from {above.full_path})"
        return Finding(
            decision=decision,
            sentence=change(
                who,
                where,
                decision.before,
                decision.after,
                is_change=bool(decision.calls),
                without=without,
                until=operation.until,
            ),
            subject=facts.person.label if facts.person else "",
            full_path=facts.place.full_path if facts.place else "",
            members=facts.member_count,
            touched=frozenset({operation.account_id}) if decision.changes_member else frozenset(),
        )

    async def state(self, reader: LiveReader, operation: Operation) -> Membership | None:
        """The direct membership of the account."""
        member = await reader.member(*operation.resource, operation.account_id)
        if member is None:
            await reader.check_shown(*operation.resource)
        return None if member is None else member.membership

    def back(self, step: Step) -> Operation:
        """Give what was there, or take away what was given."""
        one, before, after = step.operation, membership_of(step.before), membership_of(step.after)
        plain = replace(
            one, access_level=None, mode=None, expires_on=None, until=None, member_role_id=None, expected_level=None
        )
        if before is None:
            expected = None if after is None else after.access_level
            return replace(plain, kind=Kind.REVOKE, expected_level=expected)
        return replace(
            plain,
            kind=Kind.GRANT,
            mode=Mode.EXACTLY,
            access_level=before.access_level,
            expires_on=before.expires_on,
            member_role_id=before.member_role_id or NO_ROLE,
        )


async def facts_of(reader: LiveReader, operation: Operation, around: Around) -> Facts:
    """Read what decides about a membership; how many members there are only where that counts."""
    person, place = await asyncio.gather(reader.person(operation.account_id), reader.place(*operation.resource))
    if place is None:
        return Facts(person=person, place=None, is_fresh=around.is_fresh)
    member, inherited, own_level, count, syncs_saml = await asyncio.gather(
        reader.member(place.type, place.id, operation.account_id),
        reader.inherited(place, operation.account_id),
        reader.own_level(place),
        reader.member_count(place) if around.counts else _none(),
        reader.syncs_saml(place),
    )
    owners: frozenset[int] = frozenset()
    if place.is_top_level and member is not None and member.membership.access_level >= OWNER:
        gone, coming = around.gone(operation.resource), around.coming(operation.resource)
        owners = await reader.other_owners(place, {operation.account_id, *gone}) | coming
    reaches = member is None and operation.kind is Kind.REVOKE
    return Facts(
        person=person,
        place=replace(place, syncs_saml=syncs_saml),
        member=member,
        inherited=inherited,
        owners=owners,
        own_level=own_level,
        has_access=reaches and await reader.level_in(place, operation.account_id) > 0,
        member_count=count,
        is_fresh=around.is_fresh,
    )


async def _none() -> int:
    return 0
