"""Attempts of a job, derived: GitLab keeps a row per attempt, and no field says which of them counts."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Literal

from gitlab_hub.gitlab.fields import seconds
from gitlab_hub.pipelines.model import is_terminal
from gitlab_hub.storage.ports import Item

# Who is to look at a failed job: the class of GitLab's `failure_reason`.
#
# The reasons are those of GitLab's `Enums::Ci::CommitStatus` (app/models/concerns/enums/ci/commit_status.rb) up to
# 19.x. The set is open: a reason that is not here is of the class `unknown`, as is `unknown_failure`, because a wrong
# one would falsify figures such as "flaky, not infra" unnoticed.

SCRIPT, INFRA, TIMEOUT, CONFIG, QUOTA, POLICY = "script", "infra", "timeout", "config", "quota", "policy"
UNKNOWN_CLASS = "unknown"

FailureClass = Literal["script", "infra", "timeout", "config", "quota", "policy", "unknown"]

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
        id_token_burned_project_path secrets_manager_access_denied""",
}
_CLASSES = {reason: name for name, reasons in _REASONS.items() for reason in reasons.split()}


def failure_class(reason: Any) -> str | None:
    """Class a failure reason; `unknown` for one we do not know, None for no reason."""
    return _CLASSES.get(reason, UNKNOWN_CLASS) if isinstance(reason, str) else None


def job_failure_class(job: Item) -> str | None:
    """Why an attempt failed; None where it did not. A failure of which GitLab gives no reason is `unknown`."""
    return (failure_class(job.get("failure_reason")) or UNKNOWN_CLASS) if job["status"] == "failed" else None


def with_attempts(jobs: Iterable[Item]) -> list[Item]:
    """All attempts of a pipeline's jobs, newest first, each with its place among those of the same name.

    The highest id of a name is the latest attempt; every other one was retried.
    """
    ordered = sorted({job["id"]: job for job in jobs}.values(), key=lambda job: (str(job["name"]), job["id"]))
    named = groupby(ordered, key=lambda job: str(job["name"]))
    derived = [job for _, attempts in named for job in _numbered(list(attempts))]
    return sorted(derived, key=lambda job: -int(job["id"]))


def first_terminal(attempts: Sequence[Item]) -> dict[str, Any]:
    """How the first finished attempt ended, and when: what a person saw before anybody retried."""
    ended = next((job for job in attempts if is_terminal(job["status"])), None)
    status = ended["status"] if ended else None
    return {"first_terminal_status": status, "first_terminal_at": seconds(ended.get("finished_at")) if ended else None}


def pipeline_failure_class(pipeline: Item, jobs: Iterable[Item]) -> str | None:
    """Why a failed pipeline failed: the class of the job that broke it first."""
    if pipeline["status"] != "failed":
        return None
    if pipeline.get("yaml_errors"):
        return CONFIG
    breaking = [
        job for job in jobs if job["status"] == "failed" and not job["retried"] and not job.get("allow_failure")
    ]
    first = min(breaking, key=lambda job: (str(job.get("finished_at") or "~"), job["id"]), default=None)
    return None if first is None else first["failure_class"]


def _numbered(attempts: Sequence[Item]) -> list[Item]:
    first, count = first_terminal(attempts), len(attempts)
    return [
        {
            **job,
            **first,
            "attempt_no": number,
            "attempt_count": count,
            "retried": number < count,
            "failure_class": job_failure_class(job),
        }
        for number, job in enumerate(attempts, start=1)
    ]
