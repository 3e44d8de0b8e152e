"""Deciding about the version and what the token reaches from GitLab's answers. Nothing here sends a request."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitlab_hub.gitlab.ci_access import ci_is_off
from gitlab_hub.gitlab.errors import Forbidden, GitLabError, InsufficientScope, Missing, MissingPermissions
from gitlab_hub.integrations.checks import Check, Step, TokenFacts, failed, passed, troubled, warned
from gitlab_hub.integrations.permission_steps import permission_missing, permission_spared

OLDEST = (13, 9)
SAMPLE = 5
ROLE = (
    "GitLab shows the token's user no pipelines in any sampled project. Give the user at least the role Reporter. "
    "Accounts and grants do not need it."
)

Rows = Sequence[Mapping[str, Any]]
Seen = Rows | GitLabError
"""What asking for a list gave."""

Sampled = tuple[Mapping[str, Any], Seen]
"""A project as it was listed, and what asking for its pipelines gave."""


def version_check(version: str | None, status: int | None) -> Check:
    """Gate by version; one that GitLab keeps to itself is no obstacle."""
    if version is None:
        return passed(Step.VERSION, status=status, hint="This GitLab does not tell its version.")
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST:
        return failed(Step.VERSION, "unsupported_version", status=status, version=version)
    return passed(Step.VERSION, status=status)


def groups_check(seen: Seen | Mapping[str, Any], group: str | None, token: TokenFacts) -> Check:
    """Decide about the named group, or about being able to list groups at all (having none is fine)."""
    if isinstance(seen, MissingPermissions):
        # Without a named group only the access sync needs the list, and says itself that it could not read it.
        decide = permission_spared if group is None else permission_missing
        return decide(Step.GROUPS, seen, facts=token)
    if isinstance(seen, Missing) and group is None:
        return passed(Step.GROUPS, status=seen.http_status, hint="This GitLab does not list groups for the token.")
    if isinstance(seen, Missing):
        return failed(Step.GROUPS, "group_not_found", status=seen.http_status, group=group)
    if isinstance(seen, GitLabError):
        return troubled(Step.GROUPS, seen)
    return passed(Step.GROUPS, status=200)


def projects_check(seen: Seen, active: Rows, token: TokenFacts) -> Check:
    """Decide about the projects listed, and those of them that are not archived."""
    if isinstance(seen, MissingPermissions):
        return permission_missing(Step.PROJECTS, seen, facts=token)
    if isinstance(seen, Missing):
        return failed(Step.PROJECTS, "no_resources", status=seen.http_status)
    if isinstance(seen, GitLabError):
        return troubled(Step.PROJECTS, seen)
    if not seen:
        return failed(Step.PROJECTS, "no_resources", status=200)
    return passed(Step.PROJECTS, status=200) if active else failed(Step.PROJECTS, "no_active_projects", status=200)


def active_of(projects: Rows) -> list[Mapping[str, Any]]:
    """The projects with an id that are not archived: old servers ignore the filter, so rows are looked at."""
    return [row for row in projects if row.get("archived") is not True and type(row.get("id")) is int]


def sample(projects: Iterable[Mapping[str, Any]], most: int = SAMPLE) -> list[Mapping[str, Any]]:
    """The few projects to look into, each once; those with CI switched off only where there are no others."""
    once: dict[int, Mapping[str, Any]] = {}
    for project in projects:
        once.setdefault(project["id"], project)
    return sorted(once.values(), key=ci_is_off)[:most]


def pipelines_check(sampled: Sequence[Sampled], token: TokenFacts) -> Check:
    """Decide about the pipelines of the sampled projects: one that can be read proves that the token can."""
    told = [seen for project, seen in sampled if not _refused_as_off(project, seen)]
    errors = [seen for seen in told if isinstance(seen, GitLabError)]
    readable = [seen for seen in told if not isinstance(seen, GitLabError)]
    refused = [error for error in errors if isinstance(error, Forbidden | Missing)]
    if not errors and all(ci_is_off(project) for project, _ in sampled):
        return warned(Step.PIPELINES, "ci_disabled", status=_status(sampled))
    if readable and refused:
        return warned(Step.PIPELINES, "partial_access", status=200, **_missing(refused))
    if readable:
        return (
            passed(Step.PIPELINES, status=200)
            if any(readable)
            else warned(Step.PIPELINES, "no_pipelines_yet", status=200)
        )
    return _nothing_readable(errors, refused, token)


def _refused_as_off(project: Mapping[str, Any], seen: Seen) -> bool:
    """Whether GitLab turned the token away because there is nothing: it would turn away everybody."""
    about_the_token = InsufficientScope | MissingPermissions
    return ci_is_off(project) and isinstance(seen, Forbidden) and not isinstance(seen, about_the_token)


def _status(sampled: Sequence[Sampled]) -> int | None:
    seen = sampled[0][1]
    return seen.http_status if isinstance(seen, GitLabError) else 200


def _missing(refused: Sequence[GitLabError]) -> dict[str, Any]:
    named = next((error for error in refused if isinstance(error, MissingPermissions)), None)
    return {} if named is None else dict(named.details)


def _nothing_readable(errors: Sequence[GitLabError], refused: Sequence[GitLabError], token: TokenFacts) -> Check:
    other = next((error for error in errors if error not in refused or isinstance(error, InsufficientScope)), None)
    if other is not None:
        return troubled(Step.PIPELINES, other)
    named = next((error for error in refused if isinstance(error, MissingPermissions)), None)
    if named is not None:
        return permission_missing(Step.PIPELINES, named, facts=token)
    forbidden = next((error for error in refused if isinstance(error, Forbidden)), None)
    if forbidden is not None:
        return failed(Step.PIPELINES, "invalid_permissions", status=forbidden.http_status, hint=ROLE, role="reporter")
    return failed(Step.PIPELINES, "no_resources", status=404)


def jobs_check(seen: Seen | None, token: TokenFacts) -> Check:
    """Decide about the jobs of one pipeline, where there is one; it may be gone by now."""
    if seen is None:
        return passed(Step.JOBS, hint="There was no pipeline to look into.")
    if isinstance(seen, Missing):
        return passed(Step.JOBS, status=seen.http_status, hint="The sampled pipeline is gone.")
    if isinstance(seen, MissingPermissions):
        return permission_missing(Step.JOBS, seen, facts=token)
    if isinstance(seen, Forbidden) and not isinstance(seen, InsufficientScope):
        return failed(Step.JOBS, "jobs_forbidden", status=seen.http_status)
    return troubled(Step.JOBS, seen) if isinstance(seen, GitLabError) else passed(Step.JOBS, status=200)
