"""What a hub ought to show of a company, in a form that both sides can be brought into."""

from typing import Any

from stand_in_gitlab.process import Running
from tests.end_to_end.companies import seconds
from tests.end_to_end.hub_client import Hub

View = dict[str, Any]


def shown(hub: Hub, one: str) -> View:
    """What the hub tells of an integration."""
    pipelines = hub.rows(f"{one}/pipelines")
    jobs = {
        (row["project_id"], row["id"]): hub.rows(
            f"{one}/projects/{row['project_id']}/pipelines/{row['id']}/jobs", include_retried="true"
        )
        for row in pipelines
    }
    return {
        **shown_access(hub, one),
        "pipelines": {(row["project_id"], row["id"]): row["status"] for row in pipelines},
        "jobs": {
            (*place, job["id"]): (job["name"], job["status"], job["retried"])
            for place, rows in jobs.items()
            for job in rows
        },
    }


def shown_access(hub: Hub, one: str) -> View:
    """What the hub tells of accounts, resources and grants."""
    grants = hub.rows(f"{one}/grants", view="direct")
    return {
        "accounts": {row["id"]: row["username"] for row in hub.rows(f"{one}/accounts")},
        "groups": {row["id"]: row["full_path"] for row in hub.rows(f"{one}/groups")},
        "projects": {row["id"]: row["full_path"] for row in hub.rows(f"{one}/projects")},
        "grants": {
            (row["resource"]["type"], row["resource"]["id"], row["account_id"]): (
                row["access_level"],
                row["expires_at"],
            )
            for row in grants
        },
    }


def real(gitlab: Running) -> View:
    """What GitLab's own books say, for an administrator."""
    open_projects = {row["id"] for row in gitlab.truth("projects") if row["builds_enabled"]}
    pipelines = [row for row in gitlab.truth("pipelines") if row["project_id"] in open_projects]
    jobs = [row for row in gitlab.truth("jobs") if row["project_id"] in open_projects]
    return {
        **real_access(gitlab),
        "pipelines": {(row["project_id"], row["id"]): row["status"] for row in pipelines},
        "jobs": {
            (row["project_id"], row["pipeline_id"], row["id"]): (row["name"], row["status"], row["retried"])
            for row in jobs
        },
    }


def real_access(gitlab: Running) -> View:
    """The same of accounts, resources and grants."""
    return {
        "accounts": {row["id"]: row["username"] for row in gitlab.truth("users")},
        "groups": {row["id"]: row["full_path"] for row in gitlab.truth("groups")},
        "projects": {row["id"]: row["path_with_namespace"] for row in gitlab.truth("projects")},
        "grants": {
            (row["source"], row["source_id"], row["user_id"]): (row["access_level"], seconds(row["expires_at"]))
            for row in gitlab.truth("members")
        },
    }
