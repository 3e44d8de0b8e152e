"""Registering a hook: its row first, then GitLab, so that a crash leaves a row to finish and never an unknown hook."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitlab_hub.errors import FeatureDisabled, NotFound
from gitlab_hub.gitlab.clients import GitLabConnection
from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.gitlab.webhooks.event_types import Scope
from gitlab_hub.ids import owned_id
from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.webhooks.hooks.errors import (
    GroupHooksUnavailable,
    HookLimitReached,
    is_definite,
    refusal,
)
from gitlab_hub.webhooks.hooks.gitlab_api import GitLabRunner, HooksApi, check_group_hooks, ensure
from gitlab_hub.webhooks.hooks.locks import LOCK_SECONDS, HookLocks
from gitlab_hub.webhooks.hooks.mapping import Place, Taken, find_place, system_place, unsupported, with_created
from gitlab_hub.webhooks.hooks.model import Hook, HookStatus, Mode, Verification

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

_SIGNS_SINCE = 19
_FIRST = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRequest:
    """What a caller wants registered."""

    scope: str
    target: str | int | None
    events: tuple[str, ...]
    mode: str
    fallback: bool = False
    """Whether hooks of its projects may stand in for a group's."""
    verification: str | None = None
    """Of a manual hook; None = a signature where this GitLab signs."""


class Registration:
    """Registers hooks."""

    def __init__(self, locks: HookLocks, runner: GitLabRunner, webhook_url: Callable[[], str]) -> None:
        self._locks, self._runner, self._webhook_url = locks, runner, webhook_url

    def register(
        self, integration_id: str, request: HookRequest, *, seed: str, note: Callable[[Hook], None] = lambda _: None
    ) -> Hook:
        """Register a hook, or find what an earlier attempt with the same seed has registered. Raises HubError.

        `note` is told of the hook right before anything is kept or sent.
        """
        request_key = digest(seed, "hook")
        known = self._locks.store.get(owned_id("hook", integration_id, request_key))
        if known is not None and not is_unfinished(known):
            return known
        check_request(request)
        connection = self._runner.connection(integration_id)
        if request.mode == Mode.AUTO:
            require_feature(connection)
        found = self._place(connection, request)
        new = self._new(request_key, connection, request, found)
        if request.mode == Mode.MANUAL:
            note(new)
            return self._locks.add(new)
        same = self._same(new)
        if same is not None and not is_unfinished(same):
            return same
        note(same or new)
        return self.complete(connection, self._begin(new, same), fallback=request.fallback)

    def complete(self, connection: GitLabConnection, locked: Hook, *, fallback: bool = False) -> Hook:
        """Finish a claimed hook; one that GitLab refuses is deleted. Raises HubError.

        `fallback`: where the GitLab has no hooks of groups, hooks of the group's projects are to stand in for it.
        """
        try:
            return self.finish(connection, locked)
        except GroupHooksUnavailable:
            if fallback:
                return self._locks.commit(
                    locked, lambda hook: replace(hook, uses_fallback=True, status=HookStatus.ACTIVE)
                )
            self._give_up(locked)
            raise
        except (GitLabError, HookLimitReached) as error:
            if is_definite(error):
                self._give_up(locked)
            else:
                self._locks.release(locked)
            raise refusal(error, locked.scope, locked.target) from None

    def finish(self, connection: GitLabConnection, locked: Hook) -> Hook:
        """Put a claimed hook into GitLab and note what came of it. Raises GitLabError or GroupHooksUnavailable."""

        async def work(gitlab: "GitLab") -> Taken:
            if locked.scope == Scope.GROUP:
                await check_group_hooks(gitlab, connection, locked)
            return await ensure(HooksApi(gitlab, locked.scope, locked.target_id), locked, self._locks.secrets)

        taken = self._runner.run(connection, work)
        try:
            return self._locks.commit(locked, lambda hook: with_created(hook, taken, now=self._locks.now()))
        except NotFound:
            # Removed meanwhile: whoever removed it could not know of this one.
            self._runner.run_for_hook(connection, locked, lambda calls: calls.delete(taken.id))
            raise

    def _begin(self, new: Hook, waiting: Hook | None) -> Hook:
        """Claim the row of this hook: that of an earlier unfinished one, or a new one."""
        if waiting is not None:
            return self._locks.acquire(waiting, lambda hook: replace(hook, events=new.events))
        return self._locks.add(replace(new, locked_until=self._locks.now() + LOCK_SECONDS))

    def _give_up(self, locked: Hook) -> None:
        """Delete a refused hook; one that an earlier attempt may have put into GitLab stays, to be looked up again."""
        if locked.version == 1:
            self._locks.discard(locked)
        else:
            self._locks.release(locked)

    def _place(self, connection: GitLabConnection, request: HookRequest) -> Place:
        if request.target is None or request.scope == Scope.SYSTEM:
            return system_place(connection)
        target = request.target
        try:
            return self._runner.run(connection, lambda gitlab: find_place(gitlab, connection, request.scope, target))
        except GitLabError as error:
            raise refusal(error, request.scope, request.target) from None

    def _same(self, new: Hook) -> Hook | None:
        """A hook that an earlier attempt left unfinished there, or finished without its caller having been told.

        A second hook of the same events in the same place would only send everything twice.
        """
        there = [hook for hook in self._locks.at_same_place(new) if is_rival(hook, new)]
        unfinished = (hook for hook in there if is_unfinished(hook))
        equal = (hook for hook in there if set(hook.events) == set(new.events))
        return next(unfinished, None) or next(equal, None)

    def _new(self, request_key: str, connection: GitLabConnection, request: HookRequest, found: Place) -> Hook:
        hook_id = owned_id("hook", connection.integration_id, request_key)
        now, is_manual = self._locks.now(), request.mode == Mode.MANUAL
        expected = request.verification or (
            Verification.SIGNATURE if signs(connection.gitlab_version) else Verification.TOKEN
        )
        return Hook(
            id=hook_id,
            integration_id=connection.integration_id,
            scope=request.scope,
            gitlab_hook_id=None,
            target_id=found.id,
            target=found.path,
            url=f"{self._webhook_url()}/{hook_id}",
            verification=expected if is_manual else Verification.TOKEN,
            events=request.events,
            status=HookStatus.MANUAL if is_manual else HookStatus.MISSING,
            secret_version=_FIRST,
            previous_version_until=0,
            created_at=now,
            updated_at=now,
            mode=request.mode,
        )


