"""Reads what a caller says about a hook."""

import re
from typing import Any

from stand_in_gitlab.company.behaviour import Behaviour
from stand_in_gitlab.company.hook_model import Hook
from stand_in_gitlab.company.hooks import FLAGS
from stand_in_gitlab.rest.refusals import bad_request, unprocessable
from stand_in_gitlab.webhooks.request import signing_key

STRATEGIES = frozenset({"wildcard", "regex", "all_branches"})
INVALID_URL = "Invalid url given"


def wanted_url(sent: dict[str, Any], behaviour: Behaviour) -> str:
    """The address; 422 in GitLab's words if it is none, or one that the instance blocks."""
    url = str(sent.get("url") or "")
    if not url:
        raise bad_request("url is missing")
    if not url.startswith(("http://", "https://")) or behaviour.blocks(url):
        raise unprocessable(INVALID_URL)
    return url


def apply(hook: Hook, sent: dict[str, Any], behaviour: Behaviour) -> None:
    """Take over what was sent; a refusal leaves the hook as it was."""
    strategy = str(sent.get("branch_filter_strategy") or hook.filter_strategy)
    branch_filter = sent.get("push_events_branch_filter", hook.branch_filter)
    if strategy not in STRATEGIES:
        raise bad_request("branch_filter_strategy does not have a valid value")
    if strategy == "regex" and not _compiles(str(branch_filter or "")):
        message = "Invalid branch filter given"
        raise unprocessable(message)
    signing_token = _signing_token(hook, sent, behaviour)
    headers, variables = _pairs(sent, "custom_headers"), _pairs(sent, "url_variables")
    for flag in FLAGS[hook.owner[0]]:
        if flag in sent:
            hook.flags[flag] = str(sent[flag]).lower() in {"true", "1"}
    hook.signing_token, hook.token = signing_token, sent.get("token", hook.token) or None
    hook.branch_filter, hook.filter_strategy = None if strategy == "all_branches" else branch_filter, strategy
    # The API of system hooks takes no template: lib/api/system_hooks.rb.
    if "custom_webhook_template" in sent and hook.owner[0] != "system":
        hook.template = sent["custom_webhook_template"]
    hook.custom_headers |= headers
    hook.url_variables |= variables
    hook.name, hook.description = sent.get("name", hook.name), sent.get("description", hook.description)


def _signing_token(hook: Hook, sent: dict[str, Any], behaviour: Behaviour) -> str | None:
    if behaviour.ignore_signing_token or "signing_token" not in sent:
        return hook.signing_token
    wanted = str(sent["signing_token"] or "")
    if not wanted:
        return None
    try:
        signing_key(wanted)
    except ValueError:
        message = "Signing token is invalid"
        raise unprocessable(message) from None
    return wanted


def _pairs(sent: dict[str, Any], name: str) -> dict[str, str]:
    """What is to be merged into a hook's headers or variables: lib/api/helpers/web_hooks_helpers.rb."""
    rows = sent.get(name) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) and {"key", "value"} <= row.keys() for row in rows):
        raise bad_request(f"{name} is invalid")
    return {str(row["key"]): str(row["value"]) for row in rows}


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True
