"""What the hub asks of a target."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gitlab_hub.builds.runs.model import Build, BuildStatus
from gitlab_hub.errors import HubError


@dataclass(frozen=True, slots=True)
class Started:
    """A target has the build. `external_id`: what it calls it, if anything; `url`: where a person looks at it."""

    external_id: str | None = None
    url: str | None = None


class TargetRefused(HubError):
    """The target will never take this build as things are; the text says what to change."""

    code = "target_refused"


class TargetDenied(TargetRefused):
    """The hub has no right to use the target."""

    code = "target_access_denied"


class TargetMissing(TargetRefused):
    """There is no such target."""

    code = "target_not_found"


class TargetUnavailable(HubError):
    """The target did not answer, or asks to come back: the same call may work later."""

    code = "target_unavailable"
    retryable = True


class BuildTarget(Protocol):
    """One type of target, or a fake that passes the same contract test.

    Calls are repeated after a crash or a lost answer: an implementation names the build by its id wherever the
    service can tell a repetition by that. All raise TargetRefused or TargetUnavailable.
    """

    def start(self, build: Build, message: Mapping[str, Any]) -> Started:
        """Hand a build over; `message` is what is published of it."""

    def poll(self, build: Build) -> BuildStatus | None:
        """Say how far a build is there; None where the target cannot say."""

    def stop(self, build: Build, message: Mapping[str, Any]) -> None:
        """Tell the target that a build it was given is wanted no more; one that has ended there is no error."""


def target_field(build: Build, field: str) -> str:
    """Read a field of a build's target. Raises TargetRefused where the trigger has none."""
    value = build.target.get(field)
    if not isinstance(value, str) or not value:
        raise TargetRefused(f"The trigger's target has no {field}.")
    return value


# What the hub publishes of a build; docs/build-events.md and its JSON schema say the same.
#
# Fields are only ever added. Whoever receives a message twice tells it by `id`.

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
