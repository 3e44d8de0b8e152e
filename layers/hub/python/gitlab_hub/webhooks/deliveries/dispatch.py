"""What an event sets off, and whether its hook may speak of what it speaks of; pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from gitlab_hub.gitlab.fields import first_id, is_below, part
from gitlab_hub.gitlab.webhooks.event import HookEvent
from gitlab_hub.gitlab.webhooks.event_types import BUILDING, BY_NAME, Effect, Scope
from gitlab_hub.webhooks.hooks.model import Hook

UNSUPPORTED = "unsupported_event"
INCOMPLETE = "incomplete_event"
OUTSIDE = "outside_scope"


def route_event(event: HookEvent) -> Effect | str:
    """Name the effect of an event, or (a plain text) the reason why it has none."""
    known = BY_NAME.get(event.kind)
    if known is None or not known.effects:
        return UNSUPPORTED
    return next((effect for effect in known.effects if _has_ids(event, effect)), INCOMPLETE)


def _has_ids(event: HookEvent, effect: Effect) -> bool:
    match effect:
        case Effect.PIPELINE:
            return bool(event.project_id and event.pipeline_id)
        case Effect.GROUP:
            return bool(event.group_id)
    return bool(event.project_id)


def hook_may_report(hook: Hook, event: HookEvent, body: Mapping[str, Any]) -> bool | None:
    """Say whether a hook may speak of what this body names; None: only GitLab can say.

    A project's hook speaks of that project alone, under whatever name the body has for it. A group's hook speaks of
    what lies below the group. A body names its project's path and not its groups' ids, so where the path is not below
    the one that the group had when it was last looked up, either of them may have been renamed or moved. Hints are
    checked with GitLab anyway.
    """
    match hook.scope:
        case Scope.SYSTEM:
            return True
        case Scope.PROJECT:
            if hook.target_id is None:
                return None
            return event.project_id == hook.target_id and all(one == hook.target_id for one in _projects(body))
        case Scope.GROUP:
            if event.kind not in BUILDING or is_below(event.project_path or "", hook.target.strip("/")):
                return True
            return None
    return False


def _projects(body: Mapping[str, Any]) -> Iterator[int]:
    """Every project that a body says it is about; the source of a merge request may be another one."""
    named = (
        first_id(body, "project_id"),
        first_id(part(body, "project"), "id"),
        first_id(part(body, "object_attributes"), "target_project_id"),
    )
    return (one for one in named if one is not None)