def is_unfinished(hook: Hook) -> bool:
    """Whether a hook was to be put into GitLab, and nobody knows whether it was."""
    return hook.is_ours and hook.gitlab_hook_id is None


def is_rival(hook: Hook, new: Hook) -> bool:
    """Whether a hook of the hub's own hangs where a new one is to hang."""
    is_own = hook.mode == Mode.AUTO and hook.parent_id is None
    return is_own and (hook.scope, hook.target_id) == (new.scope, new.target_id)


def require_feature(connection: GitLabConnection) -> None:
    """Refuse to touch hooks in GitLab where the integration was not given that right. Raises FeatureDisabled."""
    if not connection.manage_webhooks:
        raise FeatureDisabled(
            "This integration may not manage webhooks. Switch its feature manage_webhooks on, or use mode manual.",
            details={"feature": "manage_webhooks"},
        )


def check_request(request: HookRequest) -> None:
    """Refuse what no hook can be. Raises Unprocessable."""
    if request.target is None and request.scope != Scope.SYSTEM:
        raise _unprocessable("target", "missing", f"Name the {request.scope}: its id or full path.")
    if wrong := unsupported(request.scope, request.events):
        raise _unprocessable("events", "not_supported", f"Hooks of a {request.scope} do not send: {', '.join(wrong)}.")
    if request.fallback and (request.scope != Scope.GROUP or request.mode != Mode.AUTO):
        raise _unprocessable("fallback", "not_supported", "Only a group's hook of mode auto can fall back to projects.")


def signs(version: str | None) -> bool:
    """Whether a GitLab of this version signs deliveries; an unknown one does not."""
    major = (version or "").partition(".")[0]
    return major.isdecimal() and int(major) >= _SIGNS_SINCE


def digest(*parts: str) -> str:
    """The unique part of an id: 24 hex digits of what it is derived from."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def _unprocessable(field: str, problem: str, message: str) -> Unprocessable:
    return Unprocessable(message, details={"fields": [{"field": f"body.{field}", "problem": problem}]})
