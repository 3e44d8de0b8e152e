"""New secrets for a hook, while deliveries with the old ones are under way."""

from dataclasses import dataclass, replace

from gitlab_hub.errors import Conflict, NotFound
from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.webhooks.hooks.errors import HookLimitReached, HookNotManaged, is_definite, refusal
from gitlab_hub.webhooks.hooks.gitlab_api import GitLabRunner, upsert
from gitlab_hub.webhooks.hooks.locks import HookLocks
from gitlab_hub.webhooks.hooks.mapping import with_created
from gitlab_hub.webhooks.hooks.model import Hook, Mode
from gitlab_hub.webhooks.hooks.registration import digest, require_feature

OPEN_SECONDS = 30 * 86_400
"""How long both versions count where nobody knows which of them GitLab has; the next repair ends it."""

REMEMBERED = 8
"""How many requests for a rotation a hook remembers: those of the last day, as callers repeat them."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """A hook, and the version of the secrets that this request made."""

    hook: Hook
    version: int


class Rotation:
    """Rotates secrets."""

    def __init__(self, locks: HookLocks, runner: GitLabRunner) -> None:
        self._locks, self._runner = locks, runner

    def rotate(self, integration_id: str, hook_id: str, *, grace_seconds: int, seed: str) -> Rotated:
        """Make the next version; the one before is accepted until the grace is over. The same seed makes it once.

        Where GitLab refuses, nothing has changed. Where its answer was lost, both versions count until a repair.
        """
        hook = self._locks.require(integration_id, hook_id)
        if hook.uses_fallback:
            raise HookNotManaged("Hooks of the group's projects stand in for this one; rotate theirs.")
        request_key = digest(seed, "rotate")
        made = version_made(hook, request_key)
        if made is not None and hook.rotating is None:
            return Rotated(hook, made)
        if hook.mode == Mode.MANUAL:
            return self._manual(hook, request_key, grace_seconds)
        return self._auto(hook, request_key if made is None else None, grace_seconds)

    def _manual(self, hook: Hook, request_key: str, grace: int) -> Rotated:
        now = self._locks.now()
        locked = self._locks.acquire_for_rotation(
            hook, lambda one: with_attempt(_with_grace(one, now + grace, now), request_key)
        )
        return Rotated(self._locks.release(locked), locked.secret_version)

    def _auto(self, before: Hook, request_key: str | None, grace: int) -> Rotated:
        """Rotate a hook of GitLab's. `request` None: this rotation was begun before, and is to be finished."""
        connection = self._runner.connection(before.integration_id)
        require_feature(connection)
        now = self._locks.now()
        if request_key is None:
            locked = self._locks.acquire(before)
        elif before.rotating is not None:
            raise Conflict("An earlier rotation is still open; repair the webhook first.", retry_after=60)
        else:
            opened = replace(before, rotating=grace)
            locked = self._locks.acquire_for_rotation(
                opened, lambda one: with_attempt(_with_rotation_open(one, grace, now), request_key)
            )
        try:
            taken = self._runner.run_for_hook(
                connection, locked, lambda calls: upsert(calls, locked, self._locks.secrets)
            )
        except (GitLabError, HookLimitReached) as error:
            self._fail(before, locked, is_unchanged=request_key is not None and is_definite(error))
            raise refusal(error, before.scope, before.target) from None
        try:
            kept = self._locks.commit(
                locked, lambda one: finish_rotation(with_created(one, taken, now=self._locks.now()))
            )
        except NotFound:
            # Removed meanwhile: whoever removed it could not know of one that was made anew.
            self._runner.run_for_hook(connection, locked, lambda calls: calls.delete(taken.id))
            raise
        return Rotated(kept, locked.secret_version)

    def _fail(self, before: Hook, locked: Hook, *, is_unchanged: bool) -> None:
        if not is_unchanged:
            self._locks.release(locked)
            return
        self._locks.commit(locked, lambda one: _restored(one, before))


def with_attempt(hook: Hook, request_key: str) -> Hook:
    """Remember which version a request makes, so that the same request does not make another."""
    entry = f"{request_key} {hook.secret_version + 1}"
    return replace(hook, attempts=(*hook.attempts, entry)[-REMEMBERED:])


def version_made(hook: Hook, request_key: str) -> int | None:
    """The version that a request made, as far as it is remembered."""
    versions = dict(entry.split(" ", 1) for entry in hook.attempts)
    return int(versions[request_key]) if request_key in versions else None


def finish_rotation(hook: Hook) -> Hook:
    """End a rotation that was open: GitLab has the new version now, and the grace of the old one begins."""
    if hook.rotating is None:
        return hook
    return replace(hook, rotating=None, previous_version_until=hook.updated_at + hook.rotating)


def _with_rotation_open(hook: Hook, grace: int, now: int) -> Hook:
    return replace(hook, rotating=grace, previous_version_until=now + OPEN_SECONDS)


def _with_grace(hook: Hook, until: int, now: int) -> Hook:
    return replace(hook, previous_version_until=until, updated_at=now)


def _restored(hook: Hook, before: Hook) -> Hook:
    return replace(
        hook,
        secret_version=before.secret_version,
        previous_version_until=before.previous_version_until,
        rotating=None,
        attempts=before.attempts,
    )
