"""GitLab's rows of accounts, places and memberships, read as facts. Pure."""

from typing import Any

from gitlab_hub.gitlab.account_kinds import AccountKind, kind_by_name, kind_of
from gitlab_hub.gitlab.fields import GitLabRow, day, first_id, flag, number, part, rows_in, text
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.facts import Member, Person, Place
from gitlab_hub.provisioning.states import Membership


def person_of(row: GitLabRow) -> Person:
    """Read a row of `/users/:id` (lib/api/entities/user.rb); administrators are shown `is_admin` as well."""
    return Person(
        id=first_id(row, "id") or 0,
        username=text(row.get("username")) or "",
        name=text(row.get("name")) or "",
        state=text(row.get("state")) or "unknown",
        kind=kind_of(row) or kind_by_name(row) or AccountKind.UNKNOWN,
        is_admin=flag(row.get("is_admin")),
        addresses=tuple(sorted({one.lower() for name in _ADDRESSES if (one := text(row.get(name)))})),
        seen_on=max(filter(None, (_day(row.get(one)) for one in _SEEN)), default=None),
    )


_ADDRESSES = ("email", "public_email")
_SEEN = ("last_activity_on", "current_sign_in_at")
"""What `last_active_at` is made of (app/models/user.rb)."""


def _day(value: Any) -> str | None:
    """The day of a day or a time."""
    return day(value[:10]) if isinstance(value, str) else None


def place_of(kind: ResourceType, row: GitLabRow) -> Place:
    """Read a row of `/groups/:id` or `/projects/:id`.

    `ldap_group_links` are shown where there are any (ee/lib/ee/api/entities/group.rb). A project's namespace of the
    kind `user` is a person's own, and its id is no group's.
    """
    is_group = kind is ResourceType.GROUP
    namespace = part(row, "namespace")
    in_group = namespace.get("kind") == "group"
    return Place(
        type=kind,
        id=first_id(row, "id") or 0,
        full_path=text(row.get("full_path" if is_group else "path_with_namespace")) or "",
        parent_id=first_id(row, "parent_id") if is_group else first_id(namespace, "id") if in_group else None,
        owner_id=None if is_group or in_group else first_id(part(row, "owner"), "id"),
        is_locked=is_group and row.get("membership_lock") is True,
        locks_shares=is_group and row.get("share_with_group_lock") is True,
        keeps_inside=is_group and row.get("prevent_sharing_groups_outside_hierarchy") is True,
        syncs_ldap=is_group and bool(rows_in(row.get("ldap_group_links"))),
    )


def member_of(row: GitLabRow) -> Member:
    """Read a row of a membership (lib/api/entities/member.rb and its part in ee/).

    `override` is shown of memberships that LDAP made, and is true where somebody took them out of its hands.
    """
    role = first_id(part(row, "member_role"), "id")
    state = row.get("membership_state")
    return Member(
        membership=Membership(
            access_level=number(row.get("access_level")) or 0,
            expires_on=day(row.get("expires_at")),
            member_role_id=role,
        ),
        is_awaiting=isinstance(state, str) and state != "active",
        is_ldap=row.get("override") is False,
        is_saml=bool(part(row, "group_saml_identity")),
    )
