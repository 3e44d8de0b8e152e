"""What EventBridge says of builds in CodeBuild and Step Functions, brought to the builds of the hub.

Events come late, twice and out of order. Anybody may start a build with another one's id in its environment, so an
event counts only where it comes from the very target that the build was given to.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gitlab_hub.builds.runs.model import Build, BuildStatus, with_status
from gitlab_hub.builds.runs.service import BuildService
from gitlab_hub.builds.targets.arns import (
    OF_CODEBUILD,
    OF_STEP_FUNCTIONS,
    build_page,
    execution_page,
    machine_of,
    project_of,
)
from gitlab_hub.ids import owner_of

_DESCRIPTIONS = {
    "FAULT": "CodeBuild failed to run the build.",
    "TIMED_OUT": "The build took too long.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """What one event says."""

    build_id: str
    status: BuildStatus
    external_id: str
    url: str | None
    description: str | None


class StateChanges:
    """Takes events of EventBridge."""

    def __init__(self, service: BuildService, now: Callable[[], float]) -> None:
        self._service, self._now = service, now

    def on_event(self, event: Mapping[str, Any]) -> Build | None:
        """Bring a state change to its build; gives that build, None where the event is about none of the hub's."""
        change = read(event)
        if change is None:
            return None
        now = int(self._now())
        return self._service.change(change.build_id, lambda build: applied(build, change, now=now))


def read(event: Mapping[str, Any]) -> StateChange | None:
    """Read an event; None for one that is about no build of ours, or of a status that ends and begins nothing."""
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        return None
    match event.get("detail-type"):
        case "CodeBuild Build State Change":
            return _of_codebuild(detail)
        case "Step Functions Execution Status Change":
            return _of_step_functions(detail)
    return None


def applied(build: Build, change: StateChange, *, now: int) -> Build:
    """Take the step that an event tells of, if it is about this build; pure."""
    if not _is_its(build, change):
        return build
    there = replace(
        build,
        external_id=change.external_id,
        external_url=build.external_url or change.url,
        starting_at=build.starting_at or now,
    )
    if build.status is BuildStatus.CANCELED and build.external_id is None and not change.status.finished:
        return replace(there, stop_pending=True)  # It was canceled before anybody knew what its target calls it.
    if build.finished:
        return build
    return with_status(there, change.status, now=now, description=change.description)


def _is_its(build: Build, change: StateChange) -> bool:
    if build.external_id is not None:
        return build.external_id == change.external_id
    if build.target.get("type") == "codebuild":
        project = str(build.target.get("project", ""))
        return project_of(change.external_id) == project.rpartition("/")[2]
    machine = machine_of(str(build.target.get("state_machine_arn", "")))
    return build.target.get("type") == "stepfunctions" and machine_of(change.external_id) == machine


def _of_codebuild(detail: Mapping[str, Any]) -> StateChange | None:
    status = OF_CODEBUILD.get(str(detail.get("build-status")))
    arn, more = str(detail.get("build-id")), _inside(detail, "additional-information")
    ids = [each.get("value") for each in _variables(more) if each.get("name") == "HUB_BUILD_ID"]
    if status is None or len(ids) != 1 or not _is_build(ids[0]):
        return None
    return StateChange(
        build_id=str(ids[0]),
        status=status,
        external_id=arn,
        url=build_page(arn),
        description=_DESCRIPTIONS.get(str(detail.get("build-status"))),
    )


def _of_step_functions(detail: Mapping[str, Any]) -> StateChange | None:
    status = OF_STEP_FUNCTIONS.get(str(detail.get("status")))
    name, arn = detail.get("name"), str(detail.get("executionArn"))
    if status is None or not _is_build(name):
        return None
    return StateChange(
        build_id=str(name),
        status=status,
        external_id=arn,
        url=execution_page(arn),
        description=_DESCRIPTIONS.get(str(detail.get("status"))),
    )


def _is_build(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("bld_") and owner_of(value) is not None


def _variables(more: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = _inside(more, "environment").get("environment-variables")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _inside(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, Mapping) else {}
