"""Whether a project has CI/CD at all, read off its row: a 403 there says nothing about the token."""

from collections.abc import Mapping
from typing import Any

OFF = "disabled"


def ci_is_off(project: Mapping[str, Any]) -> bool:
    """Whether nobody can read jobs in a project, whatever their role.

    GitLab's app/policies/project_policy.rb: with builds disabled nobody reads jobs, without a repository nobody reads
    pipelines either; lib/api/ci/pipelines.rb wants both for the list of pipelines. `jobs_enabled` counts only where a
    release has nothing better: it says whether *this* user has the feature, so it is false for an outsider too where
    `builds_access_level` is private (lib/api/entities/project.rb).
    """
    if project.get("repository_access_level") == OFF:
        return True
    level = project.get("builds_access_level")
    return level == OFF if isinstance(level, str) else project.get("jobs_enabled") is False
