"""What the hub publishes of a build; docs/build-events.md and its JSON schema say the same.

Fields are only ever added. Whoever receives a message twice tells it by `id`.
"""

from collections.abc import Mapping
from typing import Any

from gitlab_hub.builds.build import Build

SCHEMA = 1
REQUESTED, CANCELED = "build.requested", "build.canceled"


def message_of(build: Build, kind: str, *, gitlab_url: str | None) -> dict[str, Any]:
    """Say everything that a builder needs to know; times are unix seconds. The same build gives the same message."""
    return {
        "schema": SCHEMA,
        "type": kind,
        "id": f"{build.id}-{kind.partition('.')[2]}",
        "build": {
            "id": build.id,
            "number": build.number,
            "integration_id": build.integration_id,
            "trigger_id": build.trigger_id,
            "event": build.event,
            "ref": build.ref,
            "ref_deleted": build.deletes_ref,
            "sha": build.sha,
            "actor": build.actor,
            "created_at": build.created_at,
        },
        "gitlab": {
            "url": gitlab_url,
            "project_id": build.project_id,
            "project_path": build.project_path,
            "merge_request_iid": build.merge_request_iid,
            "source_project_id": build.source_project_id,
            "pipeline_id": build.pipeline_id,
        },
    }


def environment_of(message: Mapping[str, Any]) -> dict[str, str]:
    """The same as variables of a build's environment; what is not known is left out."""
    build, gitlab = message["build"], message["gitlab"]
    variables = {
        "HUB_BUILD_ID": build["id"],
        "HUB_BUILD_NUMBER": build["number"],
        "HUB_TRIGGER_ID": build["trigger_id"],
        "GITLAB_EVENT": build["event"],
        "GITLAB_REF": build["ref"],
        "GITLAB_SHA": build["sha"],
        "GITLAB_ACTOR": build["actor"],
        "GITLAB_URL": gitlab["url"],
        "GITLAB_PROJECT_ID": gitlab["project_id"],
        "GITLAB_PROJECT_PATH": gitlab["project_path"],
        "GITLAB_MERGE_REQUEST_IID": gitlab["merge_request_iid"],
        "GITLAB_SOURCE_PROJECT_ID": gitlab["source_project_id"],
    }
    return {name: str(value) for name, value in variables.items() if value is not None}
