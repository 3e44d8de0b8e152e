"""Which HTTP status each public code has: the one table of it."""

from gitlab_hub.errors import HubError
from gitlab_hub.web.errors import Unprocessable

STATUS_OF_CODE = {
    "conflict": 409,
    "internal_error": 500,
    "not_found": 404,
    "service_unavailable": 503,
    "storage_refused": 500,
    # Every request
    "idempotency_mismatch": 422,
    "in_progress": 409,
    "invalid_cursor": 400,
    "invalid_input": 400,
    "method_not_allowed": 405,
    "payload_too_large": 413,
    "permission_denied": 403,
    "unauthorized": 401,
    # Talking to a GitLab
    "account_blocked": 403,
    "gitlab_unavailable": 503,
    "host_not_allowed": 400,
    "host_unreachable": 502,
    "invalid_credentials": 400,
    "invalid_permissions": 403,
    "invalid_url": 400,
    "jobs_forbidden": 403,
    "ci_disabled": 403,
    "not_gitlab": 502,
    "rate_limited": 503,
    "terms_not_accepted": 403,
    "tls_error": 502,
    "unexpected_response": 502,
    "unsupported_version": 409,
    # Integrations
    "authorization_denied": 403,
    "duplicate_integration": 409,
    "gitlab_account_mismatch": 409,
    "group_not_found": 409,
    "integration_has_active_builds": 409,
    "invalid_state": 400,
    "no_active_projects": 409,
    "no_resources": 409,
    "rotation_in_progress": 409,
    "rotation_not_permitted": 403,
    # Syncs
    "nothing_suspect": 409,
    "sync_in_progress": 409,
    "unreadable_state": 409,
    # Access reviews and history
    "no_history": 404,
    "review_closed": 409,
    "self_review": 403,
    # Exports
    "too_many_exports": 409,
    # Plans
    "plan_blocked": 403,
    "plan_drifted": 409,
    "plan_expired": 410,
    "plan_not_applied": 409,
    "out_of_sight": 409,
    "too_many_operations": 422,
    # Access requests
    "access_held": 409,
    "policy_refused": 403,
    "request_decided": 409,
    "request_exists": 409,
    "self_approval": 403,
    # Builds
    "awaiting_approval": 409,
    "build_finished": 409,
    "build_not_finished": 409,
    "integration_paused": 409,
    "not_awaiting_approval": 409,
    "ref_not_found": 422,
    "status_not_changed": 409,
    "target_access_denied": 409,
    "target_not_allowed": 422,
    "target_not_found": 409,
    "target_refused": 409,
    "target_unavailable": 503,
    "trigger_gone": 409,
    # Triggers
    "trigger_limit_reached": 422,
    # Webhooks
    "admin_required": 403,
    "feature_disabled": 409,
    "group_hooks_unavailable": 409,
    "hook_limit_reached": 422,
    "hook_not_managed": 409,
    "invalid_payload": 400,
    "invalid_token": 401,
    "maintainer_required": 403,
    "owner_required": 403,
    "scope_insufficient": 409,
    "url_blocked_by_gitlab": 422,
    "webhook_queue_unavailable": 503,
}


def status_of(error: HubError) -> int:
    """Look up the status of an error; a code that nobody entered is our own fault (500)."""
    if isinstance(error, Unprocessable):
        return 422  # It shares its code with what cannot be read at all (400).
    return STATUS_OF_CODE.get(error.code, 500)
