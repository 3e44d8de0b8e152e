"""What is kept of GitLab's environments and deployments: its own field names, and no more than these.

Fields and statuses: lib/api/entities/deployment.rb, lib/api/entities/environment.rb, app/models/deployment.rb and
app/models/environment.rb in GitLab. Times are unix seconds.
"""

from collections.abc import Mapping
from typing import Any, Literal

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.fields import number, part, seconds
from gitlab_hub.pipelines.model import UNKNOWN, clean_text, identity
from gitlab_hub.storage.ports import Item

DeploymentStatus = Literal["created", "running", "success", "failed", "canceled", "skipped", "blocked"]
"""What a list can be filtered by; rows may have others, of a later GitLab."""

Tier = Literal["production", "staging", "testing", "development", "other"]

PRODUCTION: Tier = "production"
SUCCESS, FAILED = "success", "failed"

OVER = frozenset({SUCCESS, FAILED, "canceled", "skipped"})
"""Statuses that a deployment rests in."""


def environment_of(row: Mapping[str, Any]) -> Item:
    """Keep what we keep of an environment."""
    texts = {name: clean_text(row.get(name)) for name in ("name", "slug", "state", "external_url")}
    times = {name: seconds(row.get(name)) for name in ("created_at", "updated_at")}
    return {"id": identity(row), **texts, "tier": clean_text(row.get("tier")) or UNKNOWN, **times}


def deployment_of(row: Mapping[str, Any], project_id: int) -> Item:
    """Keep what we keep of a deployment.

    REST tells no `finished_at`: it is that of the job which deploys, else `updated_at`, as the end is what moves a
    deployment last.
    """
    environment, job, user = (part(row, name) for name in ("environment", "deployable", "user"))
    where, sha = number(environment.get("id"), least=1), clean_text(row.get("sha"))
    if where is None or sha is None:
        raise UnexpectedResponse("GitLab listed a deployment without an environment or a commit.")
    status, updated_at = clean_text(row.get("status")) or UNKNOWN, seconds(row.get("updated_at"))
    over = status in OVER
    return {
        "id": identity(row),
        "iid": number(row.get("iid"), least=1),
        "project_id": project_id,
        "environment_id": where,
        "environment": clean_text(environment.get("name")),
        "status": status,
        "ref": clean_text(row.get("ref")),
        "sha": sha,
        "created_at": seconds(row.get("created_at")),
        "updated_at": updated_at,
        "finished_at": (seconds(job.get("finished_at")) or updated_at) if over else None,
        "pipeline_id": number(part(job, "pipeline").get("id"), least=1),
        "job_id": number(job.get("id"), least=1),
        "username": clean_text(user.get("username")),
    }


def merged_at_of(row: Mapping[str, Any]) -> int | None:
    """When a merge request of a deployment was merged; None where that is not known."""
    return seconds(row.get("merged_at"))
