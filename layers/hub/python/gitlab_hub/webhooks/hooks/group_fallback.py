"""Hooks of a group's projects in place of one that the group cannot have: a few at a time, from where it stopped."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.gitlab.clients import GitLabConnection
from gitlab_hub.gitlab.errors import GitLabError, RateLimited, ReadOnly, Unauthorized
from gitlab_hub.gitlab.fields import first_id, first_text, is_within
from gitlab_hub.gitlab.keyset import keyset_pages
from gitlab_hub.gitlab.messages import Scalar
from gitlab_hub.gitlab.options import Page
from gitlab_hub.gitlab.webhooks.event_types import Scope
from gitlab_hub.ids import owned_id
from gitlab_hub.storage.ports import StorageRefused
from gitlab_hub.webhooks.hooks.errors import HookBusy, ScopeInsufficient
from gitlab_hub.webhooks.hooks.gitlab_api import GitLabRunner
from gitlab_hub.webhooks.hooks.locks import LOCK_SECONDS, HookLocks
from gitlab_hub.webhooks.hooks.mapping import FLAGS
from gitlab_hub.webhooks.hooks.model import FALLBACK_SECONDS, Hook, HookStatus, Verification
from gitlab_hub.webhooks.hooks.registration import Registration, digest, is_unfinished
from gitlab_hub.webhooks.hooks.scopes import place_of, with_place

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

RESERVE_SECONDS = 5.0
_OF_ALL = (RateLimited, ReadOnly, ScopeInsufficient, StorageRefused, Unauthorized)
"""What the next project would meet as well."""

_PAGE = 20


class ProjectFallback:
    """Hangs hooks on the projects of groups."""

    def __init__(self, locks: HookLocks, runner: GitLabRunner, registration: Registration) -> None:
        self._locks, self._runner, self._registration = locks, runner, registration

    def work(self, connection: GitLabConnection, parent: Hook, remaining: Callable[[], float]) -> Hook:
        """Go on with a group's projects while there is time. Raises HubError where going on is pointless for now.

        A project that refuses its hook is counted and passed over.
        """
        if _is_due_again(parent, self._locks.now()):
            parent = self._locks.store.change(parent.id, _restart)
        if parent.fallback_done_at is None:
            # By its id: whatever the group is called by now, what lies below it is its own.
            place = self._runner.run(connection, lambda gitlab: place_of(gitlab, parent))
            parent = self._locks.store.change(parent.id, lambda stored: with_place(stored, place))
        while parent.fallback_done_at is None and remaining() > RESERVE_SECONDS:
            page = self._page(connection, parent)
            failed = 0
            for row in page.rows:
                if remaining() <= RESERVE_SECONDS:
                    return parent
                failed += not self._register(connection, parent, row)
            parent = self._next_page(parent, page, failed)
        return parent

    def _page(self, connection: GitLabConnection, parent: Hook) -> Page:
        return self._runner.run(connection, lambda gitlab: _projects(gitlab, parent))

    def _register(self, connection: GitLabConnection, parent: Hook, row: Mapping[str, Any]) -> bool:
        """Hang a hook on one project; False where it refuses."""
        child = self._child(parent, row)
        if child is None:
            return True
        known = self._locks.store.get(child.id)
        if known is not None and not is_unfinished(known):
            return True
        try:
            locked = self._locks.acquire(known) if known else self._locks.add(child)
            self._registration.complete(connection, locked)
        except (NotFound, HookBusy):
            return True  # It, or the group's hook, was removed; or somebody else is at it.
        except HubError as error:
            if isinstance(error, _OF_ALL) or (error.retryable and not self._is_of_one_project(connection, error)):
                raise
            return False
        return True

    def _is_of_one_project(self, connection: GitLabConnection, error: HubError) -> bool:
        """Whether GitLab fails at this project alone, perhaps for weeks: its hook is finished by itself, or never."""
        return isinstance(error, GitLabError) and self._runner.answers(connection)

    def _child(self, parent: Hook, row: Mapping[str, Any]) -> Hook | None:
        number, path = first_id(row, "id"), first_text(row, "path_with_namespace")
        if number is None or path is None or not is_within(path, parent.target):
            return None
        now, unique = self._locks.now(), digest(parent.id, str(number))
        # Behind all others in the order of ids: whoever reads a first page of hooks finds those that people made.
        hook_id = owned_id("hook", parent.integration_id, f"z{unique}")
        if self._locks.store.get(old := owned_id("hook", parent.integration_id, unique)) is not None:
            hook_id = old  # One that a release made which did not order them.
        return Hook(
            id=hook_id,
            integration_id=parent.integration_id,
            scope=Scope.PROJECT,
            gitlab_hook_id=None,
            target_id=number,
            target=path,
            url=parent.url.removesuffix(parent.id) + hook_id,
            verification=Verification.TOKEN,
            events=tuple(event for event in parent.events if event in FLAGS[Scope.PROJECT]),
            status=HookStatus.MISSING,
            secret_version=1,
            previous_version_until=0,
            created_at=now,
            updated_at=now,
            parent_id=parent.id,
            locked_until=now + LOCK_SECONDS,
        )

    def _next_page(self, parent: Hook, page: Page, failed: int) -> Hook:
        now, before = self._locks.now(), parent.fallback_cursor

        def advanced(stored: Hook) -> Hook | None:
            if stored.fallback_cursor != before or stored.fallback_done_at is not None:
                return None  # Somebody else has gone through this page.
            done = now if page.next is None else None
            return replace(
                stored,
                fallback_cursor=page.next,
                fallback_done_at=done,
                checked_at=now,
                fallback_failed=stored.fallback_failed + failed,
            )

        return self._locks.store.change(parent.id, advanced)


async def _projects(gitlab: "GitLab", parent: Hook) -> Page:
    params: dict[str, Scalar] = {
        "include_subgroups": True,
        "with_shared": False,
        "archived": False,
        "order_by": "id",
        "sort": "asc",
    }
    path = f"/groups/{parent.target_id}/projects"
    return await anext(keyset_pages(gitlab, path, params, cursor=parent.fallback_cursor, per_page=_PAGE))


def _is_due_again(parent: Hook, now: int) -> bool:
    return parent.fallback_done_at is not None and parent.fallback_done_at + FALLBACK_SECONDS <= now


def _restart(parent: Hook) -> Hook:
    return replace(parent, fallback_done_at=None, fallback_cursor=None, fallback_failed=0)
