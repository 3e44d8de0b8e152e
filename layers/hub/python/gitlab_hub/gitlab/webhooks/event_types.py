"""The table of GitLab's webhook events: a row says what GitLab calls one, and what the hub makes of it; pure.

Whatever knows events by name is derived from it: reading bodies, registering hooks and comparing them, what a delivery
sets off, what a trigger can wait for, the API's lists of names and the table in docs/webhooks.md.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gitlab_hub.gitlab.fields import GitLabRow
from gitlab_hub.gitlab.webhooks import bodies
from gitlab_hub.gitlab.webhooks.bodies import Fields


class Scope(StrEnum):
    """Where in GitLab a hook hangs."""

    PROJECT = "project"
    GROUP = "group"
    SYSTEM = "system"


class Effect(StrEnum):
    """What an event sets off: builds, or a look at a pipeline, deployments, a project or a group."""

    BUILDS = "builds"
    PIPELINE = "pipeline"
    DEPLOYMENTS = "deployments"
    PROJECT = "project"
    GROUP = "group"


_EVERYWHERE = frozenset(Scope)
_PROJECTS = frozenset({Scope.PROJECT, Scope.GROUP})
_ABOVE_PROJECTS = frozenset({Scope.GROUP, Scope.SYSTEM})
_SYSTEM = frozenset({Scope.SYSTEM})

_BUILDS = (Effect.BUILDS,)
_PIPELINE = (Effect.PIPELINE,)
_DEPLOYMENTS = (Effect.DEPLOYMENTS,)
_PLACE = (Effect.PROJECT, Effect.GROUP)

_WEBHOOKS = "https://docs.gitlab.com/user/project/integrations/webhook_events/#"
_SYSTEM_HOOKS = "https://docs.gitlab.com/administration/system_hooks/"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One event. The name is the hub's, and stays: rows, triggers and answers have it."""

    name: str
    header: str | None = None
    """`X-Gitlab-Event` of a project's or group's hook, where it is this event's alone; a system hook says the same of
    all."""
    object_kind: str | None = None
    event_name: str | None = None
    """Pattern of what group and system hooks say where there is no `object_kind`; its group is the action."""
    flag: str | None = None
    """GitLab's switch of the event in a hook, and its name of the sample that it sends as a test."""
    unwanted: tuple[str, ...] = ()
    """Switches that the hub never wants on. A GitLab that does not know one of them ignores it."""
    scopes: frozenset[Scope] = frozenset()
    """Whose hooks can be registered for it."""
    unasked: frozenset[Scope] = frozenset()
    """Those of them that always send it, without a switch."""
    effects: tuple[Effect, ...] = ()
    """What it sets off: the first of these of which the body names the ids."""
    read: Callable[[GitLabRow], Fields] = bodies.attributed
    """Reads what is special in its body."""
    docs: str
    """Where GitLab documents it."""

    @property
    def may_build(self) -> bool:
        """Whether a trigger can wait for it."""
        return Effect.BUILDS in self.effects


