"""Removing hooks: from GitLab first, then the row, so that no hook is left in GitLab that nobody knows of."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.webhooks.hooks.errors import refusal, some_stay
from gitlab_hub.webhooks.hooks.gitlab_api import GitLabRunner, HooksApi
from gitlab_hub.webhooks.hooks.locks import HookLocks
from gitlab_hub.webhooks.hooks.model import Hook, Mode
from gitlab_hub.webhooks.hooks.registration import require_feature

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

ALL_SECONDS = 15.0
"""For all hooks of an integration together: its removal answers within the gateway's 30 seconds."""

_AT_ONCE = 8


class HookRemovalResult(NamedTuple):
    """How many hooks were removed from GitLab, and the ids of those that may still be there."""

    deleted: int
    failed: list[str]


class HookRemoval:
    """Removes hooks."""

    def __init__(self, locks: HookLocks, runner: GitLabRunner, *, seconds: float = ALL_SECONDS) -> None:
        self._locks, self._runner, self._seconds = locks, runner, seconds

    def remove(self, integration_id: str, hook_id: str) -> None:
        """Remove one hook with those that stand in for it. Raises HubError; what was not removed then stays.

        A project that keeps its hook is named, and the others lose theirs: whoever repeats the call has the rest to do.
        """
        hook = self._locks.require(integration_id, hook_id)
        if hook.mode == Mode.AUTO:
            require_feature(self._runner.connection(integration_id))
        self._remove_children(hook, within=self._seconds)
        self.remove_one(hook)
        # Without the hook that they stand in for no more can be made; some may have been, a moment before. One that
        # GitLab keeps now stands in for nothing: the hourly check removes it.
        with suppress(HubError):
            self._remove_children(hook, within=self._seconds / 3)

    def remove_one(self, hook: Hook) -> None:
        """Remove a hook that nothing stands in for. Raises HubError; the hook then stays."""
        if hook.is_ours:
            connection = self._runner.connection(hook.integration_id)
            try:
                self._runner.run_for_hook(connection, hook, lambda calls: _delete(calls, hook))
            except GitLabError as error:
                raise refusal(error, hook.scope, hook.target) from None
        self._locks.delete(hook)

    def remove_all(self, integration_id: str) -> HookRemovalResult:
        """Remove every hook of an integration that goes, in about 15 seconds. No row stays: all get 401 from now on.

        Names the hooks that GitLab may still have; it gives up calling them by itself.
        """
        hooks = list(self._locks.of(integration_id))
        ours = [hook for hook in hooks if hook.is_ours]
        failed = self._delete_all(integration_id, ours, within=self._seconds)
        self._locks.delete_all(hooks)
        self._locks.store.delete_last_delivery(integration_id)
        return HookRemovalResult(len(ours) - len(failed), [hook.id for hook in ours if hook.id in failed])

    def delete_rows(self, integration_id: str) -> None:
        """Delete all rows of hooks of an integration that goes, and leave them in GitLab: all get 401 from now on."""
        self._locks.delete_all(list(self._locks.of(integration_id)))
        self._locks.store.delete_last_delivery(integration_id)

    def _remove_children(self, hook: Hook, *, within: float) -> None:
        """Remove what stands in for a hook. Raises HubError once all were tried; those that were not removed stay."""
        children = self._children(hook)
        failed = self._delete_all(hook.integration_id, children, within=within)
        for one in children:
            if one.id not in failed:
                self._locks.delete(one)
        if failed:
            raise some_stay([(one, failed[one.id]) for one in children if one.id in failed], of=len(children))

    def _delete_all(self, integration_id: str, hooks: Sequence[Hook], *, within: float) -> dict[str, HubError]:
        """Remove hooks from GitLab, as many as the time is enough for; by their ids, why others may still be there."""
        failed: dict[str, HubError] = {}
        pending = {hook.id for hook in hooks}
        slots = asyncio.Semaphore(_AT_ONCE)

        async def delete(gitlab: "GitLab", hook: Hook) -> None:
            async with slots:
                try:
                    await _delete(HooksApi(gitlab, hook.scope, hook.target_id), hook)
                except GitLabError as error:
                    failed[hook.id] = error
            pending.discard(hook.id)

        async def delete_each(gitlab: "GitLab") -> None:
            await asyncio.gather(*(delete(gitlab, hook) for hook in hooks))

        try:
            if hooks:
                self._runner.run(self._runner.connection(integration_id), delete_each, within=within)
        except HubError as error:
            failed |= dict.fromkeys(pending, error)
        return failed

    def _children(self, hook: Hook) -> Sequence[Hook]:
        return (
            [one for one in self._locks.of(hook.integration_id) if one.parent_id == hook.id]
            if hook.uses_fallback
            else []
        )


async def _delete(calls: HooksApi, hook: Hook) -> None:
    if hook.gitlab_hook_id is not None:
        await calls.delete(hook.gitlab_hook_id)
        return
    # Nobody knows whether it was made: its address tells.
    for row in await calls.all():
        if row.get("url") == hook.url:
            await calls.delete(row["id"])
