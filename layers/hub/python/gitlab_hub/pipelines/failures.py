"""Who is to look at a failed job: the class of GitLab's `failure_reason`.

The reasons are those of GitLab's `Enums::Ci::CommitStatus` up to 19.x. The set is open: a reason that is not here has
no class, because a wrong one would spoil figures such as "flaky, not infra" unnoticed.
"""

from typing import Any

SCRIPT, INFRA, TIMEOUT, CONFIG, QUOTA, POLICY = "script", "infra", "timeout", "config", "quota", "policy"

_REASONS = {
    SCRIPT: "script_failure",
    INFRA: """api_failure runner_system_failure runner_unsupported scheduler_failure data_integrity_failure
        stuck_pending_with_matching_runners no_updates_running no_updates_canceling runner_provisioning_timeout
        runner_external_dependency_failure runner_interrupted job_router_failure job_token_expired""",
    TIMEOUT: """stuck_or_timeout_failure job_execution_timeout job_execution_server_timeout server_timeout_running
        server_timeout_canceling stale_schedule""",
    CONFIG: """missing_dependency_failure unmet_prerequisites no_matching_runner stuck_pending_no_matching_runners
        runner_configuration_error pipeline_loop_detected builds_disabled environment_creation_failure
        downstream_bridge_project_not_found upstream_bridge_project_not_found invalid_bridge_trigger
        bridge_pipeline_is_child_pipeline downstream_pipeline_creation_failed secrets_provider_not_found
        reached_max_descendant_pipelines_depth reached_max_pipeline_hierarchy_size
        downstream_project_trigger_resolved_to_empty""",
    QUOTA: "ci_quota_exceeded trace_size_exceeded reached_downstream_pipeline_trigger_rate_limit",
    POLICY: """archived_failure user_blocked project_deleted forward_deployment_failure failed_outdated_deployment_job
        deployment_rejected protected_environment_failure insufficient_bridge_permissions
        insufficient_upstream_permissions ip_restriction_failure duo_workflow_not_allowed
        id_token_burned_project_path""",
}
_CLASSES = {reason: name for name, reasons in _REASONS.items() for reason in reasons.split()}


def failure_class(reason: Any) -> str | None:
    """Class a failure reason; None for no reason and for one we do not know."""
    return _CLASSES.get(reason) if isinstance(reason, str) else None
