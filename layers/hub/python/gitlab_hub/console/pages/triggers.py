"""Triggers: which events build what; making one, switching it off, and trying it on a delivery that came."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from gitlab_hub.console import choices
from gitlab_hub.console.forms import REPEAT_KEY, choice
from gitlab_hub.console.hub_api import ApiRefusal, Ask, Part
from gitlab_hub.console.names import place_at, projects_of
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit

SECTION = "settings"
TARGETS: Mapping[str, str] = {
    "eventbridge": "bus",
    "codebuild": "project",
    "stepfunctions": "state_machine_arn",
    "sqs": "queue_url",
    "https": "url",
}
"""Kind of target → its field that says where."""
VERBS = ("enable", "disable", "remove")
_PAGE, _RECENT = 50, 20
API = "/v1/triggers"


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    all_, one = f"{ONE}/settings/triggers", f"{ONE}/settings/triggers/<trigger_id>"
    return (
        Screen(method="GET", path=all_, show=triggers, section=SECTION),
        Screen(method="POST", path=all_, show=make, section=SECTION),
        Screen(method="GET", path=one, show=trigger, section=SECTION),
        Screen(method="POST", path=one, show=act, section=SECTION),
        Screen(method="POST", path=f"{one}/try", show=try_out, section=SECTION),
    )


def triggers(visit: Visit) -> Outcome:
    """All triggers of the integration."""
    return _list(visit)


def make(visit: Visit) -> Outcome:
    """Make a trigger."""
    key = visit.fields.get(REPEAT_KEY, "")
    try:
        made = visit.api.call(Ask(part=Part.BUILDS, path=API, method="POST", body=_new_trigger(visit), key=key))
    except ApiRefusal as refusal:
        return _list(visit, refusal)
    return _one(visit, made)


def trigger(visit: Visit) -> Outcome:
    """One trigger, with what came lately to try it on."""
    return _one(visit, found_trigger(visit))


def act(visit: Visit) -> Outcome:
    """Switch a trigger on or off, or remove it; what it has built stays."""
    verb = choice(visit.fields, "verb", VERBS)
    found = found_trigger(visit)["trigger"]
    path, base = f"{API}/{found['id']}", f"/console/{visit.integration_id}/settings/triggers"
    if verb == "remove":
        visit.api.call(Ask(part=Part.BUILDS, path=path, method="DELETE"))
        return GoTo(f"{base}?done=remove")
    body = {"enabled": verb == "enable", "version": found["version"]}
    visit.api.call(Ask(part=Part.BUILDS, path=path, method="PATCH", body=body))
    return GoTo(f"{base}/{found['id']}")


def try_out(visit: Visit) -> Outcome:
    """Say what it would make of a delivery that came: every reason, and nothing is kept or sent."""
    found = found_trigger(visit)
    delivery_id = visit.fields.get("delivery_id", "")
    ask = Ask(
        part=Part.BUILDS, path=f"{API}/{found['trigger']['id']}/test", method="POST", body={"delivery_id": delivery_id}
    )
    try:
        tried = visit.api.call(ask)
    except ApiRefusal as refusal:
        return _one(visit, found, refusal)
    return _one(visit, found, tried={**tried, "delivery_id": delivery_id})


def found_trigger(visit: Visit) -> dict[str, Any]:
    """The trigger of the path, with its warnings. Raises ApiRefusal, or NoSuchPath for another integration's."""
    found = visit.api.call(Ask(part=Part.BUILDS, path=f"{API}/{visit.parameters['trigger_id']}"))
    visit.check_own(found["trigger"])
    return found


def _list(visit: Visit, refusal: ApiRefusal | None = None) -> Page:
    query = {"integration_id": visit.integration_id, "limit": _PAGE, "cursor": visit.query.get("cursor")}
    found = visit.api.load(Ask(part=Part.BUILDS, path=API, query=query))
    names = projects_of(visit, [one["project_id"] for one in found["triggers"]]) if found else {}
    offered = {"events": choices.TRIGGER_EVENTS, "targets": tuple(TARGETS)}
    values = {"found": found, "names": names, "given": visit.fields, **offered}
    status = refusal.status if refusal else HTTPStatus.OK
    return Page("triggers.html", {**values, "done": visit.query.get("done")}, status=status, problem=refusal)


def _one(
    visit: Visit,
    found: Mapping[str, Any],
    refusal: ApiRefusal | None = None,
    *,
    tried: Mapping[str, Any] | None = None,
) -> Page:
    one = found["trigger"]
    query = {"integration_id": visit.integration_id, "limit": _RECENT}
    recent = visit.api.load(Ask(part=Part.BUILDS, path="/v1/deliveries", query=query))
    names = projects_of(visit, [one["project_id"]])
    values = {"one": one, "warnings": found["warnings"], "recent": recent, "names": names, "tried": tried}
    return Page("trigger.html", values, status=refusal.status if refusal else HTTPStatus.OK, problem=refusal)


def _new_trigger(visit: Visit) -> dict[str, Any]:
    """What the form asks for. Raises ApiRefusal where its path names nothing."""
    fields = visit.fields
    kind = fields.get("target", "")
    target = {"type": kind}
    if (where := fields.get("where")) and kind in TARGETS:
        target[TARGETS[kind]] = where
    body: dict[str, Any] = {
        "integration_id": visit.integration_id,
        "events": [name for name in choices.TRIGGER_EVENTS if fields.get(f"event-{name}") == "on"],
        "target": target,
        "concurrency": {"cancel_previous": fields.get("cancel_previous") == "on"},
    }
    if path := fields.get("path"):
        place = place_at(visit, path)
        body |= {"project_id": int(place.number)} if place.name == "project" else {"group": place.full_path}
    for name in ("branches", "paths"):
        if patterns := fields.get(name, "").replace(",", " ").split():
            body[name] = {"include": patterns}
    return body
