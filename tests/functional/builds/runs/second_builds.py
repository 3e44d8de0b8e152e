"""Commits that were built before: events of them, and the builds that these make."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from gitlab_hub.builds.runs.model import Build
from gitlab_hub.gitlab.webhooks.parse import HookEvent
from tests.functional.builds.builds_hub import (
    SHA,
    TRIGGER,
    World,
    merge_request,
    push,
    trigger,
)

FIELD = Path(__file__).parents[3] / "data" / "gitlab" / "field"
ZERO = "0" * 40
IN_THE_WAY: tuple[list[str], list[str]] = ([], [f"{TRIGGER}: already_built"])


def world_of(**changes: Any) -> World:
    world = World()
    world.add(trigger(**changes))
    return world


def gone(sha: str = SHA, *, kind: str = "push", ref: str = "main") -> HookEvent:
    return replace(push(before=sha, after=ZERO, kind=kind, ref=ref), sha=None)


def updated(sha: str, *, oldrev: str | None = None, **changes: Any) -> HookEvent:
    event = merge_request(sha)
    found = replace(event.merge_request, action="update", oldrev=oldrev, **changes)  # type: ignore[type-var]
    return replace(event, action="update", before=oldrev, merge_request=found)


def cancel(world: World, build_id: str) -> None:
    assert world.call("POST", f"/v1/builds/{build_id}/cancel")[0] == 200
    world.work()


def by_number(world: World) -> list[Build]:
    return sorted(world.builds(), key=lambda build: build.number)
