"""Figures of pipelines: how they end, take, wait and fail, over the days and of the projects that the address names."""

from collections.abc import Mapping, Sequence
from typing import Any

from gitlab_hub.console import charts, ranges
from gitlab_hub.console.hub_api import ApiRefusal, Ask, Loaded, Part
from gitlab_hub.console.names import Place, place_at, place_in, projects_of
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.rendering import url_with
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit

SECTION = "pipelines"
REF_CLASSES = ("default_branch", "merge_request", "tag", "other")
DEFINITIONS = ("hub", "gitlab", "dx")
ENDS = ("success", "failed", "canceled", "skipped", "other")
FILTERS = ("ref_class", "definition")
_BY_WEEK_FROM = 100
"""Days from which on a column is a week: more columns than that could not be told apart."""
_FLAKY = 20


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    return (Screen(method="GET", path=f"{ONE}/pipelines", show=figures, section=SECTION),)


def figures(visit: Visit) -> Outcome:
    """All figures of a range, each with its rule, and how whole they are."""
    chosen = ranges.range_of(visit.query, visit.now)
    filters = {name: visit.query.get(name, "") for name in FILTERS}
    if path := visit.query.get("path"):
        return _narrowed(visit, path, {**chosen.query, **filters})
    place = place_in(visit)
    found = visit.api.load_all(_asks(visit, chosen, place, filters))
    values = {**found, "chosen": chosen, "place": place, "filters": filters, **_choices()}
    trend = found["trend"]
    if trend.problem is not None and trend.problem.status < 500:  # noqa: PLR2004 - what was asked for is wrong
        return Page("figures.html", {**values, "found": None}, status=trend.problem.status, problem=trend.problem)
    drawn = _drawn(found)
    names = projects_of(visit, [row["project_id"] for row in drawn["flaky_rows"]])
    return Page("figures.html", {**values, "found": found, "names": names, **drawn})


def change(now: float | None, before: float | None) -> tuple[str, str] | None:
    """How a share has moved, in words and as a tone: 0.9 and 0.85 → ("5.0 points up", "good"); None: nobody knows."""
    if now is None or before is None:
        return None
    points = round((now - before) * 100, 1)
    if not points:
        return "unchanged", "muted"
    return (f"{points:.1f} points up", "good") if points > 0 else (f"{-points:.1f} points down", "bad")


def _narrowed(visit: Visit, path: str, query: Mapping[str, str]) -> Outcome:
    """The same figures of the group or project at a path; its id stands in the address, as a path may change."""
    address = f"/console/{visit.integration_id}/pipelines"
    try:
        place = place_at(visit, path)
    except ApiRefusal as refusal:
        chosen, filters = ranges.range_of(visit.query, visit.now), {name: query.get(name, "") for name in FILTERS}
        values = {"found": None, "chosen": chosen, "place": None, "filters": filters, **_choices()}
        return Page("figures.html", values, status=refusal.status, problem=refusal)
    return GoTo(url_with(address, **place.query, **query))


def _choices() -> dict[str, Any]:
    return {"ref_classes": REF_CLASSES, "definitions": DEFINITIONS, "day_choices": ranges.CHOICES}


def _asks(visit: Visit, chosen: ranges.DayRange, place: Place | None, filters: Mapping[str, str]) -> dict[str, Ask]:
    """What the page needs, the most important first: whatever does not come in time is left out."""
    of = {"ref_class": filters["ref_class"], **(place.query if place else {})}
    ruled = {**of, "definition": filters["definition"]}

    def ask(figure: str, query: Mapping[str, str], within: ranges.DayRange = chosen, **more: str) -> Ask:
        return visit.ask(Part.PIPELINES, f"/analytics/{figure}", **within.bounds, **query, **more)

    before, has_rows = chosen.before(), place is None or place.name == "group"
    asks = {
        "trend": ask("trend", ruled, group_by="week" if chosen.days > _BY_WEEK_FROM else "day"),
        "before": ask("summary", ruled, before) if before else None,
        "failures": ask("failures", of),
        "flaky": ask("flaky", of),
        "mttr": ask("mttr", of),
        "cost": ask("cost", of),
        "projects": ask("summary", ruled, group_by="project") if has_rows else None,
        "dora": ask("dora", of),
    }
    return {name: one for name, one in asks.items() if one is not None}


def _drawn(found: Mapping[str, Loaded]) -> dict[str, Any]:
    """What the charts are made of, as far as the figures are there."""
    trend, before = found["trend"], found.get("before")
    values: dict[str, Any] = {"moved": None, "sparks": {}, "columns": None, "by_day": []}
    if trend:
        rows = trend["rows"]
        values["by_day"] = rows
        values["columns"] = charts.columns([(row["key"], row["by_status"]) for row in rows], ENDS)
        values["sparks"] = {
            "rate": charts.line([row["success_rate"] for row in rows], top=1.0),
            "duration": charts.line([row["duration"]["p50"] for row in rows]),
            "queue": charts.line([row["queue"]["p95"] for row in rows]),
        }
        values["moved"] = change(trend["success_rate"], before["success_rate"]) if before else None
    for name in ("failures", "flaky", "projects"):
        values[f"{name}_rows"] = found[name]["rows"] if found.get(name) else []
    values["flaky_rows"], values["flaky_more"] = values["flaky_rows"][:_FLAKY], values["flaky_rows"][_FLAKY:]
    return values
