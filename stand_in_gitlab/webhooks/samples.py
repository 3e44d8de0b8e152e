"""Made-up events for `POST …/hooks/:hook_id/test/:trigger`."""

from stand_in_gitlab.company.code import repository_of
from stand_in_gitlab.company.code_model import NOTHING
from stand_in_gitlab.company.hook_model import Hook
from stand_in_gitlab.company.model import Project, User
from stand_in_gitlab.payloads.parts import Json, Parts
from stand_in_gitlab.payloads.push import push


class Samples:
    """Samples of pushes and tags from the repository as it is; other triggers are not available."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def of(self, trigger: str, hook: Hook, user: User) -> Json | None:
        """A sample for this hook; None where GitLab would say that testing is not available."""
        project = self._project(hook)
        if project is None or project.default_branch is None or trigger not in {"push_hooks", "tag_push_hooks"}:
            return None
        repository = repository_of(self._parts.company, project.id)
        commits = list(repository.history(repository.branches[project.default_branch]))[:3][::-1]
        if trigger == "push_hooks":
            ref = f"refs/heads/{project.default_branch}"
            return push(self._parts, project, user, ref, commits[0].sha, commits[-1].sha, commits)
        return push(self._parts, project, user, "refs/tags/v0.0.1", NOTHING, commits[-1].sha, commits[-1:])

    def _project(self, hook: Hook) -> Project | None:
        kind, owner_id = hook.owner
        company = self._parts.company
        if kind == "project":
            return company.projects[owner_id]
        inside = {owner_id, *(group.id for group in company.descendants(owner_id))}
        return next(iter(company.projects_of(inside)), None)

    @staticmethod
    def system() -> Json:
        """The one sample of system hooks."""
        return {
            "event_name": "project_create",
            "name": "Ruby",
            "path": "ruby",
            "project_id": 1,
            "owner_name": "Someone",
            "owner_email": "example@gitlabhq.com",
        }
