"""What is kept of a hook's body: an allow-list by kind of event, and nothing else; pure.

Bodies hold what nobody here asks for and what must not lie about: variables of pipelines and jobs, push options (which
can set variables), email addresses, descriptions. So each kind names the fields that are read of it later, and whatever
another release of GitLab adds stays out until somebody names it here.
"""

from collections.abc import Mapping
from typing import Any

Shape = Mapping[str, Any]
"""Field → `None` for a plain value, a Shape for an object, and a list of one of both for a list of such."""

_GONE = object()

_TITLES: list[Shape] = [{"title": None}]

_PLACE: Shape = {
    "object_kind": None,
    "event_name": None,
    "project_id": None,
    "project": {"id": None, "path_with_namespace": None},
    "path_with_namespace": None,
    "project_path_with_namespace": None,
    "group_id": None,
    "group": {"id": None, "group_id": None},
    "updated_at": None,
    "created_at": None,
}
"""What an event is, and which project or group it is about: enough for all that is asked of GitLab by id."""

_PUSH: Shape = {
    **_PLACE,
    "project": {"id": None, "path_with_namespace": None, "default_branch": None},
    "ref": None,
    "before": None,
    "after": None,
    "checkout_sha": None,
    "total_commits_count": None,
    "user_id": None,
    "user_username": None,
    "user_name": None,
    "user": {"id": None, "username": None, "name": None},
    "push_options": {"ci": {"skip": None}, "ci.skip": None},
    "commits": [{"id": None, "message": None, "added": [None], "modified": [None], "removed": [None]}],
}

_MERGE_REQUEST: Shape = {
    **_PLACE,
    "user": {"id": None, "username": None, "name": None},
    "labels": _TITLES,
    "object_attributes": {
        "iid": None,
        "action": None,
        "state": None,
        "draft": None,
        "work_in_progress": None,
        "title": None,
        "labels": _TITLES,
        "source_branch": None,
        "target_branch": None,
        "source_project_id": None,
        "target_project_id": None,
        "oldrev": None,
        "head_pipeline_id": None,
        "updated_at": None,
        "created_at": None,
        "last_commit": {"id": None, "message": None},
    },
}

KEPT: Mapping[str, Shape] = {
    "push": _PUSH,
    "tag_push": _PUSH,
    "merge_request": _MERGE_REQUEST,
    "pipeline": {**_PLACE, "object_attributes": {"id": None}},
    "job": {**_PLACE, "pipeline_id": None, "commit": {"id": None}},
}
"""By our name of the kind; of every other one only what and where it is."""


def kept(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a body that is kept, for an event of this kind (`HookEvent.kind`)."""
    picked: dict[str, Any] = _object(body, KEPT.get(kind, _PLACE))
    return picked


def _picked(value: Any, shape: Any) -> Any:
    if shape is None:
        return _GONE if isinstance(value, Mapping | list) else value
    if isinstance(shape, list):
        return _rows(value, shape[0]) if isinstance(value, list) else _GONE
    return _object(value, shape) if isinstance(value, Mapping) else _GONE


def _object(value: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    found = ((name, _picked(value[name], inner)) for name, inner in shape.items() if name in value)
    return {name: one for name, one in found if one is not _GONE}


def _rows(value: list[Any], shape: Any) -> list[Any]:
    return [one for one in (_picked(row, shape) for row in value) if one is not _GONE]
