"""Empty lists that GitLab itself contradicts: they say that a list was not shown, not that there is nothing.

Pure rules. What may be so is believed: a GitLab with personal projects only, a token that is a member of projects but
of no group, a group without projects.
"""

from collections.abc import Iterable

from gitlab_hub.gitlab.fields import GitLabRow, number, part, rows_in, text
from gitlab_hub.sync.ports import SyncTarget

GUEST = 10
"""The least level with which `/groups` is asked for (`min_access_level`)."""

LOOK = "Look for what answers in GitLab's place (a proxy, a cache), and in GitLab's log for this request."


def in_listed_groups(projects: Iterable[GitLabRow], target: SyncTarget) -> dict[int, GitLabRow]:
    """Find groups that seem to belong into a list that shows none: by the group's id, a project that lies in it.

    An administrator is shown every group. A member is shown those where he is one, there or above it
    (app/finders/groups_finder.rb, `groups_with_min_access_level`): just what `group_access` of a row of `/projects`
    tells (`ProjectWithAccess` of lib/api/entities, `highest_group_member` of app/models/group.rb). Below a single group
    all are shown that have a project which the token sees: they are among `User#authorized_groups`, or public.

    It is no proof: `group_access` once showed requests for access that nobody had granted, and a server that does not
    know `with_shared` lists projects of other groups. Whether the group is covered is asked of GitLab.
    """
    found: dict[int, GitLabRow] = {}
    for row in projects:
        group_id = number(part(row, "namespace").get("id"))
        if group_id is not None and _seems_to_lie_in_a_listed_group(row, target):
            found.setdefault(group_id, row)
    return found


def contradicts_no_groups(project: GitLabRow) -> str:
    """Say why a list without groups cannot be whole where this project lies in one that is covered."""
    path = text(project.get("path_with_namespace")) or "a project"
    return f"GitLab lists no groups, but {path}, which lies in a group that belongs into the list. {LOOK}"


def _seems_to_lie_in_a_listed_group(project: GitLabRow, target: SyncTarget) -> bool:
    namespace = part(project, "namespace")
    if namespace.get("kind") != "group":
        return False
    if target.group is not None:
        return number(namespace.get("id")) != target.group_id
    access = part(part(project, "permissions"), "group_access")
    return target.is_admin or (number(access.get("access_level")) or 0) >= GUEST


def contradicts_no_projects(groups: Iterable[GitLabRow]) -> str | None:
    """Why a list without projects cannot be whole, told by the pages of groups; None where it may be.

    Whoever is a member of a group is one of each of its projects, and a group's own page has them too (`projects` in
    lib/api/entities/group_detail.rb).
    """
    for group in groups:
        for project in rows_in(group.get("projects")):
            path = text(project.get("path_with_namespace")) or "some"
            return f"GitLab lists no projects, but shows {path} on the page of its group. {LOOK}"
    return None
