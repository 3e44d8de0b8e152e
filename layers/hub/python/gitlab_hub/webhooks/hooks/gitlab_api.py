"""Hooks in GitLab: the calls, and running them from code that blocks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    HostUnreachable,
    InsufficientScope,
    MissingPermissions,
    ResourceNotFound,
    Unauthorized,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.fields import first_id, mapping, number
from gitlab_hub.gitlab.link_header import numbered
from gitlab_hub.gitlab.messages import Scalar, segment
from gitlab_hub.gitlab.options import Page, Reply
from gitlab_hub.gitlab.webhooks.event_types import Scope
from gitlab_hub.webhooks.hooks.errors import group_hooks_unavailable, is_invalid, limit_reached
from gitlab_hub.webhooks.hooks.mapping import EXTRAS, Taken, added, diff, hooks_path, to_gitlab
from gitlab_hub.webhooks.hooks.model import Hook, HookStatus
from gitlab_hub.webhooks.hooks.secrets import HookSecrets

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab


T = TypeVar("T")
Row = Mapping[str, Any]

DEADLINE_SECONDS = 20.0
"""For all calls of one step: a request through the gateway lives for 30 seconds."""

ANSWER_SECONDS = 10.0
"""For the question whether GitLab answers at all, which comes on top of what took too long."""

MAX_HOOKS = 1000
MOST_EVENTS = 20
"""GitLab's pages of deliveries have no more rows (lib/api/hooks/events.rb)."""

_OWNER = 50


class HooksApi:
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
        """One hook. Raises ResourceNotFound."""
        return _row((await self._gitlab.get(f"{self._path}/{hook_id}")).body)

    async def create(self, body: Row) -> Taken:
        """Make a hook."""
        return _taken(await self._gitlab.send("POST", self._path, dict(body)))

    async def update(self, hook_id: int, body: Row) -> Taken:
        """Change a hook. Raises ResourceNotFound."""
        return _taken(await self._gitlab.send("PUT", f"{self._path}/{hook_id}", dict(body)))

    async def delete(self, hook_id: int) -> None:
        """Remove a hook; one that is gone already is removed."""
        try:
            await self._gitlab.send("DELETE", f"{self._path}/{hook_id}")
        except ResourceNotFound:
            return

    async def remove_extra(self, hook_id: int, listed: str, key: str) -> None:
        """Take one header (17.1+) or variable of the address (15.2+) out of a hook; one that is gone is out."""
        try:
            await self._gitlab.send("DELETE", f"{self._path}/{hook_id}/{listed}/{segment(key)}")
        except ResourceNotFound:
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
        except (ResourceNotFound, UnexpectedResponse) as error:
            if error.http_status in (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY):
                return False
            raise
        return True


class GitLabRunner:
    """Opens clients for integrations and runs their calls to the end."""

    def __init__(self, gitlabs: GitLabs, *, deadline: float = DEADLINE_SECONDS) -> None:
        self._gitlabs, self._deadline = gitlabs, deadline

    def connection(self, integration_id: str) -> GitLabConnection:
        """What is known of an integration. Raises Unauthorized where it has no credential."""
        connection = self._gitlabs.connection(integration_id)
        if connection is None:
            raise Unauthorized("The integration has no credential. Give it one first.", details={"reason": "unknown"})
        return connection

    def run(
        self, connection: GitLabConnection, work: "Callable[[GitLab], Awaitable[T]]", *, within: float | None = None
    ) -> T:
        """Do some calls in one client. Raises HostUnreachable where they take too long together."""
        return asyncio.run(self._run(connection, work, min(self._deadline, within or self._deadline)))

    def run_for_hook(self, connection: GitLabConnection, hook: Hook, work: Callable[[HooksApi], Awaitable[T]]) -> T:
        """Do some calls where a hook hangs."""
        return self.run(connection, lambda gitlab: work(HooksApi(gitlab, hook.scope, hook.target_id)))

    def answers(self, connection: GitLabConnection) -> bool:
        """Whether GitLab answers a plain question; then trouble with one project is that project's, not GitLab's."""
        try:
            self.run(connection, lambda gitlab: gitlab.get("/user"), within=ANSWER_SECONDS)
        except (Forbidden, ResourceNotFound):
            return True  # A fine-grained token may not read its user; to say so, GitLab has to know it.
        except GitLabError:
            return False
        return True

    async def _run(self, connection: GitLabConnection, work: "Callable[[GitLab], Awaitable[T]]", seconds: float) -> T:
        try:
            async with asyncio.timeout(seconds), self._gitlabs.open(connection) as gitlab:
                return await work(gitlab)
        except TimeoutError:
            raise HostUnreachable("GitLab took too long; try again.") from None


