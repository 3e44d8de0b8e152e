"""What a hook is to hang on: a project, a group, or the whole GitLab, looked up and found to be in bounds."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gitlab_hub.errors import NotInGitLab
from gitlab_hub.gitlab.clients import Reach
from gitlab_hub.gitlab.errors import Forbidden, Missing, Moved, UnexpectedResponse
from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.webhooks.hooks.errors import place_name
from gitlab_hub.webhooks.hooks.wire import target_path
from gitlab_hub.webhooks.model import Scope

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

_PATH = {Scope.PROJECT: "path_with_namespace", Scope.GROUP: "full_path"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a hook hangs; `id` is None for the whole system."""

    id: int | None
    path: str


def system_place(reach: Reach) -> Place:
    """The whole GitLab. Raises Unprocessable where the integration is limited to a group."""
    if reach.group is not None:
        raise Unprocessable("This integration is limited to a group; a system hook would hear of everything.")
    return Place(id=None, path=reach.base_url)


async def find_place(gitlab: "GitLab", reach: Reach, scope: str, target: str | int) -> Place:
    """Look a project or group up by id or full path. Raises NotInGitLab, also outside the integration's group."""
    if {".", ".."} & set(str(target).split("/")):
        # No path of GitLab's has such parts, and the client takes them for a mistake of ours.
        raise _not_found(scope, target, reach)
    try:
        place, bounds = await look_up(gitlab, scope, target), await _bounds(gitlab, reach)
    except Missing:
        raise _not_found(scope, target, reach) from None
    if not within(place.path, bounds):
        raise _not_found(scope, target, replace(reach, group=bounds))
    return place


async def _bounds(gitlab: "GitLab", reach: Reach) -> str | None:
    """What the integration's group is called by now. Raises Missing where it is gone, and other GitLabErrors."""
    if reach.group_id is None:
        return reach.group
    try:
        return (await look_up(gitlab, Scope.GROUP, reach.group_id)).path
    except Forbidden:
        return reach.group  # A fine-grained token without `Group: Read`: what it was called when it was last seen.


async def look_up(gitlab: "GitLab", scope: str, target: str | int) -> Place:
    """Where a project or group is now, also by a path that the project had before. Raises GitLabError."""
    params = {"with_projects": False} if scope == Scope.GROUP else None
    try:
        reply = await gitlab.get(target_path(scope, target), params)
    except Moved as moved:
        reply = await gitlab.get(target_path(scope, moved.details["project_id"]))
    return _place_of(reply.body, scope)


def within(path: str, group: str | None) -> bool:
    """Whether a full path is that of a group, or of something in it; GitLab's paths ignore case."""
    return group is None or f"{path}/".lower().startswith(f"{group}/".lower())


def _place_of(body: Any, scope: str) -> Place:
    number = body.get("id") if isinstance(body, dict) else None
    path = body.get(_PATH[Scope(scope)]) if isinstance(body, dict) else None
    if type(number) is not int or not isinstance(path, str):
        raise UnexpectedResponse(f"GitLab's answer is no {scope}.")
    return Place(id=number, path=path)


def _not_found(scope: str, target: str | int, reach: Reach) -> NotInGitLab:
    """One text for what is not there and for what is not to be touched: nobody learns which."""
    place = place_name(scope, target)
    outside = "" if reach.group is None else f", or it is not in the group {reach.group} that the integration is for"
    return NotInGitLab(
        f"GitLab shows the integration's token no such thing as {place}{outside}. Check the scope, and the full path "
        "or numeric id; the token's user has to be a member there.",
        details={"field": "body.target", "scope": scope, "target": str(target)[:200]},
    )
