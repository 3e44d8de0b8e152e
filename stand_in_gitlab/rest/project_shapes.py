"""Projects as JSON, short and long."""

from stand_in_gitlab.clock import iso
from stand_in_gitlab.company.model import Group, Project
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.visibility import Visibility
from stand_in_gitlab.rest.shapes import Json, Shapes


class ProjectShapes:
    """Presents projects; what belongs to their members only is left out for others."""

    def __init__(self, company: Company, base: str, shapes: Shapes) -> None:
        self._company, self._base, self._shapes = company, base, shapes

    def basic(self, project: Project) -> Json:
        """What lists show with `simple=true`, and what a fork says of its origin."""
        url = f"{self._base}/{project.full_path}"
        return {
            "id": project.id,
            "description": None,
            "name": project.name,
            "name_with_namespace": project.full_name,
            "path": project.path,
            "path_with_namespace": project.full_path,
            "created_at": iso(project.created),
            "default_branch": project.default_branch,
            "tag_list": list(project.topics),
            "topics": list(project.topics),
            "ssh_url_to_repo": f"git@gitlab.acme.example:{project.full_path}.git",
            "http_url_to_repo": f"{url}.git",
            "web_url": url,
            "readme_url": f"{url}/-/blob/{project.default_branch}/README.md" if project.default_branch else None,
            "forks_count": 0,
            "avatar_url": None,
            "star_count": 0,
            "last_activity_at": iso(project.last_activity),
            "visibility": project.visibility,
            "namespace": self._namespace(project),
        }

    def _namespace(self, project: Project) -> Json:
        if project.group_id:
            return self._group_namespace(self._company.groups[project.group_id])
        owner = self._company.users[project.creator_id]
        return {
            "id": 1_000_000 + owner.id,
            "name": owner.name,
            "path": owner.username,
            "kind": "user",
            "full_path": owner.username,
            "parent_id": None,
            "avatar_url": None,
            "web_url": f"{self._base}/{owner.username}",
        }

    def _group_namespace(self, group: Group) -> Json:
        return {
            "id": group.id,
            "name": group.name,
            "path": group.path,
            "kind": "group",
            "full_path": group.full_path,
            "parent_id": group.parent_id,
            "avatar_url": None,
            "web_url": f"{self._base}/groups/{group.full_path}",
        }

    def full(self, project: Project, visibility: Visibility) -> Json:
        """What lists show by default."""
        on = project.builds_enabled
        features = "private" if on and project.builds_members_only else "enabled" if on else "disabled"
        # `jobs_enabled` is about who asks (lib/api/entities/project.rb); the access level is about the project.
        usable = on and (not project.builds_members_only or bool(visibility.project_level(project.id)))
        row = {
            **self.basic(project),
            "_links": {"self": f"{self._base}/api/v4/projects/{project.id}"},
            "packages_enabled": True,
            "empty_repo": project.default_branch is None,
            "archived": project.archived,
            "jobs_enabled": usable,
            "builds_access_level": features,
            "environments_access_level": "enabled" if project.environments_enabled else "disabled",
            "repository_access_level": "enabled" if project.has_repository else "disabled",
            "issues_enabled": True,
            "merge_requests_enabled": True,
            "shared_runners_enabled": True,
            "creator_id": project.creator_id,
            "import_status": "none",
            "open_issues_count": 0,
            "ci_config_path": "",
            "public_jobs": project.public_jobs,
            "build_timeout": 3600,
            "shared_with_groups": [self._shapes.share(share) for share in visibility.shown_shares(project)],
            "only_allow_merge_if_pipeline_succeeds": False,
            "merge_method": "merge",
            "marked_for_deletion_on": project.marked_for_deletion_on,
            **self._origin(project, visibility),
        }
        return row if project.group_id else row | {"owner": self._owner(project)}

    def _owner(self, project: Project) -> Json:
        return self._shapes.user_basic(self._company.users[project.creator_id])

    def _origin(self, project: Project, visibility: Visibility) -> Json:
        origin = self._company.projects.get(project.forked_from or 0)
        return {"forked_from_project": self.basic(origin)} if origin and visibility.sees_project(origin.id) else {}

    def detail(self, project: Project, visibility: Visibility) -> Json:
        """One project, with what its Maintainers may know on top."""
        level = visibility.project_level(project.id)
        admin = {"runners_token": f"GR1348941project{project.id:08d}"} if level >= 40 else {}  # noqa: PLR2004 - Maintainer
        return {**self.with_access(project, visibility), **admin}

    def with_access(self, project: Project, visibility: Visibility) -> Json:
        """What `/projects` shows: also the caller's own memberships (lib/api/entities/project_with_access.rb)."""
        direct = self._company.members["project", project.id].get(visibility.user.id)
        group_level = visibility.membership_level(project.group_id) if project.group_id else 0
        access = {"project_access": _access(direct.level if direct else 0), "group_access": _access(group_level)}
        return {**self.full(project, visibility), "permissions": access}


def _access(level: int) -> Json | None:
    return {"access_level": level, "notification_level": 3} if level else None
