"""Invitations of people by their addresses: sent, changed and taken back.

GitLab's rules that shape the calls (lib/api/invitations.rb, app/services/members/invite_service.rb):

- `POST …/invitations` makes a member of an address that has an account, at once, and gives an account that is a member
  the new level and end, also a lower one; it invites an address anew that was invited before. So all three are refused
  here: the first two are grants, the third a change. It goes by any confirmed address, also a secondary one
  (app/models/concerns/bulk_users_by_email_load.rb; app/services/members/creator_service.rb, `member_attributes`).
- An address that GitLab keeps from the token, and that no list has told the hub, cannot be told from one without an
  account. Then GitLab shows no invitation afterwards; the members before and after say whose it is (`became_member`).
- It answers 201 whatever became of it, with `status: error` in the body.
- The documentation lets `PUT …/invitations/:email` set the level to Developer where it is not named: it always is.
- Addresses are kept in lower case, and compared as a whole.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gitlab_hub.gitlab.fields import GitLabRow, day, number, text
from gitlab_hub.gitlab.messages import segment
from gitlab_hub.gitlab.roles import MAINTAINER, OWNER
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.errors import OutOfSight
from gitlab_hub.provisioning.facts import Hand, Place
from gitlab_hub.provisioning.model import Call, Step
from gitlab_hub.provisioning.operation import Kind, Mode, Operation
from gitlab_hub.provisioning.operations.base import Around, Decision, Finding
from gitlab_hub.provisioning.reading import LiveReader
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.sentences import change
from gitlab_hub.provisioning.states import Membership, membership_of


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationFacts:
    """What an invitation is decided by. `account`: whose address it is, by the username, as far as that is shown."""

    place: Place | None
    invitation: Membership | None = None
    account: str | None = None
    own_level: int = 0
    is_fresh: bool = True


class Invitations:
    """`invite`, `update_invitation` and `cancel_invitation`."""

    waits_for: str | None = "The invitation waits until somebody accepts it."
    makes_members = True

    async def look(self, reader: LiveReader, operation: Operation, around: Around) -> Finding:
        """Decide by what GitLab says about the place and the address."""
        facts = await _facts(reader, operation, around)
        decision = decide(operation, facts, around.hand)
        owner = "" if facts.account is None else f", which belongs to @{facts.account}"
        who = f"invitation of {operation.email}{owner}"
        return Finding(
            decision=decision,
            sentence=change(
                who,
                facts.place.full_path if facts.place else operation.place,
                decision.before,
                decision.after,
                is_change=bool(decision.calls),
                without="none",
            ),
            subject=operation.email or "",
            full_path=facts.place.full_path if facts.place else "",
        )

    async def state(self, reader: LiveReader, operation: Operation) -> Membership | None:
        """The invitation of the address here; to others than Owners and Maintainers GitLab may show none."""
        found = await _listed(reader, operation)
        if found is None:
            await reader.check_shown(*operation.resource)
            place = await reader.place(*operation.resource)
            if place is None or await reader.own_level(place) < _needed(place):
                raise OutOfSight("GitLab shows the invitations here to Owners and Maintainers only.")
        return found

    def back(self, step: Step) -> Operation:
        """Take back what was sent, or send anew, as it was, what was taken back: with another mail."""
        one, before, after = step.operation, membership_of(step.before), membership_of(step.after)
        plain = replace(one, access_level=None, mode=None, expires_on=None, expected_level=None)
        if before is None:
            level = None if after is None else after.access_level
            return replace(plain, kind=Kind.CANCEL_INVITATION, expected_level=level)
        kind = Kind.INVITE if after is None else Kind.UPDATE_INVITATION
        mode = None if after is None else Mode.EXACTLY
        return replace(plain, kind=kind, mode=mode, access_level=before.access_level, expires_on=before.expires_on)


def decide(operation: Operation, facts: InvitationFacts, hand: Hand) -> Decision:
    """Decide about an invitation. Pure."""
    before, after = facts.invitation, _after(operation, facts.invitation)
    calls = () if facts.place is None or before == after else (_call(operation, facts.place, after, before),)
    found = {*_always(operation, facts, hand)}
    if calls:
        found |= {*_of_change(operation, facts, hand)}
    return Decision(before=before, after=after, calls=calls, refusals=tuple(sorted(found)))


def _after(operation: Operation, before: Membership | None) -> Membership | None:
    if operation.kind is Kind.CANCEL_INVITATION:
        return None
    wanted = Membership(access_level=operation.access_level or 0, expires_on=operation.expires_on)
    keeps_end = operation.kind is Kind.UPDATE_INVITATION and operation.mode != Mode.EXACTLY
    return replace(wanted, expires_on=before.expires_on) if keeps_end and before is not None else wanted


def _call(operation: Operation, place: Place, after: Membership | None, before: Membership | None) -> Call:
    path = f"/{place.type.collection}/{place.id}/invitations"
    one = f"{path}/{segment(operation.email or '')}"
    if after is None:
        return Call(method="DELETE", path=one)
    body: dict[str, object] = {"access_level": after.access_level}
    if operation.kind is Kind.INVITE:
        ends = {"expires_at": after.expires_on} if after.expires_on else {}
        return Call(method="POST", path=path, body={"email": operation.email, **body, **ends})
    if before is None or before.expires_on != after.expires_on:
        body["expires_at"] = after.expires_on
    return Call(method="PUT", path=one, body=body)


def _always(operation: Operation, facts: InvitationFacts, hand: Hand) -> Iterator[Code]:
    if facts.place is None or not facts.is_fresh:
        yield Code.STALE_DATA
    if operation.expires_on is not None and operation.expires_on <= hand.today:
        yield Code.EXPIRES_IN_PAST
    if operation.kind is Kind.INVITE:
        if facts.account is not None:
            yield Code.GRANT_CHANGED
    elif facts.invitation is None:
        yield Code.USER_NOT_FOUND
    elif operation.expected_level not in {None, facts.invitation.access_level}:
        yield Code.GRANT_CHANGED


def _of_change(operation: Operation, facts: InvitationFacts, hand: Hand) -> Iterator[Code]:
    """What stands against the change itself."""
    place, ends = facts.place, operation.kind is Kind.CANCEL_INVITATION
    if not hand.may_write:
        yield Code.TOKEN_SCOPE
    touched = max(operation.access_level or 0, facts.invitation.access_level if facts.invitation else 0)
    if place is not None and not hand.is_admin and facts.own_level < max(_needed(place), touched):
        yield Code.NOT_OWNER
    if place is not None and place.syncs_ldap:
        yield Code.LDAP_MANAGED
    if ends:
        return
    if place is not None and place.syncs_saml:
        yield Code.SAML_MANAGED
    if place is not None and place.is_locked and place.type is ResourceType.PROJECT:
        yield Code.MEMBERSHIP_LOCK
    if operation.kind is Kind.INVITE and facts.invitation is not None:
        yield Code.PENDING_INVITATION


async def _facts(reader: LiveReader, operation: Operation, around: Around) -> InvitationFacts:
    place = await reader.place(*operation.resource)
    if place is None:
        return InvitationFacts(place=None, is_fresh=around.is_fresh)
    own_level, syncs_saml = await asyncio.gather(reader.own_level(place), reader.syncs_saml(place))
    # To others GitLab shows no invitations.
    invitation = await _listed(reader, operation) if own_level >= _needed(place) else None
    account = around.holder
    if operation.kind is Kind.INVITE and account is None:
        account = await _account(reader, operation.email or "")
    return InvitationFacts(
        place=replace(place, syncs_saml=syncs_saml),
        invitation=invitation,
        account=account,
        own_level=own_level,
        is_fresh=around.is_fresh,
    )


async def _listed(reader: LiveReader, operation: Operation) -> Membership | None:
    kind, number = operation.resource
    path = f"/{kind.collection}/{number}/invitations"
    rows = await reader.rows(path, {"query": operation.email})
    return next((found for row in rows if (found := _invitation(row, operation.email)) is not None), None)


def _needed(place: Place) -> int:
    """The level that it takes to look after the invitations of a place."""
    return OWNER if place.type is ResourceType.GROUP else MAINTAINER


async def _account(reader: LiveReader, email: str) -> str | None:
    """Whose address it is: to administrators by any, to others by public ones (app/models/user.rb, `search`).

    Where GitLab does not show which address it found somebody by, it counts; so does everybody whom it shows to an
    administrator, as no row has the secondary addresses. The token's own user is shown in full.
    """
    own, found = await asyncio.gather(reader.row("/user"), reader.rows("/users", {"search": email}))
    for row in found:
        shown = _addresses(row)
        if reader.hand.is_admin or not shown or email in shown:
            return text(row.get("username")) or "somebody"
    return text(own.get("username")) if own is not None and email in _addresses(own) else None


def _addresses(row: GitLabRow) -> set[str]:
    return {one.lower() for name in ("email", "public_email", "commit_email") if (one := text(row.get(name)))}


def _invitation(row: GitLabRow, email: str | None) -> Membership | None:
    """A row of the list (lib/api/entities/invitation.rb), if it is of this address."""
    if (text(row.get("invite_email")) or "").lower() != email:
        return None
    return Membership(access_level=number(row.get("access_level")) or 0, expires_on=day(row.get("expires_at")))
