"""Deciding about a step that GitLab refused for want of a fine-grained permission. Nothing here sends a request."""

from gitlab_hub.gitlab.errors import MissingPermissions
from gitlab_hub.integrations.checks import Check, Step, TokenFacts, failed, warned
from gitlab_hub.integrations.model import Features
from gitlab_hub.integrations.permissions import permissions_of

CLASSIC = (
    "A classic token gets this answer where its top-level group takes fine-grained tokens only: "
    "replace it with a fine-grained one."
)


def permission_missing(step: Step, error: MissingPermissions, *, facts: TokenFacts | None = None) -> Check:
    """The step cannot do without. `facts`: of the token, where it is known to be a classic one."""
    return failed(step, "invalid_permissions", status=error.http_status, hint=_hint(error, facts), **error.details)


def permission_spared(step: Step, error: MissingPermissions, *, facts: TokenFacts | None = None) -> Check:
    """The step can do without, and whoever made the token may want to know."""
    return warned(step, "missing_permissions", status=error.http_status, hint=_hint(error, facts), **error.details)


def is_outside_a_grant(check: Check) -> bool:
    """Whether a step failed for want of some permissions, at a GitLab that takes the token."""
    return check.details.get("reason") in ("missing_permissions", "not_supported")


def unproven(features: Features, facts: TokenFacts) -> Check | None:
    """What a fine-grained token is to be able to write, where a feature is on: trying it here would have an effect."""
    if not facts.fine_grained or not features.write:
        return None
    needed = permissions_of(features.names)
    return warned(Step.AFTER, "unproven_permissions", needed_permissions=needed)


def _hint(error: MissingPermissions, facts: TokenFacts | None) -> str:
    classic = facts is not None and facts.scopes and not facts.fine_grained
    return f"{error} {CLASSIC}" if classic else str(error)
