"""Tells hooks of changes to accounts, groups, projects and members."""

from collections.abc import Callable, Iterator
from typing import Any

from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.model import Group, Project
from stand_in_gitlab.payloads import estate
from stand_in_gitlab.payloads.parts import Parts
from stand_in_gitlab.webhooks.events import ALWAYS, Event
from stand_in_gitlab.webhooks.member_events import account_event, member_events

EventEmitter = Iterator[Event]


class EstateEvents:
    """Looks at a change before and after it is made: what is gone can only be told of as it was."""

    def __init__(self, parts: Parts, clock: Clock) -> None:
        self._parts, self._company, self._clock = parts, parts.company, clock
        self._before: dict[str, Callable[..., EventEmitter]] = {
            "remove_user": self._user_goes,
            "remove_group": self._group_goes,
            "remove_project": self._project_goes,
            "remove_member": self._member_goes,
        }

    def before(self, verb: str, arguments: dict[str, Any]) -> list[Event]:
        """What is told of a removal that is about to be made."""
        return list(self._before[verb](**arguments)) if verb in self._before else []

    def memory(self, verb: str, arguments: dict[str, Any]) -> Any:
        """What has to be remembered of the state before a change to tell of it afterwards."""
        if verb == "update_project":
            return self._company.projects[arguments["id"]].full_path
        if verb == "update_user":
            return self._company.users[arguments["id"]].username
        if verb == "add_member":
            source = arguments["source"], arguments["source_id"]
            return arguments["user_id"] in self._company.members.get(source, {})
        return None

    def after(self, verb: str, arguments: dict[str, Any], done: dict[str, Any], memory: Any) -> EventEmitter:
        """What is told of an addition or an update."""
        now = self._clock.now()
        if verb == "add_user":
            yield account_event("user_create", self._company.users[done["id"]], now)
        elif verb == "update_user":
            user = self._company.users[done["id"]]
            if user.username != memory:
                yield account_event("user_rename", user, now, old_username=memory)
        elif verb == "add_group":
            yield from self._group("create", self._company.groups[done["id"]])
        elif verb in {"add_project", "fork_project"}:
            yield from self._project("create", self._company.projects[done["id"]])
        elif verb == "update_project":
            yield from self._project_changed(self._company.projects[done["id"]], memory)
        elif verb == "add_member":
            yield from self._member("update" if memory else "add", arguments)

    def _project_changed(self, project: Project, old_path: str) -> EventEmitter:
        yield _always(estate.project(self._parts, "project_update", project, self._clock.now()))
        if project.full_path != old_path:
            payload = estate.project(self._parts, "project_rename", project, self._clock.now(), old_path=old_path)
            yield _always(payload)

    def _user_goes(self, id: int) -> EventEmitter:  # noqa: A002 - the verb's own word
        yield account_event("user_destroy", self._company.users[id], self._clock.now())

    def _group_goes(self, id: int) -> EventEmitter:  # noqa: A002
        inside = [*self._company.descendants(id), self._company.groups[id]]
        for project in self._company.projects_of({group.id for group in inside}):
            yield from self._project("destroy", project)
        for group in inside:
            yield from self._group("destroy", group)

    def _project_goes(self, id: int) -> EventEmitter:  # noqa: A002
        yield from self._project("destroy", self._company.projects[id])

    def _member_goes(self, **arguments: Any) -> EventEmitter:
        yield from self._member("remove", arguments)

    def _group(self, what: str, group: Group) -> EventEmitter:
        now = self._clock.now()
        yield _always(estate.group(f"group_{what}", group, now))
        if group.parent_id is not None:
            payload = estate.subgroup(f"subgroup_{what}", group, self._company.groups[group.parent_id], now)
            yield Event(trigger="subgroup_hooks", payload=payload, group_id=group.parent_id)

    def _project(self, what: str, project: Project) -> EventEmitter:
        payload = estate.project(self._parts, f"project_{what}", project, self._clock.now())
        yield _always(payload)
        if project.group_id is not None:
            yield Event(trigger="project_hooks", payload=payload, group_id=project.group_id)

    def _member(self, what: str, arguments: dict[str, Any]) -> EventEmitter:
        source, user_id = (arguments["source"], arguments["source_id"]), arguments["user_id"]
        member = self._company.members[source][user_id]
        yield from member_events(self._company, what, source, member, self._clock.now())


def _always(payload: dict[str, Any]) -> Event:
    return Event(trigger=ALWAYS, payload=payload)
