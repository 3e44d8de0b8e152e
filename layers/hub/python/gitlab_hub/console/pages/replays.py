"""Replaying many deliveries: those that fit a filter, with what each would build, and then what became of each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitlab_hub.console import choices, ranges
from gitlab_hub.console.forms import REPEAT_KEY, number
from gitlab_hub.console.hub_api import Ask, Loaded, Part
from gitlab_hub.console.names import projects_of
from gitlab_hub.console.pages.deliveries import SECTION
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.screens import Outcome, Page, Screen, Visit

MOST = 20
"""Deliveries that are replayed at once: each is a call."""
MOST_TRIES = 60
"""Tries of triggers that a preview makes: each is a call."""
FILTERS = ("status", "event", "hook_id", "days")
ITEM = "delivery-"
_TRIGGERS = 200
_DAY = 86_400


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    path = f"{ONE}/deliveries/replay"
    return (
        Screen(method="GET", path=path, show=preview, section=SECTION),
        Screen(method="POST", path=path, show=replay, section=SECTION),
    )


def preview(visit: Visit) -> Outcome:
    """What would be replayed, the newest first, and what each trigger would make of it; nothing happens yet."""
    filters = {name: visit.query.get(name, "") for name in FILTERS}
    days = number(filters["days"], most=ranges.MOST)
    query = {
        "integration_id": visit.integration_id,
        "limit": MOST,
        "cursor": visit.query.get("cursor"),
        "since": int(visit.now) - days * _DAY if days else None,
        **{name: filters[name] for name in ("status", "event", "hook_id")},
    }
    if visit.query.get("since"):  # a cursor belongs to its list
        query["since"] = visit.query["since"]
    mine = {"integration_id": visit.integration_id, "limit": _TRIGGERS}
    found = visit.api.load_all(
        {
            "deliveries": Ask(part=Part.BUILDS, path="/v1/deliveries", query=query),
            "triggers": Ask(part=Part.BUILDS, path="/v1/triggers", query=mine),
        }
    )
    rows = found["deliveries"]["deliveries"] if found["deliveries"] else []
    triggers = found["triggers"]["triggers"] if found["triggers"] else []
    wanted = tries(rows, triggers, projects_of(visit, [one["project_id"] for one in rows]) if triggers else {})
    told = _tried(visit, wanted[:MOST_TRIES]) if visit.may("developer") else {}
    values = {
        **found, "filters": filters, "since": query["since"], "statuses": choices.DELIVERY_STATUSES,
        "events": choices.DELIVERY_EVENTS, "day_choices": ranges.CHOICES,
        "told": told, "tried": _by_delivery(wanted), "is_part": len(wanted) > MOST_TRIES, "most": MOST,
    }  # fmt: skip
    return Page("replay.html", values)


def replay(visit: Visit) -> Outcome:
    """Have those that were chosen worked on again, one by one; each says for itself what became of it."""
    key = visit.fields.get(REPEAT_KEY, "")
    chosen = [name.removeprefix(ITEM) for name in visit.fields if name.startswith(ITEM)][:MOST]
    results = visit.api.load_all({one: _replay_of(one, f"{key}-{one}"[:200]) for one in chosen if _is_id(one)})
    failed = [one for one in results.values() if not one]
    return Page("replayed.html", {"results": results, "failed": len(failed), "asked": len(chosen)})


def tries(
    deliveries: Iterable[Mapping[str, Any]],
    triggers: Iterable[Mapping[str, Any]],
    projects: Mapping[int, Mapping[str, Any]],
) -> list[tuple[str, Mapping[str, Any]]]:
    """Which trigger is to be tried on which delivery: those of its project, and of a group above it. Pure.

    `projects`: as they are now, by their ids. A group may be called otherwise since a delivery came, and a project may
    have moved; a trigger that builds then must not be missing where it is said what a replay would build.
    """
    known = list(triggers)
    return [
        (one["id"], trigger)
        for one in deliveries
        for trigger in known
        if _is_about(trigger, one, projects.get(one["project_id"], {}).get("full_path"))
    ]


def _is_about(trigger: Mapping[str, Any], delivery: Mapping[str, Any], path_now: str | None) -> bool:
    if trigger["group"] is None:
        return bool(trigger["project_id"] == delivery["project_id"])
    below = f"{trigger['group'].lower()}/"
    return any((path or "").lower().startswith(below) for path in (delivery["project_path"], path_now))


def _tried(visit: Visit, wanted: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Loaded]:
    """What became of each try, by delivery and trigger; what does not come in time is a part that is not shown."""
    return visit.api.load_all(
        {f"{delivery_id} {trigger['id']}": _try_of(str(trigger["id"]), delivery_id) for delivery_id, trigger in wanted}
    )


def _try_of(trigger_id: str, delivery_id: str) -> Ask:
    body = {"delivery_id": delivery_id}
    return Ask(part=Part.BUILDS, path=f"/v1/triggers/{trigger_id}/test", method="POST", body=body)


def _by_delivery(wanted: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for delivery_id, trigger in wanted:
        found.setdefault(delivery_id, []).append(trigger)
    return found


def _replay_of(delivery_id: str, key: str) -> Ask:
    return Ask(part=Part.BUILDS, path=f"/v1/deliveries/{delivery_id}/replay", method="POST", body={}, key=key)


def _is_id(text: str) -> bool:
    """Whether it may stand in a path; whether there is such a delivery is the API's to say."""
    return text.isascii() and text.replace("_", "").isalnum()
