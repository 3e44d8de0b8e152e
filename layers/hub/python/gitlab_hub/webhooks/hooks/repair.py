"""Comparing a hook with GitLab, and bringing it in order again."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.clients import GitLabConnection
from gitlab_hub.gitlab.errors import GitLabError, ResourceNotFound
from gitlab_hub.gitlab.fields import is_within
from gitlab_hub.gitlab.webhooks.event_types import BY_NAME, Scope
from gitlab_hub.webhooks.hooks.errors import HookLimitReached, HookNotManaged, place_name, refusal
from gitlab_hub.webhooks.hooks.gitlab_api import GitLabRunner, HooksApi, Row, recreate_if_disabled, upsert
from gitlab_hub.webhooks.hooks.locks import HookLocks
from gitlab_hub.webhooks.hooks.mapping import Place, with_created, with_observed
from gitlab_hub.webhooks.hooks.model import Hook, HookStatus
from gitlab_hub.webhooks.hooks.registration import require_feature
from gitlab_hub.webhooks.hooks.rotation import finish_rotation
from gitlab_hub.webhooks.hooks.scopes import place_of, with_place

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab


class Repair:
    """Looks at hooks, repairs and tests them."""

    def __init__(self, locks: HookLocks, runner: GitLabRunner, webhook_url: Callable[[], str]) -> None:
        self._locks, self._runner, self._webhook_url = locks, runner, webhook_url

    def compare(self, connection: GitLabConnection, hook: Hook) -> Hook:
        """Compare a hook with GitLab's row of it, and note what was seen. Raises GitLabError."""
        row, place = self._runner.run(connection, lambda gitlab: _found(gitlab, hook))
        now = self._locks.now()

        def looked(stored: Hook) -> Hook | None:
            # What was seen is of yesterday where somebody has changed the hook since, or is about to.
            if stored.locked_until > now or _in_gitlab(stored) != _in_gitlab(hook):
                return None
            looked_at = stored if place is None else with_place(stored, place)
            return _missing(looked_at, now) if row is None else with_observed(looked_at, row, now=now)

        return self._locks.note(hook.id, looked)

    def has_left(self, connection: GitLabConnection, child: Hook, parent: Hook) -> bool:
        """Whether a project is no longer in the group whose hook one of its own stands in for. Raises GitLabError.

        GitLab is asked where the group is by now before that is believed: it may have been renamed.
        """
        if is_within(child.target, parent.target):
            return False
        place = self._runner.run(connection, lambda gitlab: place_of(gitlab, parent))
        self._locks.store.change(parent.id, lambda stored: with_place(stored, place))
        return not is_within(child.target, place.path)

    def repair_now(
        self, connection: GitLabConnection, hook: Hook, *, even_disabled: bool, url: str | None = None
    ) -> Hook:
        """Bring a hook in order, secrets included; with `even_disabled` one that GitLab switched off too.

        `url` is a new address for it. Raises GitLabError; then the next repair goes on.
        """
        locked = self._locks.acquire(hook, lambda one: replace(one, url=url or one.url))
        progress = recreate_if_disabled if even_disabled else upsert
        try:
            taken = self._runner.run_for_hook(
                connection, locked, lambda calls: progress(calls, locked, self._locks.secrets)
            )
        except (GitLabError, HookLimitReached):
            self._locks.release(locked)
            raise
        try:
            return self._locks.commit(
                locked, lambda one: finish_rotation(with_created(one, taken, now=self._locks.now()))
            )
        except NotFound:
            # Removed meanwhile: whoever removed it could not know of one that was made anew.
            self._runner.run_for_hook(connection, locked, lambda calls: calls.delete(taken.id))
            raise

    def repair(self, integration_id: str, hook_id: str) -> Hook:
        """Repair on request: what is gone is made anew, what is switched off is replaced. Raises HubError."""
        connection, hook = self._managed(integration_id, hook_id)
        try:
            return self.repair_now(connection, hook, even_disabled=True, url=self._moved_to(hook))
        except GitLabError as error:
            raise refusal(error, hook.scope, hook.target) from None

    def test(self, integration_id: str, hook_id: str) -> bool:
        """Have GitLab send a sample of the hook's first event; False where it could not. Raises HubError."""
        connection, hook = self._managed(integration_id, hook_id)
        number = hook.gitlab_hook_id
        if number is None:
            raise HookNotManaged(
                f"The webhook of {place_name(hook.scope, hook.target)} is not in GitLab yet; repair it first."
            )
        trigger = trigger_of(hook)
        try:
            return self._runner.run_for_hook(connection, hook, lambda calls: calls.test(number, trigger))
        except ResourceNotFound:
            raise HookNotManaged(
                f"GitLab does not have the webhook of {place_name(hook.scope, hook.target)} any more, or cannot test; "
                "repair it first."
            ) from None
        except GitLabError as error:
            raise refusal(error, hook.scope, hook.target) from None

    def _moved_to(self, hook: Hook) -> str | None:
        """The hook's address under the hub's present one, in case the deployer has moved it.

        An unfinished hook may be in GitLab under its old address, by which alone it can be found.
        """
        base = self._webhook_url()
        return f"{base}/{hook.id}" if base.startswith("http") and hook.gitlab_hook_id is not None else None

    def _managed(self, integration_id: str, hook_id: str) -> tuple[GitLabConnection, Hook]:
        hook = self._locks.require(integration_id, hook_id)
        if not hook.is_ours:
            place = place_name(hook.scope, hook.target)
            raise HookNotManaged(f"The hub does not keep the webhook of {place} in GitLab: look after it there.")
        connection = self._runner.connection(integration_id)
        require_feature(connection)
        return connection, hook


def trigger_of(hook: Hook) -> str | None:
    """What GitLab calls the sample to send; a system hook has but one."""
    return None if hook.scope == Scope.SYSTEM else BY_NAME[hook.events[0]].flag


async def _found(gitlab: "GitLab", hook: Hook) -> tuple[Row | None, Place | None]:
    """GitLab's row of a hook, and where its project or group is now; None for what GitLab does not show.

    What it is called is a matter of names: that nobody can say keeps no hook from being looked after.
    """
    if hook.target_id is None and hook.scope != Scope.SYSTEM:
        hook = with_place(hook, await place_of(gitlab, hook))
    row = await _row_of(HooksApi(gitlab, hook.scope, hook.target_id), hook)
    if row is None or hook.scope == Scope.SYSTEM:
        return row, None
    try:
        return row, await place_of(gitlab, hook)
    except GitLabError:
        return row, None


async def _row_of(calls: HooksApi, hook: Hook) -> Row | None:
    if hook.gitlab_hook_id is None:
        return None
    try:
        return await calls.get(hook.gitlab_hook_id)
    except ResourceNotFound:
        return None


def _in_gitlab(hook: Hook) -> tuple[object, ...]:
    """What a change in GitLab would have changed in the row."""
    return hook.gitlab_hook_id, hook.secret_version, hook.updated_at


def _missing(hook: Hook, now: int) -> Hook:
    return replace(hook, status=HookStatus.MISSING, drift=(), checked_at=now)
