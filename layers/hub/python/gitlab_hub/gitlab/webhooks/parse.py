"""Reading the body of a webhook or system hook: any JSON object gives an event, none an exception.

The body decides what it is, not the header: a signature covers the body only, and every system hook has one and the
same header.
"""

import re
from collections.abc import Mapping
from typing import Any

from gitlab_hub.gitlab.fields import GitLabRow, first_id, first_moment, first_text, part
from gitlab_hub.gitlab.webhooks import bodies
from gitlab_hub.gitlab.webhooks.bodies import Fields
from gitlab_hub.gitlab.webhooks.event import Commit, HookEvent, MergeRequest
from gitlab_hub.gitlab.webhooks.event_types import BY_NAME, EVENT_TYPES, named_by_event_name

__all__ = ["Commit", "HookEvent", "MergeRequest", "kind_named", "parse"]

UNKNOWN = "unknown"
_SYSTEM = "system"
_MAX_KIND = 60


def parse(header: str, body: Mapping[str, Any]) -> HookEvent:
    """Read a body, with the `X-Gitlab-Event` header it came with. Whatever is not there or of another type is None."""
    kind, action = _kind_of(header, body)
    if kind == "push" and (first_text(body, "ref") or "").startswith("refs/tags/"):
        kind = "tag_push"  # Whatever else it is called: a tag is no branch of its name.
    found: Fields = {"action": action} | _common(body)
    read = BY_NAME[kind].read if kind in BY_NAME else bodies.attributed
    special = read(body)
    found |= {name: value for name, value in special.items() if value is not None}
    return HookEvent(kind=kind, is_system=kind_named(header) == _SYSTEM, **found)


def kind_named(name: str) -> str:
    """Our name of an event, from GitLab's header or from ours: "Tag Push Hook" and "tag_push" are the same."""
    plain = _plain(name)
    return _KINDS.get(plain, plain) or UNKNOWN


def _plain(name: str) -> str:
    words = re.findall(r"[a-z0-9]+", name[:_MAX_KIND].lower())
    return "_".join(words[:-1] if words[-1:] == ["hook"] else words)


# GitLab's name → ours.
_KINDS = {_plain(name): row.name for row in EVENT_TYPES for name in (row.header, row.object_kind) if name}


def _kind_of(header: str, body: GitLabRow) -> tuple[str, str | None]:
    kind = first_text(body, "object_kind")
    if kind is not None:
        return kind_named(kind), None
    event = first_text(body, "event_name")
    if event is None:
        return kind_named(header), None
    name, action = named_by_event_name(event) or (kind_named(event), None)
    return name, action[:_MAX_KIND] if action else None


def _common(body: GitLabRow) -> Fields:
    project, group, user = (part(body, name) for name in ("project", "group", "user"))
    return {
        "project_id": first_id(project, "id") or first_id(body, "project_id"),
        "project_path": first_text(project, "path_with_namespace")
        or first_text(body, "path_with_namespace", "project_path_with_namespace"),
        "group_id": first_id(body, "group_id") or first_id(group, "group_id", "id"),
        "actor_id": first_id(user, "id"),
        "actor": first_text(user, "username", "name"),
        "at": first_moment(body, "updated_at", "created_at"),
    }
