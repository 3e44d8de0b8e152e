"""Hooks in GitLab: the calls, and running them from code that blocks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from gitlab_hub.gitlab.clients import GitLabs, Reach
from gitlab_hub.gitlab.errors import (
    Forbidden,
    HostUnreachable,
    InsufficientScope,
    Missing,
    MissingPermissions,
    Unauthorized,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.links import numbered
from gitlab_hub.gitlab.options import Page
from gitlab_hub.gitlab.protocol import Scalar, segment
from gitlab_hub.webhooks.hooks.errors import group_hooks_unavailable
from gitlab_hub.webhooks.hooks.wire import hooks_path
from gitlab_hub.webhooks.model import Hook, Scope

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

T = TypeVar("T")
Row = Mapping[str, Any]

DEADLINE_SECONDS = 20.0
"""For all calls of one step: a request through the gateway lives for 30 seconds."""

MAX_HOOKS = 1000
MOST_EVENTS = 20
"""GitLab's pages of deliveries have no more rows (lib/api/hooks/events.rb)."""

_OWNER = 50


class HookCalls:
    """The hooks of one project, group or system, as calls of one client."""

    def __init__(self, gitlab: "GitLab", scope: str, target_id: int | None) -> None:
        self._gitlab, self._path = gitlab, hooks_path(scope, target_id)

    async def all(self) -> list[Row]:
        """Every hook there is, up to a bound that no GitLab reaches."""
        rows: list[Row] = []
        async for page in self._gitlab.pages(self._path):
            rows += page.rows
            if len(rows) >= MAX_HOOKS:
                break
        return rows

    async def get(self, hook_id: int) -> Row:
        """One hook. Raises Missing."""
        return _row((await self._gitlab.get(f"{self._path}/{hook_id}")).body)

    async def create(self, body: Row) -> Row:
        """Make a hook."""
        return _row((await self._gitlab.send("POST", self._path, dict(body))).body)

    async def update(self, hook_id: int, body: Row) -> Row:
        """Change a hook. Raises Missing."""
        return _row((await self._gitlab.send("PUT", f"{self._path}/{hook_id}", dict(body))).body)

    async def delete(self, hook_id: int) -> None:
        """Remove a hook; one that is gone already is removed."""
        try:
            await self._gitlab.send("DELETE", f"{self._path}/{hook_id}")
        except Missing:
            return

    async def take_out(self, hook_id: int, listed: str, key: str) -> None:
        """Take one header (17.1+) or variable of the address (15.2+) out of a hook; one that is gone is out."""
        try:
            await self._gitlab.send("DELETE", f"{self._path}/{hook_id}/{listed}/{segment(key)}")
        except Missing:
            return

    async def test(self, hook_id: int, trigger: str | None) -> bool:
        """Have GitLab send a sample; False where it could not, or did not get a 2xx. System hooks name no trigger."""
        named = "" if trigger is None else f"/test/{trigger}"
        try:
            await self._gitlab.send("POST", f"{self._path}/{hook_id}{named}")
        except UnexpectedResponse as error:
            if error.http_status == HTTPStatus.UNPROCESSABLE_ENTITY:
                return False
            raise
        return True

    def events(
        self, hook_id: int, status: str | None, *, page: int = 1, per_page: int = MOST_EVENTS
    ) -> AsyncIterator[Page]:
        """The deliveries of the last seven days from a page on, newest first (17.3+).

        `status` None: all; otherwise those that failed in this way.
        """
        params: dict[str, Scalar] = {} if status is None else {"status": status}
        cursor = None if page == 1 else numbered(page, ())
        return self._gitlab.pages(f"{self._path}/{hook_id}/events", params, cursor=cursor, per_page=per_page)

    async def resend(self, hook_id: int, event_id: int) -> bool:
        """Have GitLab send a delivery again (17.4+, five a minute); False where it could not be delivered."""
        try:
            await self._gitlab.send("POST", f"{self._path}/{hook_id}/events/{event_id}/resend")
        except (Missing, UnexpectedResponse) as error:
            if error.http_status in (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY):
                return False
            raise
        return True


class Remote:
    """Opens clients for integrations and runs their calls to the end."""

    def __init__(self, gitlabs: GitLabs, *, deadline: float = DEADLINE_SECONDS) -> None:
        self._gitlabs, self._deadline = gitlabs, deadline

    def reach(self, integration_id: str) -> Reach:
        """What is known of an integration. Raises Unauthorized where it has no credential."""
        reach = self._gitlabs.reach(integration_id)
        if reach is None:
            raise Unauthorized("The integration has no credential. Give it one first.", details={"reason": "unknown"})
        return reach

    def run(self, reach: Reach, work: "Callable[[GitLab], Awaitable[T]]", *, within: float | None = None) -> T:
        """Do some calls in one client. Raises HostUnreachable where they take too long together."""
        return asyncio.run(self._run(reach, work, min(self._deadline, within or self._deadline)))

    def on(self, reach: Reach, hook: Hook, work: Callable[[HookCalls], Awaitable[T]]) -> T:
        """Do some calls where a hook hangs."""
        return self.run(reach, lambda gitlab: work(HookCalls(gitlab, hook.scope, hook.target_id)))

    async def _run(self, reach: Reach, work: "Callable[[GitLab], Awaitable[T]]", seconds: float) -> T:
        try:
            async with asyncio.timeout(seconds), self._gitlabs.open(reach) as gitlab:
                return await work(gitlab)
        except TimeoutError:
            raise HostUnreachable("GitLab took too long; try again.") from None


async def check_group_hooks(gitlab: "GitLab", reach: Reach, hook: Hook) -> None:
    """Make sure that a group can have hooks, and tell "not in this GitLab" from "not for this user".

    Where hooks of groups are missing from the licence GitLab answers 403 or 404, as it does to somebody who may not.
    """
    group_id = hook.target_id or 0
    try:
        await gitlab.get(hooks_path(Scope.GROUP, group_id), {"per_page": 1})
    except (InsufficientScope, MissingPermissions):
        raise
    except Missing:
        raise group_hooks_unavailable(hook.target) from None
    except Forbidden:
        if await _owns(gitlab, reach, group_id):
            raise group_hooks_unavailable(hook.target) from None
        raise


async def _owns(gitlab: "GitLab", reach: Reach, group_id: int) -> bool:
    if reach.is_admin:
        return True
    try:
        member = (await gitlab.get(f"/groups/{group_id}/members/all/{reach.user_id}")).body
    except (Missing, Forbidden):
        return False
    level = member.get("access_level") if isinstance(member, dict) else None
    return isinstance(level, int) and level >= _OWNER


def _row(body: Any) -> Row:
    if not isinstance(body, dict) or type(body.get("id")) is not int:
        raise UnexpectedResponse("GitLab's answer is no webhook.")
    return body
