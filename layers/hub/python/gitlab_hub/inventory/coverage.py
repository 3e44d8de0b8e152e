"""Whether a group or project is still there, and one that the integration covers.

Where GitLab does not tell, nothing goes and nothing new is taken in: the next whole list decides.
"""

from typing import TYPE_CHECKING

from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound
from gitlab_hub.gitlab.fields import GitLabRow, first_text, is_within, mapping, number, part, text
from gitlab_hub.gitlab.messages import group_path
from gitlab_hub.sync.ports import SyncTarget

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab


async def fetch(gitlab: "GitLab", path: str, **params: str) -> GitLabRow | None:
    """Read one thing by its id; None = GitLab says there is none. A refusal is no such answer, and tells nothing."""
    try:
        reply = await gitlab.get(path, params or None)
    except ResourceNotFound:
        return None
    except Forbidden:
        return {}
    return mapping(reply.body)


async def covers_project(gitlab: "GitLab", target: SyncTarget, project: GitLabRow) -> bool | None:
    """Whether a project that can be seen is one of the integration's; None where GitLab does not tell.

    A project tells of memberships in itself and in its group, and of nobody whose group was invited
    (lib/api/entities/project_with_access.rb); its members do (docs.gitlab.com/api/members, "inherited and invited").
    """
    if target.group is not None:
        namespace, _, _ = (text(project.get("path_with_namespace")) or "").rpartition("/")
        return await _is_in_group(gitlab, target, namespace)
    permissions, project_id = part(project, "permissions"), number(project.get("id"))
    if target.is_admin or not permissions or any(permissions.values()):
        return True
    return None if project_id is None else await is_member(gitlab, target, f"/projects/{project_id}")


async def covers_group(gitlab: "GitLab", target: SyncTarget, group_id: int, group: GitLabRow) -> bool | None:
    """Whether a group that can be seen is one of the integration's; None where GitLab does not tell."""
    if target.group is not None:
        return await _is_in_group(gitlab, target, text(group.get("full_path")))
    return True if target.is_admin else await is_member(gitlab, target, f"/groups/{group_id}")


async def project_is_gone(gitlab: "GitLab", target: SyncTarget, project_id: int) -> bool:
    """Whether a project is deleted, or no longer one that the integration covers. Raises GitLabErrors."""
    project = await fetch(gitlab, f"/projects/{project_id}")
    return project is None or await covers_project(gitlab, target, project) is False


async def group_is_gone(gitlab: "GitLab", target: SyncTarget, group_id: int) -> bool:
    """Whether a group is deleted, or no longer one that the integration covers. Raises GitLabErrors."""
    group = await fetch(gitlab, f"/groups/{group_id}", with_projects="false")
    return group is None or await covers_group(gitlab, target, group_id, group) is False


async def is_member(gitlab: "GitLab", target: SyncTarget, path: str) -> bool | None:
    """Whether the token's user is a member, however it came to be one; None where GitLab does not tell."""
    member = await fetch(gitlab, f"{path}/members/all/{target.user_id}")
    return bool(member) or (None if member == {} else False)


async def _is_in_group(gitlab: "GitLab", target: SyncTarget, path: str | None) -> bool | None:
    """Whether a group is the integration's or lies in it; its name may have changed since the run began."""
    if target.group is None or not path:
        return None
    if is_within(path, target.group):
        return True
    group = await fetch(gitlab, group_path(target.group, target.group_id), with_projects="false") or {}
    now = first_text(group, "full_path")
    return None if now is None else is_within(path, now)
