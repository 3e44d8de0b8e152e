"""Attempts of a job, derived: GitLab keeps a row per attempt, and no field says which of them counts."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from gitlab_hub.pipelines.failures import CONFIG, failure_class
from gitlab_hub.pipelines.model import is_terminal
from gitlab_hub.pipelines.times import seconds
from gitlab_hub.storage.table import Item


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
            "failure_class": failure_class(job.get("failure_reason")),
        }
        for number, job in enumerate(attempts, start=1)
    ]
