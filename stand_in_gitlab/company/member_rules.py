"""What GitLab lets happen to memberships, whoever asks: last owners, inherited levels, bots, locks.

Every function looks at a company and changes nothing.
"""

import re

from stand_in_gitlab.company.model import GUEST, MINIMAL, OWNER, Group, Membership, User
from stand_in_gitlab.company.state import Company, Source

LEVELS = frozenset({10, 15, 20, 25, 30, 40, 50})
PROJECT_BOT = re.compile(r"(project|group)_\d+_bot_[0-9a-f]+")


def is_project_bot(user: User | None) -> bool:
    """Whether the account is the one behind a group or project access token; service accounts are not."""
    return user is not None and user.bot and PROJECT_BOT.fullmatch(user.username) is not None


def line_above(company: Company, source: Source) -> list[Group]:
    """The groups that members of a source may be inherited from, the nearest first."""
    kind, source_id = source
    if kind == "group":
        return company.ancestors(source_id)[1:]
    return company.ancestors(company.projects[source_id].group_id)


def is_last_owner(company: Company, group_id: int, user_id: int) -> bool:
    """Whether this is an owner row of a group with no other one.

    `last_owner_of_the_group?` in app/models/members/group_member.rb: owners of the groups above count for a subgroup,
    blocked owners count everywhere, and bots of access tokens nowhere.
    """
    row = company.members["group", group_id].get(user_id)
    if row is None or row.level != OWNER:
        return False
    for group in company.ancestors(group_id):
        for other, member in company.members["group", group.id].items():
            is_itself = group.id == group_id and other == user_id
            if member.level == OWNER and not is_itself and not is_project_bot(company.users.get(other)):
                return False
    return True


def inherited(company: Company, source: Source, user_id: int) -> tuple[int, Group] | None:
    """A user's highest level in a group above, and that group (`highest_group_member` in app/models/member.rb)."""
    found: tuple[int, Group] | None = None
    for group in line_above(company, source):
        member = company.members["group", group.id].get(user_id)
        if member is not None and (found is None or member.level > found[0]):
            found = member.level, group
    return found


def is_holder(company: Company, source: Source, user_id: int) -> bool:
    """Whether a project lives in this user's own namespace: nobody changes that membership."""
    kind, source_id = source
    if kind == "group":
        return False
    project = company.projects[source_id]
    return project.group_id is None and project.creator_id == user_id


def level_fits(company: Company, source: Source, level: int) -> bool:
    """Whether there is such a level here; Minimal Access is for top-level groups (ee/app/models/ee/group_member.rb)."""
    kind, source_id = source
    if level == MINIMAL:
        return kind == "group" and company.groups[source_id].parent_id is None
    return level in LEVELS


def is_locked(company: Company, source: Source) -> bool:
    """Whether a project takes no members of its own, by `membership_locked?` of GitLab's EE.

    The lock of the project's own group counts, not that of a group above; groups have none.
    """
    kind, source_id = source
    if kind == "group":
        return False
    group = company.groups.get(company.projects[source_id].group_id or 0)
    behaviour = company.behaviour
    everywhere = behaviour.lock_memberships_to_ldap or behaviour.lock_memberships_to_saml
    return group is not None and (group.membership_lock or everywhere)


def is_kept_elsewhere(company: Company, source: Source, caller: User) -> bool:
    """Whether only a synchronization adds and removes members of this group (ee/app/policies/ee/group_policy.rb).

    A SAML group link alone locks nothing: the member's next sign-in puts things right again.
    """
    kind, source_id = source
    if kind == "project":
        return False
    group, behaviour = company.groups[source_id], company.behaviour
    by_setting = behaviour.lock_memberships_to_ldap or (behaviour.lock_memberships_to_saml and group.saml_synced)
    return group.ldap_synced or (by_setting and not caller.is_admin)


def takes_a_seat(company: Company, user_id: int) -> bool:
    """Whether a user is billable already: has more than Guest anywhere (Ultimate)."""
    return any(rows[user_id].level > GUEST for rows in company.members.values() if user_id in rows)


def below(company: Company, group_id: int, user_id: int) -> list[Source]:
    """Where below a group a user has a direct membership: first its projects, then its subgroups.

    The order of `delete_subresources` in app/services/members/destroy_service.rb.
    """
    groups = [group.id for group in company.descendants(group_id)]
    projects = [project.id for project in company.projects_of({group_id, *groups})]
    sources: list[Source] = [*(("project", number) for number in projects), *(("group", number) for number in groups)]
    return [source for source in sources if user_id in company.members.get(source, {})]


def differs(old: Membership | None, new: Membership) -> bool:
    """Whether saving would change anything: GitLab neither checks nor tells of a membership that stays as it is."""
    return old is None or (old.level, old.expires_at, old.role, old.override) != (
        new.level, new.expires_at, new.role, new.override,
    )  # fmt: skip
