"""An event on an EventBridge bus: whoever has a rule for it builds, and reports back with PATCH."""

from collections.abc import Callable, Mapping
from typing import Any

from gitlab_hub.builds.runs.model import Build, BuildStatus
from gitlab_hub.builds.targets.aws import call_aws
from gitlab_hub.builds.targets.base import Started, TargetRefused
from gitlab_hub.storage.aws import LazyClient
from gitlab_hub.storage.events import put_event

DETAIL_TYPES = {"build.requested": "Build Requested", "build.canceled": "Build Canceled"}


class EventBridgeTarget:
    """Puts events on the bus that the trigger names, or on the hub's own."""

    def __init__(self, default_bus: str, client: Callable[[], Any] | None = None) -> None:
        self._default_bus = default_bus
        self._client = client or LazyClient("events")

    def start(self, build: Build, message: Mapping[str, Any]) -> Started:
        """Announce a wanted build."""
        self._put(build, message)
        return Started()

    def poll(self, build: Build) -> BuildStatus | None:  # noqa: ARG002 - the port's signature
        """Nothing can be looked up there: whoever builds reports."""
        return None

    def stop(self, build: Build, message: Mapping[str, Any]) -> None:
        """Announce that it is wanted no more."""
        self._put(build, message)

    def _put(self, build: Build, message: Mapping[str, Any]) -> None:
        bus = build.target.get("bus") or self._default_bus
        if not bus:
            raise TargetRefused("The hub has no event bus of its own: name one in the trigger's target.")
        call_aws(lambda: put_event(self._client(), bus, DETAIL_TYPES[message["type"]], message))
