"""Deliveries: what GitLab sent, what became of it and why, and having it worked on again."""

from collections.abc import Sequence

from gitlab_hub.console import choices
from gitlab_hub.console.forms import REPEAT_KEY
from gitlab_hub.console.hub_api import Ask, Part
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.reasons import told
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit

SECTION = "deliveries"
MOST_BUILDS = 10
"""Builds of a delivery that are looked up, as each is a call; there may be one for each trigger."""
_PAGE = 50


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    one = f"{ONE}/deliveries/<delivery_id>"
    return (
        Screen(method="GET", path=f"{ONE}/deliveries", show=deliveries, section=SECTION),
        Screen(method="GET", path=one, show=delivery, section=SECTION),
        Screen(method="POST", path=f"{one}/replay", show=replay, section=SECTION),
    )


def deliveries(visit: Visit) -> Outcome:
    """The deliveries, the newest first."""
    filters = {name: visit.query.get(name, "") for name in ("status", "event", "hook_id")}
    query = {"integration_id": visit.integration_id, "limit": _PAGE, "cursor": visit.query.get("cursor"), **filters}
    found = visit.api.load(Ask(part=Part.BUILDS, path="/v1/deliveries", query=query))
    offered = {"statuses": choices.DELIVERY_STATUSES, "events": choices.DELIVERY_EVENTS}
    return Page("deliveries.html", {"found": found, "filters": filters, "told": told, **offered})


def delivery(visit: Visit) -> Outcome:
    """One delivery, with every trigger's reason not to build, and the builds that it asked for."""
    one = visit.api.call(Ask(part=Part.BUILDS, path=f"/v1/deliveries/{visit.parameters['delivery_id']}"))["delivery"]
    visit.check_own(one)
    shown = one["build_ids"][:MOST_BUILDS]
    builds = visit.api.load_all({build: Ask(part=Part.BUILDS, path=f"/v1/builds/{build}") for build in shown})
    values = {"one": one, "builds": builds, "reasons": [told(reason) for reason in one["reasons"]]}
    return Page("delivery.html", {**values, "is_replayed": visit.query.get("done") == "replay"})


def replay(visit: Visit) -> Outcome:
    """Have a delivery worked on once more."""
    path = f"/v1/deliveries/{visit.parameters['delivery_id']}/replay"
    key = visit.fields.get(REPEAT_KEY, "")
    visit.api.call(Ask(part=Part.BUILDS, path=path, method="POST", body={}, key=key))
    return GoTo(f"/console/{visit.integration_id}/deliveries/{visit.parameters['delivery_id']}?done=replay")
