"""Reading the body of a webhook or system hook: any JSON object gives an event, none an exception.

The body decides what it is, not the header: a signature covers the body only, and every system hook has one and the
same header.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from gitlab_hub.gitlab.webhooks import bodies
from gitlab_hub.gitlab.webhooks.bodies import Fields
from gitlab_hub.gitlab.webhooks.event import Commit, HookEvent, MergeRequest
from gitlab_hub.gitlab.webhooks.fields import Object, moment, number, part, text
from gitlab_hub.gitlab.webhooks.fields import objects as as_rows

__all__ = ["Commit", "HookEvent", "MergeRequest", "as_rows", "kind_named", "parse"]

UNKNOWN = "unknown"
_SYSTEM = "system"
_MAX_KIND = 60

# GitLab's name → ours, where they differ.
_KINDS = {"build": "job"}

# System and group hooks name what happened: `project_create`. A "team" is a project's.
_MEMBERS = re.compile(
    r"user_(?:add_to|update_for|remove_from|access_request_\w+)_(?:group|team)|user_access_request_\w+"
)
_THINGS = re.compile(r"(subgroup|group|project|user|key)_(\w+)")

_READERS: Mapping[str, Callable[[Object], Fields]] = {
    "push": bodies.push,
    "tag_push": bodies.push,
    "repository_update": bodies.actor_of,
    "merge_request": bodies.merge_request,
    "pipeline": bodies.pipeline,
    "job": bodies.job,
    "deployment": bodies.deployment,
    "release": bodies.release,
    "note": bodies.note,
}


def parse(header: str, body: Mapping[str, Any]) -> HookEvent:
    """Read a body, with the `X-Gitlab-Event` header it came with. Whatever is not there or of another type is None."""
    kind, action = _kind_of(header, body)
    if kind == "push" and (text(body, "ref") or "").startswith("refs/tags/"):
        kind = "tag_push"  # Whatever else it is called: a tag is no branch of its name.
    found: Fields = {"action": action} | _common(body)
    special = _READERS.get(kind, bodies.attributed)(body)
    found |= {name: value for name, value in special.items() if value is not None}
    return HookEvent(kind=kind, is_system=kind_named(header) == _SYSTEM, **found)


def kind_named(name: str) -> str:
    """Our name of an event, from GitLab's header or from ours: "Tag Push Hook" and "tag_push" are the same."""
    words = re.findall(r"[a-z0-9]+", name[:_MAX_KIND].lower())
    plain = "_".join(words[:-1] if words[-1:] == ["hook"] else words)
    return _KINDS.get(plain, plain) or UNKNOWN


def _kind_of(header: str, body: Object) -> tuple[str, str | None]:
    kind = text(body, "object_kind")
    if kind is not None:
        return kind_named(kind), None
    event = text(body, "event_name")
    if event is None:
        return kind_named(header), None
    if _MEMBERS.fullmatch(event):
        return "member", event
    thing = _THINGS.fullmatch(event)
    return (thing[1], thing[2][:_MAX_KIND]) if thing else (kind_named(event), None)


def _common(body: Object) -> Fields:
    project, group, user = (part(body, name) for name in ("project", "group", "user"))
    return {
        "project_id": number(project, "id") or number(body, "project_id"),
        "project_path": text(project, "path_with_namespace")
        or text(body, "path_with_namespace", "project_path_with_namespace"),
        "group_id": number(body, "group_id") or number(group, "group_id", "id"),
        "actor_id": number(user, "id"),
        "actor": text(user, "username", "name"),
        "at": moment(body, "updated_at", "created_at"),
    }
