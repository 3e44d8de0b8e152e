"""Hooks as GitLab spells them: what to send, and what its answer says. Pure.

GitLab's API docs "Project webhooks", "Group webhooks" and "System hooks"; its code in lib/api/entities/hook.rb.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gitlab_hub.errors import NotInGitLab
from gitlab_hub.gitlab.clients import GitLabConnection
from gitlab_hub.gitlab.errors import Forbidden, Moved, ResourceNotFound, UnexpectedResponse
from gitlab_hub.gitlab.fields import first_id, first_text, is_within, mapping, rows_in
from gitlab_hub.gitlab.messages import segment
from gitlab_hub.gitlab.webhooks.event_types import UNWANTED, Scope, flags_of, offered_by
from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.webhooks.hooks.errors import place_name
from gitlab_hub.webhooks.hooks.model import Hook, HookStatus, Verification
from gitlab_hub.webhooks.hooks.secrets import HookSecrets

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab


FLAGS: Mapping[str, Mapping[str, str]] = {scope: flags_of(scope) for scope in Scope}
"""GitLab's switch for each of our events, by scope."""

EXTRAS: Mapping[str, str] = {"custom_headers": "headers", "url_variables": "variables"}
"""GitLab's lists of what somebody has added to a hook, and our names of the drift. A write merges into them
(lib/api/helpers/web_hooks_helpers.rb), so what is in them is taken out key by key."""

_NAME = "gitlab-hub"


def unsupported(scope: str, events: tuple[str, ...]) -> list[str]:
    """The events that hooks of this scope do not have. A system hook sends some without being asked."""
    return sorted(set(events) - offered_by(Scope(scope)))


def hooks_path(scope: str, target_id: int | None) -> str:
    """Where the hooks of a project, a group or the system are."""
    match scope:
        case Scope.PROJECT:
            return f"/projects/{target_id}/hooks"
        case Scope.GROUP:
            return f"/groups/{target_id}/hooks"
    return "/hooks"


def target_path(scope: str, target: str | int) -> str:
    """Where the project or group itself is, by id or full path."""
    return f"/{scope}s/{segment(str(target))}"


def to_gitlab(hook: Hook, secrets: HookSecrets) -> dict[str, Any]:
    """What a hook is to be in GitLab: all of every event, as GitLab spells it.

    The secrets are always part of it: changing the address wipes them. `all_branches` (15.9) empties the filter by
    itself; an older GitLab takes the empty filter. An empty template is none.
    """
    return {
        "url": hook.url,
        "name": _NAME,
        "enable_ssl_verification": hook.url.startswith("https:"),
        "token": secrets.token(hook.id, hook.secret_version),
        "signing_token": secrets.signing_token(hook.id, hook.secret_version),
        "push_events_branch_filter": "",
        "branch_filter_strategy": "all_branches",
        "custom_webhook_template": "",
        **_switches(hook),
    }


def verification_of(row: Mapping[str, Any]) -> Verification:
    """How deliveries will prove themselves: GitLab before 19.0 takes a signing token silently and signs nothing."""
    return Verification.SIGNATURE if row.get("signing_token_present") is True else Verification.TOKEN


