"""Bodies about accounts, groups, projects and members: mostly for system hooks."""

from stand_in_gitlab.clock import parse
from stand_in_gitlab.company.model import Group, Membership, Project, User
from stand_in_gitlab.payloads.parts import Json, Parts, zulu

ROLES = {
    5: "Minimal Access",
    10: "Guest",
    15: "Planner",
    20: "Reporter",
    25: "Security Manager",
    30: "Developer",
    40: "Maintainer",
    50: "Owner",
}


def _event(name: str, created: float, now: float) -> Json:
    return {"event_name": name, "created_at": zulu(created), "updated_at": zulu(now)}


def account(name: str, user: User, now: float, *, old_username: str | None = None) -> Json:
    """`user_create`, `user_destroy`, `user_rename`."""
    row = {"name": user.name, "email": user.email, "user_id": user.id, "username": user.username}
    renamed = {"old_username": old_username} if old_username else {}
    return {**_event(name, user.created, now), **row, **renamed}


def group(name: str, group: Group, now: float) -> Json:
    """`group_create`, `group_destroy`."""
    row = {"name": group.name, "path": group.path, "full_path": group.full_path, "group_id": group.id}
    return {**_event(name, group.created, now), **row, "owner_email": None, "owner_name": None}


def subgroup(name: str, group: Group, parent: Group, now: float) -> Json:
    """`subgroup_create`, `subgroup_destroy`, for the hooks of the groups above."""
    return {
        **_event(name, group.created, now),
        "name": group.name,
        "path": group.path,
        "full_path": group.full_path,
        "group_id": group.id,
        "parent_group_id": parent.id,
        "parent_name": parent.name,
        "parent_path": parent.path,
        "parent_full_path": parent.full_path,
    }


def project(parts: Parts, name: str, project: Project, now: float, *, old_path: str | None = None) -> Json:
    """`project_create`, `project_destroy`, `project_rename`, `project_update`."""
    owner = parts.someone(project.creator_id)
    renamed = {"old_path_with_namespace": old_path} if old_path else {}
    return {
        **_event(name, project.created, now),
        "name": project.name,
        "path": project.path,
        "path_with_namespace": project.full_path,
        "project_id": project.id,
        "project_namespace_id": project.group_id,
        "owner_name": owner.name,
        "owner_email": "",
        "owners": [{"name": owner.name, "email": ""}],
        "project_visibility": project.visibility,
        **renamed,
    }


def group_member(name: str, group: Group, user: User, member: Membership, now: float) -> Json:
    """`user_add_to_group`, `user_update_for_group`, `user_remove_from_group`."""
    return {
        **_event(name, member.created, now),
        "group_name": group.name,
        "group_path": group.path,
        "group_id": group.id,
        **_who(user),
        "group_access": ROLES.get(member.level, str(member.level)),
        "group_plan": None,
        "expires_at": zulu(parse(member.expires_at)) if member.expires_at else None,
    }


def project_member(name: str, project: Project, user: User, member: Membership, now: float) -> Json:
    """`user_add_to_team`, `user_update_for_team`, `user_remove_from_team`."""
    return {
        **_event(name, member.created, now),
        "project_name": project.name,
        "project_path": project.path,
        "project_path_with_namespace": project.full_path,
        "project_id": project.id,
        **_who(user),
        "access_level": ROLES.get(member.level, str(member.level)),
        "project_visibility": project.visibility,
    }


def _who(user: User) -> Json:
    return {"user_username": user.username, "user_name": user.name, "user_email": user.email, "user_id": user.id}
