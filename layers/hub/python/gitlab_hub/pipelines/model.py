"""What is kept of GitLab's pipelines, jobs and bridges: its own field names, and no more than these."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.fields import number, seconds, text
from gitlab_hub.storage.ports import Item

StatusName = Literal[
    "created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running", "success", "failed",
    "canceling", "canceled", "skipped", "manual", "scheduled", "unknown",
]  # fmt: skip
"""What a list can be filtered by: GitLab's statuses (its `Ci::HasStatus`), and ours for a row without one.

Rows may have others, of a later GitLab; a filter that nothing can fit is more often misspelt than of the future.
"""

SourceName = Literal[
    "push", "web", "trigger", "schedule", "api", "external", "pipeline", "chat", "webide", "merge_request_event",
    "external_pull_request_event", "parent_pipeline", "ondemand_dast_scan", "ondemand_dast_validation",
    "security_orchestration_policy", "container_registry_push", "duo_workflow", "pipeline_execution_policy_schedule",
    "security_scan_profiles",
]  # fmt: skip
"""What starts pipelines, by GitLab's `Enums::Ci::Pipeline.sources`; for filters, as above."""

TERMINAL = frozenset({"success", "failed", "canceled", "skipped"})
"""Statuses that a pipeline or job rests in; a retry may still move it on. Unknown ones count as not terminal."""

ACTIVE = frozenset({"waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running", "canceling"})
"""Statuses in which a job is at work or queued, GitLab's `ACTIVE_STATUSES` and later ones of theirs (its
app/models/concerns/ci/has_status.rb)."""

BLOCKED = "manual"
"""The status of what waits for a person: it rests in it like a finished one until somebody plays it."""

UNKNOWN = "unknown"
MAX_TEXT = 1024
MAX_TAGS = 50

_WHOLE = (int,)
_NUMBER = (int, float)
_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("id", "iid", "project_id"), _WHOLE),
    **dict.fromkeys(("tag", "allow_failure"), (bool,)),
    **dict.fromkeys(("duration", "queued_duration"), _NUMBER),
    "coverage": (str, *_NUMBER),
}
"""The types of fields that are no texts. A field of another type counts as missing: answers promise these types."""

_RUN = ("id", "name", "status", "ref", "tag", "created_at", "started_at", "finished_at", "duration", "queued_duration")
_PIPELINE = (
    *_RUN,
    "iid",
    "sha",
    "before_sha",
    "source",
    "updated_at",
    "committed_at",
    "coverage",
    "web_url",
    "yaml_errors",
)
_JOB = (*_RUN, "stage", "allow_failure", "erased_at", "coverage", "failure_reason", "web_url", "artifacts_expire_at")
_TIMES = ("created_at", "started_at", "finished_at", "updated_at", "committed_at")
_DOWNSTREAM = ("id", "iid", "project_id", "sha", "ref", "status", "source", "created_at", "updated_at", "web_url")
_USER = ("id", "username", "name")
_RUNNER = ("id", "description", "runner_type")


def identity(row: Mapping[str, Any]) -> int:
    """The id of a row of GitLab; a row without one makes the whole answer unusable."""
    value = number(row.get("id"), least=1)
    if value is None:
        raise UnexpectedResponse("GitLab listed something without a usable id.")
    return value


def is_terminal(status: Any) -> bool:
    """Say whether a status is one to rest in."""
    return status in TERMINAL


def is_in_progress(status: Any) -> bool:
    """Say whether a pipeline of a status goes on by itself; a status that the hub does not know counts as such."""
    return status not in TERMINAL and status != BLOCKED


def pipeline_of(body: Any, project_id: int) -> Item:
    """Keep what we keep of a pipeline's details."""
    if not isinstance(body, Mapping):
        raise UnexpectedResponse("GitLab answered something else than a pipeline.")
    identity(body)
    kept = _picked(body, _PIPELINE)
    return {
        **kept,
        "status": kept["status"] or UNKNOWN,
        "project_id": project_id,
        "user": _part(body.get("user"), _USER),
    }


def in_seconds(pipeline: Item) -> Item:
    """A pipeline with its times in whole seconds: so GraphQL tells them, and so they are shown."""
    return {**pipeline, **{name: seconds(pipeline[name]) for name in _TIMES}}


def job_of(row: Mapping[str, Any]) -> Item:
    """Keep what we keep of a job."""
    identity(row)
    tags = row.get("tag_list")
    return {
        **_picked(row, _JOB),
        "tag_list": [tag for tag in map(clean_text, tags[:MAX_TAGS]) if tag] if isinstance(tags, list) else [],
        "user": _part(row.get("user"), _USER),
        "runner": _part(row.get("runner"), _RUNNER),
    }


def bridge_of(row: Mapping[str, Any]) -> Item:
    """Keep what we keep of a trigger job: a job's fields and the pipeline that it started."""
    started = _part(row.get("downstream_pipeline"), _DOWNSTREAM)
    whole = started is not None and all(started[name] for name in ("id", "project_id", "status"))
    return {**job_of(row), "downstream_pipeline": started if whole else None}


def clean_text(value: Any) -> str | None:
    """A text of bounded size that every store takes, without half of a surrogate pair; None for anything else."""
    return text(value, MAX_TEXT)


def _picked(row: Mapping[str, Any], names: Sequence[str]) -> Item:
    return {name: _clean(row.get(name), _KINDS.get(name, (str,))) for name in names}


def _part(value: Any, names: Sequence[str]) -> Item | None:
    return _picked(value, names) if isinstance(value, Mapping) else None


def _clean(value: Any, kinds: tuple[type, ...]) -> Any:
    # In Python a bool is an int, in JSON it is not.
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return clean_text(value) if isinstance(value, str) else value
