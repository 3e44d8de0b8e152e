"""What can be done and is written down, and a line of the log; pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class AuditAction(StrEnum):
    """What can be done. The texts are stored, shown and filtered by, so they stay."""

    ACCESS_POLICIES_CHANGE = "access_policies.change"
    ACCESS_REQUEST_APPROVE = "access_request.approve"
    ACCESS_REQUEST_CREATE = "access_request.create"
    ACCESS_REQUEST_DENY = "access_request.deny"
    ACCESS_REQUEST_END = "access_request.end"
    ACCESS_REQUEST_REVIEW = "access_request.review"
    ACCESS_REQUEST_REVOKE = "access_request.revoke"
    BUILD_APPROVED = "build_approved"
    BUILD_CANCELED = "build_canceled"
    BUILD_REQUESTED = "build_requested"
    BUILD_RERUN = "build_rerun"
    CONSOLE_LINK_CREATE = "console_link.create"
    CONSOLE_SIGN_IN = "console.sign_in"
    CONSOLE_SIGN_OUT = "console.sign_out"
    CREDENTIAL_CREATE = "credential.create"
    CREDENTIAL_DELETE = "credential.delete"
    CREDENTIAL_UPDATE = "credential.update"
    GITLAB_TOKEN_REPLACE = "gitlab_token.replace"  # noqa: S105 - the name of an action
    GITLAB_TOKEN_ROTATE = "gitlab_token.rotate"  # noqa: S105 - the name of an action
    DESIRED_ACCESS_STORE = "desired_access.store"
    EXPORT_CREATE = "export.create"
    HOOK_CREATE = "hook.create"
    HOOK_DELETE = "hook.delete"
    HOOK_REPAIR = "hook.repair"
    HOOK_ROTATE = "hook.rotate"
    INTEGRATION_CHANGE = "integration.change"
    INTEGRATION_CONNECT = "integration.connect"
    INTEGRATION_REMOVE = "integration.remove"
    INTEGRATION_START_OAUTH = "integration.start_oauth"
    OAUTH_BEGIN = "oauth.begin"
    OAUTH_FINISH = "oauth.finish"
    PLAN_APPLY = "plan.apply"
    PLAN_CREATE = "plan.create"
    PLAN_OPERATION = "plan.operation"
    PLAN_OUTCOME = "plan.outcome"
    REVIEW_CLOSE = "review.close"
    REVIEW_CREATE = "review.create"
    REVIEW_DECIDE = "review.decide"
    SIGNING_SECRET_MADE = "signing_secret_made"  # noqa: S105 - the name of an action  # pragma: allowlist secret
    SYNC_ACCEPT = "sync.accept"
    SYNC_REJECT = "sync.reject"
    TOKEN_CREATE = "token.create"  # noqa: S105 - the name of an action
    TOKEN_REVOKE = "token.revoke"  # noqa: S105 - the name of an action
    TRIGGER_CHANGE = "trigger.change"
    TRIGGER_CREATE = "trigger.create"
    TRIGGER_REMOVE = "trigger.remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line. `at` is unix seconds; `before` and `after` hold what changed, where that is known."""

    id: str
    at: int
    actor: str
    action: str
    """An `AuditAction`; lines of a later release may name others."""
    target: str | None
    integration_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None
    gitlab_request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which lines to show. `since` is unix seconds; `visible` None = of all integrations and of the hub itself."""

    since: int | None = None
    actor: str | None = None
    action: AuditAction | None = None
    integration_id: str | None = None
    visible: frozenset[str] | None = None

    def matches(self, entry: Entry) -> bool:
        """Say whether a line is wanted."""
        named = (
            (self.actor, entry.actor),
            (self.action, entry.action),
            (self.integration_id, entry.integration_id),
        )
        is_visible = self.visible is None or entry.integration_id in self.visible
        return (
            is_visible
            and entry.at >= (self.since or 0)
            and all(wanted is None or wanted == has for wanted, has in named)
        )
