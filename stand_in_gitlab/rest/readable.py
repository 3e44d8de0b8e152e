"""Who may look at pipelines and jobs."""

from stand_in_gitlab.company.model import GUEST, REPORTER, Project
from stand_in_gitlab.company.visibility import Visibility
from stand_in_gitlab.rest.ask import Ask
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.refusals import forbidden


def shows_builds(project: Project, visibility: Visibility) -> bool:
    """Whether this user may read pipelines and builds of a project that they see.

    GitLab's lib/api/ci/pipelines.rb wants to read pipelines and builds; app/policies/project_policy.rb has who may.
    """
    level = visibility.project_level(project.id)
    if not (project.has_repository and project.builds_enabled) or (project.builds_members_only and not level):
        return False
    needed = GUEST if project.public_jobs else REPORTER
    openly = project.public_jobs and project.visibility != "private"
    return level >= needed or openly


def builds_project(find: Finder, ask: Ask) -> Project:
    """The project, if the caller may read its builds; 404 when it is hidden, 403 when only its builds are."""
    project = find.project(ask)
    if not shows_builds(project, ask.visibility):
        raise forbidden()
    return project
