"""What the hub asks of a target."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gitlab_hub.builds.build import Build, Status
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


class Target(Protocol):
    """One type of target, or a fake that passes the same contract test.

    Calls are repeated after a crash or a lost answer: an implementation names the build by its id wherever the
    service can tell a repetition by that. All raise TargetRefused or TargetUnavailable.
    """

    def start(self, build: Build, message: Mapping[str, Any]) -> Started:
        """Hand a build over; `message` is what is published of it."""

    def look(self, build: Build) -> Status | None:
        """Say how far a build is there; None where the target cannot say."""

    def stop(self, build: Build, message: Mapping[str, Any]) -> None:
        """Tell the target that a build it was given is wanted no more; one that has ended there is no error."""


def named(build: Build, field: str) -> str:
    """Read a field of a build's target. Raises TargetRefused where the trigger has none."""
    value = build.target.get(field)
    if not isinstance(value, str) or not value:
        raise TargetRefused(f"The trigger's target has no {field}.")
    return value
