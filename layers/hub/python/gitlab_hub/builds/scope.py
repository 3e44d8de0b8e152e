"""Whether an event is any of a trigger's business at all: switched on, of a wanted kind, of its project or group."""

from collections.abc import Iterator

from gitlab_hub.builds.model import EVENTS, Trigger
from gitlab_hub.builds.reasons import Reason, passed, refused
from gitlab_hub.gitlab.events import HookEvent


def checks(trigger: Trigger, event: HookEvent) -> Iterator[Reason]:
    """All checks of the scope, in order."""
    yield enabled(trigger)
    yield wanted(trigger, event)
    yield place(trigger, event)


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


def place(trigger: Trigger, event: HookEvent) -> Reason:
    """Whether it happened in the trigger's project, or in a project below its group."""
    if event.project_id is None:
        return refused("project_unknown", "The event does not say which project it is about.")
    if trigger.group is None:
        return _project(trigger, event)
    if event.project_path is None:
        return refused("project_unknown", "The event does not say where its project lies.")
    if is_below(event.project_path, trigger.group):
        return passed("group_fits", f"The project {event.project_path} is below {trigger.group}.")
    return refused("other_group", f"The project {event.project_path} is not below {trigger.group}.")


def is_below(path: str, group: str) -> bool:
    """Whether a project's full path lies under a group's. GitLab's paths do not differ by case."""
    return path.lower().startswith(f"{group.lower()}/")


def _project(trigger: Trigger, event: HookEvent) -> Reason:
    if event.project_id == trigger.project_id:
        return passed("project_fits", f"It is the project {trigger.project_id}.")
    return refused("other_project", f"The trigger is for the project {trigger.project_id}, not {event.project_id}.")
