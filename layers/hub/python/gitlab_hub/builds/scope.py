"""Whether an event is any of a trigger's business at all: switched on, of a wanted kind, of its project or group."""

from collections.abc import Iterator

from gitlab_hub.builds.model import EVENTS, Trigger
from gitlab_hub.builds.reasons import Reason, passed, refused
from gitlab_hub.gitlab.events import HookEvent
from gitlab_hub.places import Above, is_below


def checks(trigger: Trigger, event: HookEvent, above: Above | None) -> Iterator[Reason]:
    """All checks of the scope, in order."""
    yield enabled(trigger)
    yield wanted(trigger, event)
    yield place(trigger, event, above)


def enabled(trigger: Trigger) -> Reason:
    """Whether the trigger is switched on."""
    if trigger.enabled:
        return passed("trigger_enabled", "The trigger is switched on.")
    return refused("trigger_disabled", "The trigger is switched off.")


def wanted(trigger: Trigger, event: HookEvent) -> Reason:
    """Whether the trigger waits for events of this kind."""
    if is_wanted(trigger, event):
        return passed("event_wanted", f"The trigger waits for {event.kind}.")
    return refused("event_not_wanted", f"The trigger waits for {', '.join(trigger.events)}, not for {event.kind}.")


def is_wanted(trigger: Trigger, event: HookEvent) -> bool:
    """Whether the kind is one of the trigger's. A later release may have written kinds that are not known here."""
    return event.kind in trigger.events and event.kind in EVENTS


def place(trigger: Trigger, event: HookEvent, above: Above | None) -> Reason:
    """Whether it happened in the trigger's project, or in a project below its group.

    `above` is what GitLab says of the event's project. A group is told by its id; by its path only where nobody knows.
    """
    if event.project_id is None:
        return refused("project_unknown", "The event does not say which project it is about.")
    if trigger.group is None:
        return _project(trigger, event)
    path = event.project_path or (None if above is None else above.path)
    if path is None:
        return refused("project_unknown", "The event does not say where its project lies.")
    if lies_below(trigger, path, above):
        return passed("group_fits", f"The project {path} is below {trigger.group}.")
    return refused("other_group", f"The project {path} is not below {trigger.group}.")


def lies_below(trigger: Trigger, path: str, above: Above | None) -> bool:
    """Whether a project lies below a trigger's group."""
    if trigger.group is None:
        return False
    if trigger.group_id is not None and above is not None:
        if above.group(trigger.group_id) is not None:
            return True
        if above.whole:
            return False  # Whatever is called so by now is another group.
    return is_below(path, trigger.group)


def _project(trigger: Trigger, event: HookEvent) -> Reason:
    if event.project_id == trigger.project_id:
        return passed("project_fits", f"It is the project {trigger.project_id}.")
    return refused("other_project", f"The trigger is for the project {trigger.project_id}, not {event.project_id}.")
