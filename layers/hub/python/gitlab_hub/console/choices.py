"""The values that the API knows for what a form lets one choose, each list whole, what is wanted most often first."""

from gitlab_hub.gitlab.roles import GUEST, ROLES

LEVELS = tuple(level for level in ROLES if level >= GUEST)
"""Roles that open anything: Minimal Access alone does not."""

FEATURES = ("manage_webhooks", "report_statuses", "provisioning")
"""What an integration may be allowed."""

ACCOUNT_KINDS = ("human", "service_account", "project_bot", "group_bot", "internal", "unknown")
ACCOUNT_STATUSES = ("active", "disabled", "pending", "unknown")

CHANGE_KINDS = (
    "grant_added", "grant_removed", "grant_changed", "account_added", "account_removed", "account_changed",
    "share_added", "share_removed", "share_changed", "resource_added", "resource_removed", "resource_moved",
    "resource_changed",
)  # fmt: skip

CREDENTIAL_KINDS = (
    "personal_token", "group_token", "project_token", "service_account_token", "deploy_token", "deploy_key", "ssh_key",
    "impersonation_token",
)  # fmt: skip

REQUEST_STATUSES = ("pending", "approved", "active", "ended", "denied", "expired", "failed")

DECISIONS = ("none", "keep", "revoke", "change")
"""What may stand at an item of a review."""

PIPELINE_STATUSES = (
    "success", "failed", "running", "pending", "canceled", "skipped", "manual", "created", "scheduled", "canceling",
    "preparing", "waiting_for_resource", "waiting_for_callback", "unknown",
)  # fmt: skip

PIPELINE_SOURCES = (
    "push", "merge_request_event", "schedule", "web", "trigger", "api", "pipeline", "parent_pipeline", "external",
    "chat", "webide", "external_pull_request_event", "ondemand_dast_scan", "ondemand_dast_validation",
    "security_orchestration_policy", "pipeline_execution_policy_schedule", "security_scan_profiles",
    "container_registry_push", "duo_workflow",
)  # fmt: skip

FAILURE_CLASSES = ("script", "infra", "timeout", "config", "quota", "policy", "unknown")
REF_CLASSES = ("default_branch", "merge_request", "tag", "other")
DEFINITIONS = ("hub", "gitlab", "dx")

DATASETS = ("pipelines", "jobs", "deployments", "accounts", "grants", "changes", "gitlab_credentials")
FILE_FORMATS = ("csv", "jsonl", "parquet")

DELIVERY_STATUSES = ("pending", "handled", "ignored", "failed")

DELIVERY_EVENTS = (
    "push", "tag_push", "merge_request", "pipeline", "job", "deployment", "release", "note", "issue", "work_item",
    "wiki_page", "feature_flag", "milestone", "emoji", "access_token", "vulnerability", "member", "project", "subgroup",
    "group", "user", "key", "repository_update", "unknown",
)  # fmt: skip

HOOK_SCOPES = ("project", "group", "system")

HOOK_EVENTS = (
    "push", "tag_push", "merge_request", "pipeline", "job", "deployment", "release", "note", "member", "project",
    "subgroup",
)  # fmt: skip

TRIGGER_EVENTS = ("push", "tag_push", "merge_request")

FORKS = ("approve", "ignore", "allow")
"""What becomes of merge requests from forks."""

BUILD_STATUSES = ("pending", "running", "success", "failed", "canceled")
