"""Deciding about the version and what the token reaches from GitLab's answers. Nothing here sends a request."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gitlab_hub.gitlab.errors import Forbidden, GitLabError, InsufficientScope, Missing
from gitlab_hub.integrations.checks import Check, Step, failed, passed, troubled, warned

OLDEST = (13, 9)
SAMPLE = 5

Rows = Sequence[Mapping[str, Any]]
Seen = Rows | GitLabError
"""What asking for a list gave."""


def version_check(version: str | None, status: int | None) -> Check:
    """Gate by version; one that GitLab keeps to itself is no obstacle."""
    if version is None:
        return passed(Step.VERSION, status=status, hint="This GitLab does not tell its version.")
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST:
        return failed(Step.VERSION, "unsupported_version", status=status, version=version)
    return passed(Step.VERSION, status=status)


def groups_check(seen: Seen | Mapping[str, Any], group: str | None) -> Check:
    """Decide about the named group, or about being able to list groups at all (having none is fine)."""
    if isinstance(seen, Missing) and group is None:
        return passed(Step.GROUPS, status=seen.http_status, hint="This GitLab does not list groups for the token.")
    if isinstance(seen, Missing):
        return failed(Step.GROUPS, "group_not_found", status=seen.http_status, group=group)
    if isinstance(seen, GitLabError):
        return troubled(Step.GROUPS, seen)
    return passed(Step.GROUPS, status=200)


def projects_check(seen: Seen, active: Rows) -> Check:
    """Decide about the projects listed, and those of them that are not archived."""
    if isinstance(seen, Missing):
        return failed(Step.PROJECTS, "no_resources", status=seen.http_status)
    if isinstance(seen, GitLabError):
        return troubled(Step.PROJECTS, seen)
    if not seen:
        return failed(Step.PROJECTS, "no_resources", status=200)
    return passed(Step.PROJECTS, status=200) if active else failed(Step.PROJECTS, "no_active_projects", status=200)


def active_of(projects: Rows) -> Rows:
    """The projects that are not archived: old servers ignore the filter, so rows are looked at."""
    return [project for project in projects if project.get("archived") is not True]


def sample(projects: Rows) -> list[int]:
    """The few projects to look into; those with CI switched off only where there are no others."""

    def without_ci(project: Mapping[str, Any]) -> bool:
        return project.get("jobs_enabled") is False or project.get("builds_access_level") == "disabled"

    ids = [project["id"] for project in sorted(projects, key=without_ci) if isinstance(project.get("id"), int)]
    return ids[:SAMPLE]


def pipelines_check(sampled: Sequence[Seen]) -> Check:
    """Decide about the pipelines of the sampled projects: one that can be read proves that the token can."""
    errors = [seen for seen in sampled if isinstance(seen, GitLabError)]
    readable = [seen for seen in sampled if not isinstance(seen, GitLabError)]
    refused = [error for error in errors if isinstance(error, Forbidden | Missing)]
    if readable and refused:
        return warned(Step.PIPELINES, "partial_access", status=200)
    if readable:
        return (
            passed(Step.PIPELINES, status=200)
            if any(readable)
            else warned(Step.PIPELINES, "no_pipelines_yet", status=200)
        )
    return _nothing_readable(errors, refused)


def _nothing_readable(errors: Sequence[GitLabError], refused: Sequence[GitLabError]) -> Check:
    other = next((error for error in errors if error not in refused or isinstance(error, InsufficientScope)), None)
    if other is not None:
        return troubled(Step.PIPELINES, other)
    forbidden = next((error for error in refused if isinstance(error, Forbidden)), None)
    if forbidden is not None:
        return failed(Step.PIPELINES, "invalid_permissions", status=forbidden.http_status, role="reporter")
    return failed(Step.PIPELINES, "no_resources", status=404)


def jobs_check(seen: Seen | None) -> Check:
    """Decide about the jobs of one pipeline, where there is one; it may be gone by now."""
    if seen is None:
        return passed(Step.JOBS, hint="There was no pipeline to look into.")
    if isinstance(seen, Missing):
        return passed(Step.JOBS, status=seen.http_status, hint="The sampled pipeline is gone.")
    if isinstance(seen, Forbidden) and not isinstance(seen, InsufficientScope):
        return failed(Step.JOBS, "jobs_forbidden", status=seen.http_status)
    return troubled(Step.JOBS, seen) if isinstance(seen, GitLabError) else passed(Step.JOBS, status=200)