def diff(hook: Hook, row: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs in GitLab's row of a hook, of all that changes what arrives. What GitLab does not say is right.

    url, events, branch_filter, template, headers, variables, ssl, secret. A filter counts where it filters: an empty
    one lets every push through, whatever the strategy (app/models/hooks/active_hook_filter.rb).
    """
    differs = {
        "url": row.get("url", hook.url) != hook.url,
        "events": any(bool(row.get(flag, on)) != on for flag, on in _switches(hook).items()),
        "branch_filter": bool(row.get("push_events_branch_filter")),
        "template": bool(row.get("custom_webhook_template")),
        **{name: bool(added(row, listed)) for listed, name in EXTRAS.items()},
        "ssl": row.get("enable_ssl_verification", True) is not True and hook.url.startswith("https:"),
        "secret": row.get("token_present") is False or _stopped_signing(hook, row),
    }
    return tuple(name for name, is_different in differs.items() if is_different)


def added(row: Mapping[str, Any], listed: str) -> list[str]:
    """The keys in one of the lists of `EXTRAS`; GitLab never shows their values."""
    return [key for one in rows_in(row.get(listed)) if (key := first_text(one, "key"))]


def status_of(row: Mapping[str, Any], drift: tuple[str, ...]) -> str:
    """How a hook is that GitLab still has. That it does not run is worse than that it differs."""
    alert = row.get("alert_status")
    if alert in (HookStatus.DISABLED, HookStatus.TEMPORARILY_DISABLED):
        return str(alert)
    return HookStatus.DRIFTED if drift else HookStatus.ACTIVE


def with_observed(hook: Hook, row: Mapping[str, Any], *, now: int) -> Hook:
    """A hook as GitLab's row shows it. A look never lowers what is asked of a delivery."""
    drift = diff(hook, row)
    return replace(hook, status=status_of(row, drift), drift=drift, checked_at=now)


@dataclass(frozen=True, slots=True)
class Taken:
    """GitLab's row of a hook that it took all of, secrets included, and when by its own clock (unix seconds)."""

    row: Mapping[str, Any]
    at: int | None

    @property
    def id(self) -> int:
        """The hook's number in GitLab."""
        return int(self.row["id"])


def with_created(hook: Hook, taken: Taken, *, now: int) -> Hook:
    """A hook after GitLab took all of it, secrets included."""
    kept = replace(
        hook,
        gitlab_hook_id=taken.id,
        verification=verification_of(taken.row),
        locked_until=0,
        updated_at=now,
        secrets_taken_at=taken.at,
    )
    return with_observed(kept, taken.row, now=now)


def _stopped_signing(hook: Hook, row: Mapping[str, Any]) -> bool:
    return hook.verification == Verification.SIGNATURE and row.get("signing_token_present") is not True


def _switches(hook: Hook) -> dict[str, bool]:
    """How each of GitLab's switches of events is to be."""
    ours = {flag: event in hook.events for event, flag in FLAGS[hook.scope].items()}
    return dict.fromkeys(UNWANTED, False) | ours


# What a hook is to hang on: a project, a group, or the whole GitLab, looked up and found to be in bounds.

_PATH = {Scope.PROJECT: "path_with_namespace", Scope.GROUP: "full_path"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a hook hangs; `id` is None for the whole system."""

    id: int | None
    path: str


def system_place(connection: GitLabConnection) -> Place:
    """The whole GitLab. Raises Unprocessable where the integration is limited to a group."""
    if connection.group is not None:
        raise Unprocessable("This integration is limited to a group; a system hook would hear of everything.")
    return Place(id=None, path=connection.base_url)


async def find_place(gitlab: "GitLab", connection: GitLabConnection, scope: str, target: str | int) -> Place:
    """Look a project or group up by id or full path. Raises NotInGitLab, also outside the integration's group."""
    if {".", ".."} & set(str(target).split("/")):
        # No path of GitLab's has such parts, and the client takes them for a mistake of ours.
        raise _not_found(scope, target, connection)
    try:
        place, bounds = await look_up(gitlab, scope, target), await _bounds(gitlab, connection)
    except ResourceNotFound:
        raise _not_found(scope, target, connection) from None
    if bounds is not None and not is_within(place.path, bounds):
        raise _not_found(scope, target, replace(connection, group=bounds))
    return place


async def _bounds(gitlab: "GitLab", connection: GitLabConnection) -> str | None:
    """What the integration's group is called by now. Raises ResourceNotFound where it is gone, or GitLabErrors."""
    if connection.group_id is None:
        return connection.group
    try:
        return (await look_up(gitlab, Scope.GROUP, connection.group_id)).path
    except Forbidden:
        return connection.group  # A fine-grained token without `Group: Read`: what it was called when it was last seen.


async def look_up(gitlab: "GitLab", scope: str, target: str | int) -> Place:
    """Where a project or group is now, also by a path that the project had before. Raises GitLabError."""
    params = {"with_projects": False} if scope == Scope.GROUP else None
    try:
        reply = await gitlab.get(target_path(scope, target), params)
    except Moved as moved:
        reply = await gitlab.get(target_path(scope, moved.details["project_id"]))
    return _place_of(reply.body, scope)


def _place_of(body: Any, scope: str) -> Place:
    number, path = first_id(mapping(body), "id"), first_text(mapping(body), _PATH[Scope(scope)])
    if number is None or path is None:
        raise UnexpectedResponse(f"GitLab's answer is no {scope}.")
    return Place(id=number, path=path)


def _not_found(scope: str, target: str | int, connection: GitLabConnection) -> NotInGitLab:
    """One text for what is not there and for what is not to be touched: nobody learns which."""
    place = place_name(scope, target)
    outside = (
        ""
        if connection.group is None
        else f", or it is not in the group {connection.group} that the integration is for"
    )
    return NotInGitLab(
        f"GitLab shows the integration's token no such thing as {place}{outside}. Check the scope, and the full path "
        "or numeric id; the token's user has to be a member there.",
        details={"field": "body.target", "scope": scope, "target": str(target)[:200]},
    )
