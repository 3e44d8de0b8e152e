"""Whether a membership may be changed, and how: decided by what was read live. Pure.

GitLab's own rules that shape the calls:

- `POST …/members` answers 409 to any direct membership there is, so that one is changed by `PUT`
  (lib/api/helpers/members_helpers.rb, `member_already_exists?`).
- `PUT` without `expires_at` leaves the end as it is, without `member_role_id` it drops the custom role
  (lib/api/members.rb, `declared_params(include_missing: false)`; ee/app/services/ee/members/update_service.rb).
- `DELETE` on a group takes the memberships below along unless `skip_subresources` says not to (lib/api/members.rb).
- A level below that of a membership in a group above is refused (app/models/member.rb,
  `higher_access_level_than_group`).
- To a group that LDAP fills nobody else adds members, or takes any away (ee/app/policies/ee/group_policy.rb,
  `ldap_synced`); those that LDAP did not make, or that were taken out of its hands, can be changed.
"""

from collections.abc import Iterator
from dataclasses import replace

from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.roles import MAINTAINER, OWNER
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.facts import Facts, Hand, Place
from gitlab_hub.provisioning.model import Call
from gitlab_hub.provisioning.operation import Kind, Mode, Operation
from gitlab_hub.provisioning.operations.base import Decision
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.states import Membership

_BOTS = frozenset({AccountKind.PROJECT_BOT, AccountKind.GROUP_BOT, AccountKind.INTERNAL})


def decide(operation: Operation, facts: Facts, hand: Hand) -> Decision:
    """Decide about one grant or revocation."""
    before = facts.member.membership if facts.member else None
    after = _after(operation, facts, before)
    calls = () if facts.place is None or before == after else (_call(operation.account_id, facts.place, before, after),)
    found = {*_always(facts), *_of_request(operation, facts, before, hand)}
    if calls:
        found |= {*_of_hand(operation, facts, before, after, hand), *_of_change(operation, facts, before, after)}
    return Decision(before=before, after=after, calls=calls, refusals=tuple(sorted(found)))


def _after(operation: Operation, facts: Facts, before: Membership | None) -> Membership | None:
    if operation.kind is Kind.REVOKE:
        return None
    role = operation.member_role_id
    if role is None and before is not None and before.access_level == operation.access_level:
        role = before.member_role_id
    wanted = Membership(
        access_level=operation.access_level or 0, expires_on=operation.expires_on, member_role_id=role or None
    )
    return _at_least(wanted, facts, before) if operation.mode == Mode.AT_LEAST else wanted


def _at_least(wanted: Membership, facts: Facts, before: Membership | None) -> Membership | None:
    """What is there, where that is enough; else what is wanted. What is there already is not made to last longer.

    Except at the very level that is wanted: one membership has one level and one end.
    """
    if facts.inherited is not None and facts.inherited.level >= wanted.access_level:
        return before
    if before is None or before.access_level < wanted.access_level:
        return wanted
    if before.access_level > wanted.access_level:
        return before
    ends = (before.expires_on, wanted.expires_on)
    return replace(wanted, expires_on=None if None in ends else max(filter(None, ends)))


def _call(account_id: int, place: Place, before: Membership | None, after: Membership | None) -> Call:
    members = f"/{place.type.collection}/{place.id}/members"
    if after is None:
        keep_below = {"skip_subresources": "true"} if place.type is ResourceType.GROUP else {}
        return Call(method="DELETE", path=f"{members}/{account_id}", query=keep_below)
    body: dict[str, object] = {"access_level": after.access_level}
    if after.expires_on is not None or (before is not None and before.expires_on is not None):
        body["expires_at"] = after.expires_on
    if after.member_role_id is not None:
        body["member_role_id"] = after.member_role_id
    if before is None:
        return Call(method="POST", path=members, body={"user_id": account_id, **body})
    return Call(method="PUT", path=f"{members}/{account_id}", body=body)


def _always(facts: Facts) -> Iterator[Code]:
    if facts.place is None or not facts.is_fresh:
        yield Code.STALE_DATA
    if facts.person is None:
        yield Code.USER_NOT_FOUND


def _of_request(operation: Operation, facts: Facts, before: Membership | None, hand: Hand) -> Iterator[Code]:
    """What is wrong with what is asked for, whether or not it would change anything."""
    if operation.account_id == hand.account_id:
        yield Code.SELF_TARGET
    if facts.person is not None and facts.person.kind in _BOTS:
        yield Code.BOT_MEMBER
    is_past = operation.until is not None and operation.until <= hand.now
    if is_past or (operation.expires_on is not None and operation.expires_on <= hand.today):
        yield Code.EXPIRES_IN_PAST
    if operation.kind is not Kind.REVOKE:
        level = None if before is None else before.access_level
        if operation.expected_level not in {None, level} and level != operation.access_level:
            yield Code.GRANT_CHANGED
        return
    if before is None:
        yield _why_not_here(operation, facts)
    elif operation.expected_level not in {None, before.access_level}:
        yield Code.GRANT_CHANGED


def _why_not_here(operation: Operation, facts: Facts) -> Code:
    """Why there is no membership to revoke."""
    if facts.place is not None and facts.place.owner_id == operation.account_id:
        return Code.IMPLIED_ACCESS
    if facts.has_access:
        return Code.INHERITED_ACCESS
    is_admin = facts.person is not None and facts.person.is_admin
    return Code.IMPLIED_ACCESS if is_admin else Code.GRANT_CHANGED


def _of_hand(
    operation: Operation, facts: Facts, before: Membership | None, after: Membership | None, hand: Hand
) -> Iterator[Code]:
    """Whether this token may do it (app/policies/group_policy.rb and project_policy.rb, `admin_…_member`)."""
    if not hand.may_write:
        yield Code.TOKEN_SCOPE
    needed = OWNER if operation.resource_type is ResourceType.GROUP else MAINTAINER
    touched = max(state.access_level for state in (before, after) if state is not None)
    if not hand.is_admin and facts.own_level < max(needed, touched):
        yield Code.NOT_OWNER


def _of_change(
    operation: Operation, facts: Facts, before: Membership | None, after: Membership | None
) -> Iterator[Code]:
    """What stands against the change itself."""
    member, place = facts.member, facts.place
    comes_or_goes = member is None or after is None
    if (member is not None and member.is_ldap) or (place is not None and place.syncs_ldap and comes_or_goes):
        yield Code.LDAP_MANAGED
    if place is not None and place.syncs_saml and (member is None or member.is_saml):
        yield Code.SAML_MANAGED
    if member is not None and member.is_awaiting:
        yield Code.QUEUED_FOR_APPROVAL
    if member is None and place is not None and place.is_locked:
        yield Code.MEMBERSHIP_LOCK
    if after is not None and facts.inherited is not None and after.access_level < facts.inherited.level:
        yield Code.BELOW_INHERITED_LEVEL
    if _leaves_no_owner(operation, facts, before, after):
        yield Code.LAST_OWNER


def _leaves_no_owner(operation: Operation, facts: Facts, before: Membership | None, after: Membership | None) -> bool:
    """Whether a top-level group would be left, now or on some day, without anybody who can look after it."""
    if facts.place is None or not facts.place.is_top_level or before is None or before.access_level < OWNER:
        return False
    stays = after is not None and after.access_level >= OWNER and after.expires_on is None
    return not stays and not facts.owners - {operation.account_id}