EVENT_TYPES = (
    EventType(
        name="push", header="Push Hook", object_kind="push", flag="push_events",
        scopes=_EVERYWHERE, effects=_BUILDS, read=bodies.push, docs=_WEBHOOKS + "push-events",
    ),
    EventType(
        name="tag_push", header="Tag Push Hook", object_kind="tag_push", flag="tag_push_events",
        scopes=_EVERYWHERE, effects=_BUILDS, read=bodies.push, docs=_WEBHOOKS + "tag-events",
    ),
    EventType(
        name="merge_request", header="Merge Request Hook", object_kind="merge_request", flag="merge_requests_events",
        scopes=_EVERYWHERE, effects=_BUILDS, read=bodies.merge_request, docs=_WEBHOOKS + "merge-request-events",
    ),
    EventType(
        name="pipeline", header="Pipeline Hook", object_kind="pipeline", flag="pipeline_events",
        scopes=_PROJECTS, effects=_PIPELINE, read=bodies.pipeline, docs=_WEBHOOKS + "pipeline-events",
    ),
    EventType(
        name="job", header="Job Hook", object_kind="build", flag="job_events",
        scopes=_PROJECTS, effects=_PIPELINE, read=bodies.job, docs=_WEBHOOKS + "job-events",
    ),
    EventType(
        name="deployment", header="Deployment Hook", object_kind="deployment", flag="deployment_events",
        scopes=_PROJECTS, effects=_DEPLOYMENTS, read=bodies.deployment, docs=_WEBHOOKS + "deployment-events",
    ),
    EventType(
        name="release", header="Release Hook", object_kind="release", flag="releases_events",
        scopes=_PROJECTS, read=bodies.release, docs=_WEBHOOKS + "release-events",
    ),
    EventType(
        name="note", header="Note Hook", object_kind="note", flag="note_events", unwanted=("confidential_note_events",),
        scopes=_PROJECTS, read=bodies.note, docs=_WEBHOOKS + "comment-events",
    ),
    EventType(
        name="issue", header="Issue Hook", object_kind="issue",
        unwanted=("issues_events", "confidential_issues_events"), docs=_WEBHOOKS + "work-item-events",
    ),
    EventType(name="work_item", object_kind="work_item", docs=_WEBHOOKS + "work-item-events"),
    EventType(
        name="wiki_page", header="Wiki Page Hook", object_kind="wiki_page", unwanted=("wiki_page_events",),
        docs=_WEBHOOKS + "wiki-page-events",
    ),
    EventType(
        name="feature_flag", header="Feature Flag Hook", object_kind="feature_flag", unwanted=("feature_flag_events",),
        docs=_WEBHOOKS + "feature-flag-events",
    ),
    EventType(
        name="milestone", header="Milestone Hook", object_kind="milestone", unwanted=("milestone_events",),
        docs=_WEBHOOKS + "milestone-events",
    ),
    EventType(
        name="emoji", header="Emoji Hook", object_kind="emoji", unwanted=("emoji_events",),
        docs=_WEBHOOKS + "emoji-events",
    ),
    EventType(
        name="access_token", header="Resource Access Token Hook", object_kind="access_token",
        unwanted=("resource_access_token_events",), docs=_WEBHOOKS + "project-and-group-access-token-events",
    ),
    EventType(
        name="vulnerability", header="Vulnerability Hook", object_kind="vulnerability",
        unwanted=("vulnerability_events",), docs=_WEBHOOKS + "vulnerability-events",
    ),
    # A "team" is a project's.
    EventType(
        name="member", header="Member Hook", flag="member_events",
        event_name=r"(user_(?:(?:add_to|update_for|remove_from|access_request_\w+)_(?:group|team)|access_request_\w+))",
        scopes=_ABOVE_PROJECTS, unasked=_SYSTEM, effects=_PLACE, docs=_WEBHOOKS + "group-member-events",
    ),
    EventType(
        name="project", header="Project Hook", event_name=r"project_(\w+)", flag="project_events",
        scopes=_ABOVE_PROJECTS, unasked=_SYSTEM, effects=_PLACE, docs=_WEBHOOKS + "project-events",
    ),
    EventType(
        name="subgroup", header="Subgroup Hook", event_name=r"subgroup_(\w+)", flag="subgroup_events",
        scopes=_ABOVE_PROJECTS, unasked=_SYSTEM, effects=_PLACE, docs=_WEBHOOKS + "subgroup-events",
    ),
    # What system hooks say for what group hooks call a subgroup.
    EventType(name="group", event_name=r"group_(\w+)", effects=_PLACE, docs=_SYSTEM_HOOKS),
    EventType(name="user", event_name=r"user_(\w+)", docs=_SYSTEM_HOOKS),
    EventType(name="key", event_name=r"key_(\w+)", docs=_SYSTEM_HOOKS),
    EventType(
        name="repository_update", event_name="repository_update", unwanted=("repository_update_events",),
        read=bodies.actor_of, docs=_SYSTEM_HOOKS,
    ),
)  # fmt: skip
"""In the order in which the API lists them. Of two patterns that fit an `event_name` the first one counts."""

BY_NAME: Mapping[str, EventType] = {row.name: row for row in EVENT_TYPES}

KNOWN = tuple(BY_NAME)
"""The names of all events that the hub knows."""

REGISTRABLE = tuple(row.name for row in EVENT_TYPES if row.scopes)
"""The names of those that a hook can be registered for."""

BUILDING = tuple(row.name for row in EVENT_TYPES if row.may_build)
"""The names of those that a trigger can wait for."""


def flags_of(scope: Scope) -> dict[str, str]:
    """GitLab's switch for each of our events that hooks of this scope have a switch for."""
    return {row.name: row.flag for row in EVENT_TYPES if row.flag and scope in row.scopes - row.unasked}


def offered_by(scope: Scope) -> frozenset[str]:
    """The names of the events that a hook of this scope can be registered for."""
    return frozenset(row.name for row in EVENT_TYPES if scope in row.scopes)


UNWANTED = tuple(flag for row in EVENT_TYPES for flag in row.unwanted)
"""Switches of events that the hub has no use for: on, they only send it what nobody asked for."""

_SYSTEM_EVENTS = tuple((re.compile(row.event_name), row.name) for row in EVENT_TYPES if row.event_name)


def named_by_event_name(event_name: str) -> tuple[str, str | None] | None:
    """Our name and the action of what a hook of a group or the system calls so; None where no row knows it."""
    for pattern, name in _SYSTEM_EVENTS:
        if match := pattern.fullmatch(event_name):
            return name, match[1] if match.groups() else None
    return None
