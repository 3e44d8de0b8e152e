"""Putting a hook into GitLab so that it is there once, whatever became of earlier attempts."""

from gitlab_hub.gitlab.errors import Missing, UnexpectedResponse
from gitlab_hub.webhooks.hooks.errors import is_invalid, limit_reached
from gitlab_hub.webhooks.hooks.remote import HookCalls, Row
from gitlab_hub.webhooks.hooks.wire import EXTRAS, added, drift_of, wanted
from gitlab_hub.webhooks.model import Hook, HookStatus, Scope
from gitlab_hub.webhooks.secrets import HookSecrets

# GitLab's own limits: https://docs.gitlab.com/administration/instance_limits/#number-of-webhooks
_LIMITS = {Scope.PROJECT: 100, Scope.GROUP: 50}


async def place(calls: HookCalls, hook: Hook, secrets: HookSecrets) -> Row:
    """Make the hook, or take up the one that already has its address.

    The address names the hook's id, so whatever has it is an earlier attempt whose answer was lost. Its secrets may be
    those of another version, so they are sent again.
    """
    rows = await calls.all()
    found = sorted((row for row in rows if row.get("url") == hook.url), key=lambda row: int(row["id"]))
    for surplus in found[1:]:
        await calls.delete(surplus["id"])
    body = wanted(hook, secrets)
    if found:
        return await _cleared(calls, hook, await calls.update(found[0]["id"], body), secrets)
    return await _created(calls, hook, body, len(rows))


async def put(calls: HookCalls, hook: Hook, secrets: HookSecrets) -> Row:
    """Bring the hook in GitLab to what it is to be; make it anew where it is gone."""
    if hook.gitlab_hook_id is None:
        return await place(calls, hook, secrets)
    try:
        row = await calls.update(hook.gitlab_hook_id, wanted(hook, secrets))
    except Missing:
        return await place(calls, hook, secrets)
    return await _cleared(calls, hook, row, secrets)


async def revive(calls: HookCalls, hook: Hook, secrets: HookSecrets) -> Row:
    """Bring the hook in order, and replace one that GitLab has switched off for good: no change switches it on again.

    https://docs.gitlab.com/user/project/integrations/webhooks/#auto-disabled-webhooks
    """
    row = await put(calls, hook, secrets)
    if row.get("alert_status") != HookStatus.DISABLED:
        return row
    await calls.delete(row["id"])
    return await place(calls, hook, secrets)


async def _created(calls: HookCalls, hook: Hook, body: Row, others: int) -> Row:
    try:
        return await calls.create(body)
    except Missing:
        # Older GitLabs say 404 to a hook too many; that the list answered shows that the project is there.
        raise limit_reached(hook.scope, hook.target) from None
    except UnexpectedResponse as error:
        if is_invalid(error) and others >= _LIMITS.get(Scope(hook.scope), others + 1):
            raise limit_reached(hook.scope, hook.target) from None
        raise


async def _cleared(calls: HookCalls, hook: Hook, row: Row, secrets: HookSecrets) -> Row:
    """Take from a hook what a write leaves in it: headers and variables that somebody has added, key by key.

    The API of system hooks takes no template (lib/api/system_hooks.rb), though their page does: such a hook is
    replaced.
    """
    extras = [(listed, key) for listed in EXTRAS for key in added(row, listed)]
    for listed, key in extras:
        await calls.take_out(row["id"], listed, key)
    left = await calls.get(row["id"]) if extras else row
    return await _replaced(calls, hook, left, secrets) if "template" in drift_of(hook, left) else left


async def _replaced(calls: HookCalls, hook: Hook, old: Row, secrets: HookSecrets) -> Row:
    """Hang a new hook beside the old one, then remove that: whatever breaks off in between, one of them is there."""
    body = wanted(hook, secrets)
    beside = [row for row in await calls.all() if row.get("url") == hook.url and row["id"] != old["id"]]
    new = await calls.update(beside[0]["id"], body) if beside else await calls.create(body)
    await calls.delete(old["id"])
    return new
