"""Who may change a membership.

app/policies/group_member_policy.rb, project_member_policy.rb, and their EE counterparts.
"""

from stand_in_gitlab.company.member_rules import is_holder, is_kept_elsewhere, is_last_owner, is_project_bot
from stand_in_gitlab.company.model import MAINTAINER, OWNER, Membership
from stand_in_gitlab.company.state import Company, Source
from stand_in_gitlab.rest.ask import Ask


class MemberRights:
    """Answers for one caller; administrators are Owners everywhere, and bound by all that protects a row."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def may_administer(self, ask: Ask, source: Source) -> bool:
        """`admin_group_member`: Owners of a group that nothing else fills. `admin_project_member`: Maintainers."""
        kind, source_id = source
        if kind == "project":
            return ask.visibility.project_level(source_id) >= MAINTAINER
        owns = ask.visibility.group_level(source_id) >= OWNER
        return owns and not is_kept_elsewhere(self._company, source, ask.user)

    def may_manage_owners(self, ask: Ask, source: Source) -> bool:
        """Only Owners make, change and remove Owners of a project; of a group only Owners do anything."""
        kind, source_id = source
        return kind == "group" or ask.visibility.project_level(source_id) >= OWNER

    def may_update(self, ask: Ask, source: Source, member: Membership) -> bool:
        """`update_group_member` and `update_project_member`."""
        if self._is_protected(source, member) or self._is_bot(member):
            return False
        if source[0] == "project":
            return self.may_administer(ask, source)
        if member.ldap and not member.override:
            return False
        return self.may_administer(ask, source) or self._updates_synced(ask, source[1])

    def may_remove(self, ask: Ask, source: Source, member: Membership) -> bool:
        """`destroy_group_member` and `destroy_project_member`: people may always leave, unless the row is protected."""
        if self._is_protected(source, member):
            return False
        if member.level == OWNER and not self.may_manage_owners(ask, source):
            return False
        return member.user_id == ask.user.id or (not self._is_bot(member) and self.may_administer(ask, source))

    def may_override(self, ask: Ask, source: Source, member: Membership) -> bool:
        """`override_group_member`: of what LDAP made, in a group that LDAP fills."""
        return member.ldap and self._updates_synced(ask, source[1])

    def _updates_synced(self, ask: Ask, group_id: int) -> bool:
        by_setting = self._company.behaviour.lock_memberships_to_ldap and not ask.user.is_admin
        owns = ask.visibility.group_level(group_id) >= OWNER
        return self._company.groups[group_id].ldap_synced and owns and not by_setting

    def _is_protected(self, source: Source, member: Membership) -> bool:
        kind, source_id = source
        if kind == "group":
            return is_last_owner(self._company, source_id, member.user_id)
        return is_holder(self._company, source, member.user_id)

    def _is_bot(self, member: Membership) -> bool:
        return is_project_bot(self._company.users.get(member.user_id))
