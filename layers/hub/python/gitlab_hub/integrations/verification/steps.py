"""Deciding about the token and the user behind it from GitLab's answers. Nothing here sends a request."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitlab_hub.gitlab.account_kinds import AccountKind, kind_by_name, kind_of
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    InsufficientScope,
    MissingPermissions,
    ResourceNotFound,
    Unauthorized,
)
from gitlab_hub.gitlab.fields import ci_is_off, first_id, mapping, midnight, rows_in
from gitlab_hub.gitlab.granular import GRANULAR, is_fine_grained
from gitlab_hub.integrations.health import EXPIRING_WITHIN
from gitlab_hub.integrations.model import GitLabUser
from gitlab_hub.integrations.permissions import API, READ_API, covered
from gitlab_hub.integrations.verification.checks import (
    Check,
    Step,
    TokenFacts,
    errored,
    failed,
    is_unexplained,
    passed,
    permission_missing,
    permission_spared,
    unexplained,
    warned,
)

FOREIGN_PREFIXES = ("gldt-", "glrt-", "glcbt-", "glft-")
NEW_TOKEN = "Make a new token that has it, and give that."  # noqa: S105 - advice
AUTHORIZE_AGAIN = (
    "Give the OAuth application that scope in GitLab if it lacks it, and authorize again: POST "
    '/v1/integrations/gitlab/authorize {"integration_id": …, "features": …}, with the features to switch on.'
)
UNDESCRIBED = TokenFacts(scopes=(GRANULAR,))
"""A token that may not describe itself. GitLab asks no other kind for a permission there: what enforces fine-grained
tokens is a top-level group, and the route belongs to none."""


def token_refused(error: GitLabError, token: str, *, writes: bool, oauth: bool) -> Check:
    """GitLab's refusal of a token; a 401 for a token of another trade is explained by its prefix."""
    if isinstance(error, Unauthorized) and token.startswith(FOREIGN_PREFIXES):
        return failed(Step.TOKEN, "invalid_credentials", status=error.http_status, reason="wrong_token_type")
    if isinstance(error, InsufficientScope):
        missing = [API if writes else READ_API]
        return _scopes_missing(missing, error.http_status, oauth=oauth)
    if isinstance(error, MissingPermissions):
        return permission_missing(Step.TOKEN, error)
    if is_unexplained(error):
        return unexplained(Step.TOKEN, error)
    if isinstance(error, ResourceNotFound):
        # Not even `GET /user`, which every GitLab has.
        return failed(Step.TOKEN, "not_gitlab", status=error.http_status)
    return errored(Step.TOKEN, error)


def token_facts(body: Mapping[str, Any]) -> TokenFacts:
    """Read `/personal_access_tokens/self` or `/oauth/token/info`; what is not there stays unknown."""
    listed = body.get("scopes", body.get("scope"))
    scopes = listed.split() if isinstance(listed, str) else listed if isinstance(listed, list) else []
    if body.get("granular") is True:
        scopes = [GRANULAR]
    return TokenFacts(
        scopes=tuple(str(scope) for scope in scopes),
        expires_at=midnight(body.get("expires_at")),
        projects=_granted(body, "project_id"),
        groups=_granted(body, "group_id"),
    )


def _granted(body: Mapping[str, Any], name: str) -> tuple[int, ...]:
    """The ids that the parts of a grant name; a part may cover everything its user is a member of, and name none."""
    named = (first_id(row, name) for row in rows_in(body.get("granular_scopes")))
    return tuple(dict.fromkeys(number for number in named if number is not None))


def token_check(
    body: Mapping[str, Any], facts: TokenFacts, *, status: int, writes: bool, oauth: bool, now: int
) -> Check:
    """Decide about a token that GitLab has described."""
    if body.get("revoked") is True:
        return failed(Step.TOKEN, "invalid_credentials", status=status, reason="token_revoked")
    if facts.expires_at is not None and facts.expires_at <= now:
        return failed(Step.TOKEN, "invalid_credentials", status=status, reason="token_expired")
    if missing := missing_scopes(facts.scopes, writes=writes):
        return _scopes_missing(missing, status, oauth=oauth)
    if facts.expires_at is not None and facts.expires_at - now <= EXPIRING_WITHIN:
        return warned(Step.TOKEN, "expiring_soon", status=status)
    return passed(Step.TOKEN, status=status)


