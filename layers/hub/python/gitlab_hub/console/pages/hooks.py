"""Webhooks: where GitLab sends from and how that goes; making one, trying it, and bringing it in order."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from gitlab_hub.console import choices
from gitlab_hub.console.forms import REPEAT_KEY, choice, number
from gitlab_hub.console.hub_api import ApiRefusal, Ask, Part
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit

SECTION = "settings"
USUAL = ("push", "tag_push", "merge_request", "pipeline", "job")
VERBS = ("test", "repair", "resend-failed", "rotate", "remove")
GRACES = {3_600: "an hour", 86_400: "a day", 604_800: "a week", 0: "no more"}
"""For how many seconds secrets still count that are replaced."""
_PAGE = 50
_MOST_ID = 2**53


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    one = f"{ONE}/settings/hooks"
    return (
        Screen(method="GET", path=one, show=hooks, section=SECTION),
        Screen(method="POST", path=one, show=make, section=SECTION),
        Screen(method="POST", path=f"{one}/<hook_id>", show=act, section=SECTION),
    )


def hooks(visit: Visit) -> Outcome:
    """All webhooks, as they were when they were last compared with GitLab."""
    return _page(visit)


def make(visit: Visit) -> Outcome:
    """Register a webhook, or prepare one that a person enters in GitLab: its secrets are shown on this page only."""
    fields = visit.fields
    body: dict[str, Any] = {
        "scope": fields.get("scope", ""),
        "events": [name for name in choices.HOOK_EVENTS if fields.get(f"event-{name}") == "on"],
        "mode": "manual" if fields.get("manual") == "on" else "auto",
    }
    if target := fields.get("target"):
        identity = number(target, most=_MOST_ID)
        body["target"] = target if identity is None else identity
    try:
        made = visit.post(Part.INTEGRATIONS, "/webhooks", body, key=fields.get(REPEAT_KEY, ""))
    except ApiRefusal as refusal:
        return _page(visit, refusal)
    return _page(visit, made=made)


def act(visit: Visit) -> Outcome:
    """Have GitLab send a sample, or what was lost; bring a webhook in order, renew its secrets, or remove it."""
    verb = choice(visit.fields, "verb", VERBS)
    path = f"/webhooks/{visit.parameters['hook_id']}"
    try:
        if verb == "remove":
            whole = f"/v1/integrations/{visit.integration_id}{path}"
            visit.api.call(Ask(part=Part.INTEGRATIONS, path=whole, method="DELETE"))
            return GoTo(f"/console/{visit.integration_id}/settings/hooks?done=remove")
        grace = number(visit.fields.get("grace", ""), most=max(GRACES))
        body = {"grace_seconds": grace} if verb == "rotate" and grace is not None else {}
        told = visit.post(Part.INTEGRATIONS, f"{path}/{verb}", body, key=visit.fields.get(REPEAT_KEY, ""))
    except ApiRefusal as refusal:
        return _page(visit, refusal)
    # New secrets are shown like those of a new webhook: on this page only.
    return _page(visit, told={**told, "verb": verb}, made=told if verb == "rotate" else None)


def _page(
    visit: Visit, refusal: ApiRefusal | None = None, *, made: dict[str, Any] | None = None, told: Any = None
) -> Page:
    found = visit.api.load(
        visit.ask(Part.INTEGRATIONS, "/webhooks", limit=_PAGE, cursor=visit.query.get("cursor"))
    )  # fmt: skip
    values = {
        "found": found, "made": made, "told": told, "given": {} if made else visit.fields,
        "events": choices.HOOK_EVENTS, "usual": USUAL, "scopes": choices.HOOK_SCOPES, "graces": GRACES,
        "done": visit.query.get("done"),
    }  # fmt: skip
    return Page("hooks.html", values, status=refusal.status if refusal else HTTPStatus.OK, problem=refusal)
