"""Hooks and their events as JSON; secrets are only said to be there."""

from stand_in_gitlab.clock import iso, iso_or_none
from stand_in_gitlab.company.behaviour import Behaviour
from stand_in_gitlab.company.hook_model import Hook, HookEvent
from stand_in_gitlab.rest.shapes import Json
from stand_in_gitlab.webhooks.health import alert_status


def hook_row(hook: Hook, behaviour: Behaviour, now: float) -> Json:
    """A webhook; `token_present` and `signing_token_present` came with GitLab 19.0."""
    kind, owner_id = hook.owner
    owner = {"organization_id": 1} if kind == "system" else {f"{kind}_id": owner_id}
    present = {"token_present": bool(hook.token), "signing_token_present": bool(hook.signing_token)}
    return {
        "id": hook.id,
        "url": hook.url,
        "name": hook.name,
        "description": hook.description,
        "created_at": iso(hook.created),
        **owner,
        **hook.flags,
        "push_events_branch_filter": hook.branch_filter,
        "branch_filter_strategy": hook.filter_strategy,
        "alert_status": alert_status(hook, now),
        "disabled_until": iso_or_none(hook.disabled_until),
        "url_variables": [{"key": key} for key in hook.url_variables],
        "custom_webhook_template": hook.template,
        "custom_headers": [{"key": key} for key in hook.custom_headers],
        **({} if behaviour.ignore_signing_token else present),
    }


def event_row(event: HookEvent) -> Json:
    """A recorded attempt."""
    return {
        "id": event.id,
        "url": event.url,
        "trigger": event.trigger,
        "request_headers": event.request_headers,
        "request_data": event.request_data,
        "response_headers": event.response_headers,
        "response_body": event.response_body,
        "execution_duration": event.duration,
        "response_status": event.response_status,
        "created_at": iso(event.created),
    }
