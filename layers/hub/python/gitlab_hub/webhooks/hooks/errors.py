"""The refusals of this part, and what GitLab's own refusals of a hook mean."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from gitlab_hub.errors import Conflict, HubError
from gitlab_hub.gitlab import errors as gitlab
from gitlab_hub.gitlab.webhooks.event_types import Scope

if TYPE_CHECKING:
    from gitlab_hub.webhooks.hooks.model import Hook


class MaintainerRequired(HubError):
    """Hooks of a project are for its Maintainers."""

    code = "maintainer_required"


class OwnerRequired(HubError):
    """Hooks of a group are for its Owners."""

    code = "owner_required"


class AdminRequired(HubError):
    """System hooks are for administrators."""

    code = "admin_required"


class ScopeInsufficient(HubError):
    """The token may not do it. `details["missing_scopes"]`, or `missing_permissions` of a fine-grained one."""

    code = "scope_insufficient"


class GroupHooksUnavailable(HubError):
    """The GitLab has no hooks for groups. `details["fallback"]` says what to ask for instead."""

    code = "group_hooks_unavailable"


class HookLimitReached(HubError):
    """There are as many hooks as GitLab allows."""

    code = "hook_limit_reached"


class UrlBlocked(HubError):
    """GitLab refuses to send to the hub's address."""

    code = "url_blocked_by_gitlab"


class HookNotManaged(HubError):
    """The hook is not one that the hub itself keeps in GitLab."""

    code = "hook_not_managed"


class HookBusy(Conflict):
    """The hook is being changed in GitLab at this moment."""


_TOO_LOW: dict[str, type[HubError]] = {
    Scope.PROJECT: MaintainerRequired,
    Scope.GROUP: OwnerRequired,
    Scope.SYSTEM: AdminRequired,
}
_ADVICE = {
    Scope.PROJECT: "Give the token's user the role Maintainer in {place}, or use mode manual.",
    Scope.GROUP: "Give the token's user the role Owner in {place}, or use mode manual.",
    Scope.SYSTEM: "Only a token of an administrator may manage webhooks of {place}; use one, or mode manual.",
}
_LONGEST_NAME = 200
_MOST_NAMED = 20
_INVALID = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
_BEFORE_SENDING = (gitlab.HostNotAllowed, gitlab.InvalidUrl, gitlab.TlsError)


def is_definite(error: HubError) -> bool:
    """Whether a failed write certainly had no effect. After anything else it may have had one."""
    if not isinstance(error, gitlab.GitLabError):
        return isinstance(error, HookLimitReached | GroupHooksUnavailable)
    if isinstance(error, gitlab.NotGitLab):
        return False
    status = error.http_status or 0
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return refused or isinstance(error, _BEFORE_SENDING)


def place_name(scope: str, target: str | int | None) -> str:
    """What a webhook hangs on, for a sentence: the project acme/app, the group 7, the whole GitLab."""
    return "the whole GitLab" if scope == Scope.SYSTEM else f"the {scope} {str(target)[:_LONGEST_NAME]}"


def refusal(error: HubError, scope: str, target: str | int | None) -> HubError:
    """What GitLab's refusal of a hook there means to the caller; what is no refusal of GitLab's stays as it is."""
    place = place_name(scope, target)
    if isinstance(error, gitlab.MissingPermissions):
        return ScopeInsufficient(f"{error} It is about {place}. Or use mode manual.", details=error.details)
    if isinstance(error, gitlab.InsufficientScope):
        missing = error.details.get("missing_scopes") or ["api"]
        message = f"The token may not manage webhooks of {place}. Give one with the scope api, or use mode manual."
        return ScopeInsufficient(message, details={"missing_scopes": missing})
    if isinstance(error, gitlab.Forbidden) and error.details.get("reason", "unknown") == "unknown":
        return _TOO_LOW[scope](_ADVICE[Scope(scope)].format(place=place))
    if is_invalid(error):
        return UrlBlocked(
            f"GitLab does not send to this hub's address, so {place} cannot have the webhook. Its administrator can "
            "allow the address (Admin area, Settings, Network, Outbound requests)."
        )
    return error


def some_stay(failed: "Sequence[tuple[Hook, HubError]]", *, of: int) -> HubError:
    """The refusal where some of the hooks that stand in for another one were not removed: that of the first project.

    A refusal goes before trouble that may pass, as only a person ends it. `details["remaining"]` names the first 20:
    `hook_id`, `target` (the project) and `code`.
    """
    refusals = [(hook, refusal(error, hook.scope, hook.target)) for hook, error in failed]
    hook, first = min(refusals, key=lambda pair: pair[1].retryable)
    named = [{"hook_id": one.id, "target": one.target, "code": error.code} for one, error in refusals[:_MOST_NAMED]]
    message = (
        f"{len(failed)} of the {of} project webhooks of this group webhook could not be removed, so it stays too; the "
        f"others are gone. {place_name(hook.scope, hook.target)}: {first}"
    )
    return type(first)(message, details={**first.details, "remaining": named}, retry_after=first.retry_after)


def is_invalid(error: HubError) -> bool:
    """Whether GitLab understood the request, and refused it as one that it does not take."""
    return isinstance(error, gitlab.UnexpectedResponse) and error.http_status in _INVALID


def limit_reached(scope: str, target: str | int | None) -> HookLimitReached:
    """The refusal where there are too many hooks already."""
    place = place_name(scope, target)
    return HookLimitReached(
        f"GitLab allows no further webhook for {place}. Remove one there that is not needed any more, or have an "
        "administrator raise the limit."
    )


def group_hooks_unavailable(target: str | int | None) -> GroupHooksUnavailable:
    """The refusal where hooks of groups are not part of the GitLab's licence."""
    return GroupHooksUnavailable(
        f"This GitLab has no webhooks for groups, so {place_name(Scope.GROUP, target)} cannot have one. Send "
        '"fallback": "project" to hang one on each of its projects.',
        details={"fallback": "project"},
    )
