"""What a verification reports: one check per step, and what they come to together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    HostNotAllowed,
    InsufficientScope,
    InvalidUrl,
    MissingPermissions,
)
from gitlab_hub.gitlab.granular import is_fine_grained
from gitlab_hub.integrations.model import Features, GitLabUser
from gitlab_hub.integrations.permissions import permissions_of
from gitlab_hub.integrations.verification import codes


class Step(StrEnum):
    """The steps of a verification, in the order in which they are taken and reported."""

    URL = "url"
    HOST = "host"
    CONNECT = "connect"
    TLS = "tls"
    TOKEN = "token"  # noqa: S105 - the name of a step
    ACCOUNT = "account"
    VERSION = "version"
    GROUPS = "groups"
    PROJECTS = "projects"
    PIPELINES = "pipelines"
    JOBS = "jobs"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The outcome of one step. A warning is a check that is `ok` and has a code; a `skipped` one was not tried."""

    step: Step
    ok: bool
    code: str | None = None
    http_status: int | None = None
    hint: str | None = None
    latency_ms: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    retry_after: int | None = None
    skipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """What GitLab says about a token. No scopes = GitLab did not say."""

    scopes: tuple[str, ...] = ()
    expires_at: int | None = None
    projects: tuple[int, ...] = ()
    """The projects that a fine-grained token names in its grant; there may be others."""
    groups: tuple[int, ...] = ()
    """The same for groups."""

    @property
    def fine_grained(self) -> bool:
        """Whether its scopes say nothing: what it may do is found out call by call."""
        return is_fine_grained(self.scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a verification learned; None where it did not get that far."""

    base_url: str | None = None
    token: TokenFacts = field(default_factory=TokenFacts)
    account: GitLabUser | None = None
    version: str | None = None
    group: str | None = None
    """The named group's full path as GitLab spells it."""
    group_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All checks of one run, and the facts they brought."""

    checks: tuple[Check, ...]
    facts: Facts

    @property
    def failed(self) -> tuple[Check, ...]:
        """What was tried and is not good."""
        return tuple(check for check in self.checks if not check.ok and check.code is not None)

    @property
    def worst(self) -> Check | None:
        """The failed check that decides; None where all is well."""
        return min(self.failed, key=lambda check: codes.severity(check.code or ""), default=None)

    @property
    def ok(self) -> bool:
        """Whether every step that was tried is good, and none was left out."""
        return all(check.ok for check in self.checks)

    @property
    def code(self) -> str | None:
        """The overall code."""
        return self.worst.code if self.worst else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """The codes of what is good and could be better."""
        return tuple(check.code for check in self.checks if check.ok and check.code)


def passed(step: Step, *, status: int | None = None, hint: str | None = None) -> Check:
    """A step that went well."""
    return Check(step=step, ok=True, http_status=status, hint=hint)


def warned(step: Step, code: str, *, status: int | None = None, hint: str | None = None, **details: Any) -> Check:
    """A step that went well, with something to know."""
    said = hint or codes.WARNINGS[code]
    return Check(step=step, ok=True, code=code, http_status=status, hint=said, details=_given(details))


def failed(step: Step, code: str, *, status: int | None = None, hint: str | None = None, **details: Any) -> Check:
    """A step that met a refusal of its own. `hint`: where more is known than the code says."""
    said = hint or codes.hint_of(code, details.get("reason"))
    return Check(step=step, ok=False, code=code, http_status=status, hint=said, details=_given(details))


def skipped(steps: Sequence[Step], because: str) -> tuple[Check, ...]:
    """Steps that an earlier one made pointless: they are not ok, and have no code of their own."""
    return tuple(Check(step=step, ok=False, skipped=True, hint=f"Not tried because {because}.") for step in steps)


def needless(step: Step, because: str) -> Check:
    """A step that there is nothing to try of, and nothing wrong with."""
    return Check(step=step, ok=True, skipped=True, hint=f"Not tried because {because}.")


NO_CREDENTIAL = "The integration has no credential left. Give it a token (PUT …/gitlab-token, or credentials.create)."


def nothing_to_verify(hint: str = NO_CREDENTIAL) -> Verification:
    """The verification of an integration that has no credential: its last one was deleted, or there never was one."""
    token = failed(Step.TOKEN, "invalid_credentials", hint=hint, reason="no_credential")
    rest = skipped([step for step in Step if step is not Step.TOKEN], "there is no credential")
    return Verification(checks=(token, *rest), facts=Facts())


def not_verified(error: GitLabError) -> Verification:
    """The verification of a stored token that could not even be renewed."""
    token = errored(Step.TOKEN, error)
    rest = skipped([step for step in Step if step is not Step.TOKEN], "the step `token` failed")
    return Verification(checks=(token, *rest), facts=Facts())


PRECISE = (HostNotAllowed, InvalidUrl, InsufficientScope, MissingPermissions)
"""Errors that know more than their code: which rule, which scope, which permission."""


def errored(step: Step, error: GitLabError) -> Check:
    """A step whose request did not give a usable answer."""
    code = error.code if error.code in codes.FAILURES else "unexpected_response"
    return Check(
        step=step,
        ok=False,
        code=code,
        http_status=error.http_status,
        hint=_hint(error, code),
        details=_given({**error.details, "gitlab_request_id": error.request_id}),
        retry_after=error.retry_after,
    )


def _hint(error: GitLabError, code: str) -> str:
    if error.details.get("reason") in codes.OF_APPLICATION:
        return codes.APPLICATION_HINT
    return str(error) if isinstance(error, PRECISE) else codes.hint_of(code, error.details.get("reason"))


def _given(details: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if value is not None}


def to_dict(check: Check) -> dict[str, Any]:
    """A check as callers see it."""
    return {
        "step": str(check.step),
        "ok": check.ok,
        "skipped": check.skipped,
        "code": check.code,
        "http_status": check.http_status,
        "hint": check.hint,
        "latency_ms": check.latency_ms,
        "details": dict(check.details),
    }


# Deciding about a step that GitLab refused for want of a fine-grained permission. Nothing here sends a request.

CLASSIC = (
    "A classic token gets this answer where its top-level group takes fine-grained tokens only: "
    "replace it with a fine-grained one."
)


def permission_missing(step: Step, error: MissingPermissions, *, facts: TokenFacts | None = None) -> Check:
    """The step cannot do without. `facts`: of the token, where it is known to be a classic one."""
    return failed(
        step, "invalid_permissions", status=error.http_status, hint=_permission_hint(error, facts), **error.details
    )


def permission_spared(step: Step, error: MissingPermissions, *, facts: TokenFacts | None = None) -> Check:
    """The step can do without, and whoever made the token may want to know."""
    return warned(
        step, "missing_permissions", status=error.http_status, hint=_permission_hint(error, facts), **error.details
    )


def is_outside_a_grant(check: Check) -> bool:
    """Whether a step failed for want of some permissions, at a GitLab that takes the token."""
    return check.details.get("reason") in ("missing_permissions", "not_supported")


def is_no_verdict(check: Check) -> bool:
    """Whether a step failed for what says nothing about whether GitLab takes the token."""
    return is_outside_a_grant(check) or says_nothing(check)


def says_nothing(check: Check | None) -> bool:
    """Whether a step met a 403 without a word of GitLab's."""
    return check is not None and check.details.get("reason") == UNEXPLAINED


def unproven(features: Features, facts: TokenFacts) -> Check | None:
    """What a fine-grained token is to be able to write, where a feature is on: trying it here would have an effect."""
    if not facts.fine_grained or not features.write:
        return None
    needed = permissions_of(features.names)
    return warned(Step.AFTER, "unproven_permissions", needed_permissions=needed)


UNEXPLAINED = "unexplained"
_NO_REASON = (
    "403 came without a word of GitLab's about the user, and GitLab lets every token ask about itself. Look for what "
    "stands in front of it (a firewall, a list of allowed addresses), then verify again."
)


def is_unexplained(error: GitLabError) -> bool:
    """Whether a question about the token itself was refused without GitLab's words: that is no verdict about either."""
    explained = isinstance(error, InsufficientScope | MissingPermissions) or error.details.get("reason") != "unknown"
    return isinstance(error, Forbidden) and not explained


def unexplained(step: Step, error: GitLabError) -> Check:
    """A step that something refused, and nobody knows what."""
    return failed(step, codes.PERMISSIONS, status=error.http_status, hint=_NO_REASON, reason=UNEXPLAINED)


def _permission_hint(error: MissingPermissions, facts: TokenFacts | None) -> str:
    classic = facts is not None and facts.scopes and not facts.fine_grained
    return f"{error} {CLASSIC}" if classic else str(error)
