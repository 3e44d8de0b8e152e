"""Changes: the feed of what was given and taken, day by day, of everybody, one person, or one group or project."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from gitlab_hub.console import choices, times
from gitlab_hub.console.forms import number
from gitlab_hub.console.hub_api import Part
from gitlab_hub.console.names import accounts_of
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.screens import Outcome, Page, Screen, Visit
from gitlab_hub.gitlab.roles import role_name

SECTION = "changes"
DAYS = (1, 7, 30, 90, 400)
USUAL_DAYS = 30
_DAY = 86_400
_PAGE = 100


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    return (Screen(method="GET", path=f"{ONE}/changes", show=feed, section=SECTION),)


def feed(visit: Visit) -> Outcome:
    """What has changed, the oldest first, as the feed tells it; a day has its own heading."""
    days = number(visit.query.get("days", ""), most=DAYS[-1]) or USUAL_DAYS
    filters = {name: visit.query.get(name, "") for name in ("account_id", "group_id", "project_id", "kind")}
    # A cursor belongs to its list, so the day that it begins with must not move while somebody turns pages.
    since = visit.query.get("since") or str(int(visit.now) // _DAY * _DAY - days * _DAY)
    found = visit.api.load(
        visit.ask(Part.ACCESS, "/changes", since=since, limit=_PAGE, cursor=visit.query.get("cursor"), **filters)
    )
    rows = [{**one, "told": told(one)} for one in found["changes"]] if found else []
    by_day = [(day, list(some)) for day, some in groupby(rows, key=lambda one: times.day(one["at"]))]
    people = accounts_of(visit, [one["account_id"] for one in rows])
    values = {"found": found, "by_day": by_day, "people": people, "days": days, "since": since, "filters": filters}
    return Page("changes.html", {**values, "day_choices": DAYS, "kinds": choices.CHANGE_KINDS})


def told(change: Mapping[str, Any]) -> str:
    """Say what has changed, without whom and where: "Reporter → Developer", "state: active → blocked"."""
    before, after = change["before"] or {}, change["after"] or {}
    levels = before.get("access_level"), after.get("access_level")
    if levels[0] != levels[1]:
        return f"{_role(levels[0])} → {_role(levels[1])}"
    parts = [
        f"{name.replace('_', ' ')}: {_said(name, before.get(name))} → {_said(name, after.get(name))}"
        for name in sorted({*before, *after})
        if before and after and before.get(name) != after.get(name)
    ]
    return "; ".join(parts)


def _role(level: Any) -> str:
    return role_name(level) if isinstance(level, int) else "none"


def _said(name: str, value: Any) -> str:
    if value is None:
        return "none"
    if name == "expires_at" and isinstance(value, int):
        return times.day(value)
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