def missing_scopes(scopes: Sequence[str], *, writes: bool) -> list[str]:
    """The scopes a token would need in addition; what scopes do not tell is found out by trying."""
    if not scopes or is_fine_grained(scopes):
        return []
    needed = API if writes else READ_API
    return [] if needed in covered(scopes) else [needed]


def _scopes_missing(missing: list[str], status: int | None, *, oauth: bool) -> Check:
    named = " or ".join(missing)
    why = "to write to GitLab (manage_webhooks, report_statuses)" if API in missing else "to read from GitLab"
    hint = f"The token lacks the scope {named}, which the hub needs {why}. {AUTHORIZE_AGAIN if oauth else NEW_TOKEN}"
    return failed(Step.TOKEN, "invalid_permissions", status=status, hint=hint, missing_scopes=missing)


def account_check(seen: Any) -> Check:
    """Decide about `GET /user`."""
    if isinstance(seen, GitLabError):
        return _account_refused(seen)
    if account_of(seen.body) is None:
        return failed(Step.ACCOUNT, "unexpected_response", status=seen.http_status)
    return passed(Step.ACCOUNT, status=seen.http_status)


def _account_refused(error: GitLabError) -> Check:
    """Why GitLab turns a user away is in the error's reason, where it said so. For want of a permission it does not."""
    if isinstance(error, MissingPermissions):
        return permission_missing(Step.ACCOUNT, error)
    if is_unexplained(error):
        return unexplained(Step.ACCOUNT, error)
    if isinstance(error, Forbidden) and not isinstance(error, InsufficientScope):
        reason = str(error.details.get("reason"))
        return failed(Step.ACCOUNT, reason, status=error.http_status, reason=reason)
    if isinstance(error, ResourceNotFound):
        return failed(Step.ACCOUNT, "not_gitlab", status=error.http_status)
    return errored(Step.ACCOUNT, error)


def account_of(body: Any) -> GitLabUser | None:
    """Read `GET /user`; a user without a numeric id is none."""
    number = first_id(mapping(body), "id")
    if number is None:
        return None
    kind = kind_of(body) or kind_by_name(body) or AccountKind.HUMAN
    username = str(body.get("username") or "")
    return GitLabUser(id=number, username=username, kind=kind, is_admin=body.get("is_admin") is True)


# Deciding about the version and what the token reaches from GitLab's answers. Nothing here sends a request.

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
    if isinstance(seen, ResourceNotFound) and group is None:
        return passed(Step.GROUPS, status=seen.http_status, hint="This GitLab does not list groups for the token.")
    if isinstance(seen, ResourceNotFound):
        return failed(Step.GROUPS, "group_not_found", status=seen.http_status, group=group)
    if isinstance(seen, GitLabError):
        return errored(Step.GROUPS, seen)
    return passed(Step.GROUPS, status=200)


def projects_check(seen: Seen, active: Rows, token: TokenFacts) -> Check:
    """Decide about the projects listed, and those of them that are not archived."""
    if isinstance(seen, MissingPermissions):
        return permission_missing(Step.PROJECTS, seen, facts=token)
    if isinstance(seen, ResourceNotFound):
        return failed(Step.PROJECTS, "no_resources", status=seen.http_status)
    if isinstance(seen, GitLabError):
        return errored(Step.PROJECTS, seen)
    if not seen:
        return failed(Step.PROJECTS, "no_resources", status=200)
    return passed(Step.PROJECTS, status=200) if active else failed(Step.PROJECTS, "no_active_projects", status=200)


def active_of(projects: Rows) -> list[Mapping[str, Any]]:
    """The projects with an id that are not archived: old servers ignore the filter, so rows are looked at."""
    return [row for row in projects if row.get("archived") is not True and first_id(row, "id") is not None]


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
    refused = [error for error in errors if isinstance(error, Forbidden | ResourceNotFound)]
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
        return errored(Step.PIPELINES, other)
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
    if isinstance(seen, ResourceNotFound):
        return passed(Step.JOBS, status=seen.http_status, hint="The sampled pipeline is gone.")
    if isinstance(seen, MissingPermissions):
        return permission_missing(Step.JOBS, seen, facts=token)
    if isinstance(seen, Forbidden) and not isinstance(seen, InsufficientScope):
        return failed(Step.JOBS, "jobs_forbidden", status=seen.http_status)
    return errored(Step.JOBS, seen) if isinstance(seen, GitLabError) else passed(Step.JOBS, status=200)