async def check_group_hooks(gitlab: "GitLab", connection: GitLabConnection, hook: Hook) -> None:
    """Make sure that a group can have hooks, and tell "not in this GitLab" from "not for this user".

    Where hooks of groups are missing from the licence GitLab answers 403 or 404, as it does to somebody who may not.
    """
    group_id = hook.target_id or 0
    try:
        await gitlab.get(hooks_path(Scope.GROUP, group_id), {"per_page": 1})
    except (InsufficientScope, MissingPermissions):
        raise
    except ResourceNotFound:
        raise group_hooks_unavailable(hook.target) from None
    except Forbidden:
        if await _owns(gitlab, connection, group_id):
            raise group_hooks_unavailable(hook.target) from None
        raise


async def _owns(gitlab: "GitLab", connection: GitLabConnection, group_id: int) -> bool:
    if connection.is_admin:
        return True
    try:
        member = (await gitlab.get(f"/groups/{group_id}/members/all/{connection.user_id}")).body
    except (ResourceNotFound, Forbidden):
        return False
    return (number(mapping(member).get("access_level")) or 0) >= _OWNER


def _taken(reply: Reply) -> Taken:
    at = reply.server_time
    return Taken(_row(reply.body), None if at is None else int(at.timestamp()))


def _row(body: Any) -> Row:
    row = mapping(body)
    if first_id(row, "id") is None:
        raise UnexpectedResponse("GitLab's answer is no webhook.")
    return row


# Putting a hook into GitLab so that it is there once, whatever became of earlier attempts.

# GitLab's own limits: https://docs.gitlab.com/administration/instance_limits/#number-of-webhooks
_LIMITS = {Scope.PROJECT: 100, Scope.GROUP: 50}


async def ensure(calls: HooksApi, hook: Hook, secrets: HookSecrets) -> Taken:
    """Make the hook, or take up the one that already has its address.

    The address names the hook's id, so whatever has it is an earlier attempt whose answer was lost. Its secrets may be
    those of another version, so they are sent again.
    """
    rows = await calls.all()
    found = sorted((row for row in rows if row.get("url") == hook.url), key=lambda row: int(row["id"]))
    for surplus in found[1:]:
        await calls.delete(surplus["id"])
    body = to_gitlab(hook, secrets)
    if found:
        return await _cleared(calls, hook, await calls.update(found[0]["id"], body), secrets)
    return await _created(calls, hook, body, len(rows))


async def upsert(calls: HooksApi, hook: Hook, secrets: HookSecrets) -> Taken:
    """Bring the hook in GitLab to what it is to be; make it anew where it is gone."""
    if hook.gitlab_hook_id is None:
        return await ensure(calls, hook, secrets)
    try:
        taken = await calls.update(hook.gitlab_hook_id, to_gitlab(hook, secrets))
    except ResourceNotFound:
        return await ensure(calls, hook, secrets)
    return await _cleared(calls, hook, taken, secrets)


async def recreate_if_disabled(calls: HooksApi, hook: Hook, secrets: HookSecrets) -> Taken:
    """Bring the hook in order, and replace one that GitLab has switched off for good: no change switches it on again.

    https://docs.gitlab.com/user/project/integrations/webhooks/#auto-disabled-webhooks
    """
    taken = await upsert(calls, hook, secrets)
    if taken.row.get("alert_status") != HookStatus.DISABLED:
        return taken
    await calls.delete(taken.id)
    return await ensure(calls, hook, secrets)


async def _created(calls: HooksApi, hook: Hook, body: Row, others: int) -> Taken:
    try:
        return await calls.create(body)
    except ResourceNotFound:
        # Older GitLabs say 404 to a hook too many; that the list answered shows that the project is there.
        raise limit_reached(hook.scope, hook.target) from None
    except UnexpectedResponse as error:
        if is_invalid(error) and others >= _LIMITS.get(Scope(hook.scope), others + 1):
            raise limit_reached(hook.scope, hook.target) from None
        raise


async def _cleared(calls: HooksApi, hook: Hook, taken: Taken, secrets: HookSecrets) -> Taken:
    """Take from a hook what a write leaves in it: headers and variables that somebody has added, key by key.

    The API of system hooks takes no template (lib/api/system_hooks.rb), though their page does: such a hook is
    replaced.
    """
    extras = [(listed, key) for listed in EXTRAS for key in added(taken.row, listed)]
    for listed, key in extras:
        await calls.remove_extra(taken.id, listed, key)
    left = replace(taken, row=await calls.get(taken.id)) if extras else taken
    return await _replaced(calls, hook, left, secrets) if "template" in diff(hook, left.row) else left


async def _replaced(calls: HooksApi, hook: Hook, old: Taken, secrets: HookSecrets) -> Taken:
    """Hang a new hook beside the old one, then remove that: whatever breaks off in between, one of them is there."""
    body = to_gitlab(hook, secrets)
    beside = [row for row in await calls.all() if row.get("url") == hook.url and row["id"] != old.id]
    new = await calls.update(beside[0]["id"], body) if beside else await calls.create(body)
    await calls.delete(old.id)
    return new
