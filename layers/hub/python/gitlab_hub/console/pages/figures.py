"""Figures of pipelines: how they end, take, wait and fail, over the days and of the projects that the address names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitlab_hub.console import charts, choices, ranges
from gitlab_hub.console.hub_api import ApiRefusal, Ask, Loaded, Part
from gitlab_hub.console.names import Place, place_at, place_in, projects_of
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.rendering import url_with
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit

SECTION = "pipelines"
ENDS = ("success", "failed", "canceled", "skipped", "other")
FILTERS = ("ref_class", "definition")
_BY_WEEK_FROM = 100
"""Days from which on a column is a week: more columns than that could not be told apart."""
_FLAKY = 20


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    one = f"{ONE}/pipelines"
    return (
        Screen(method="GET", path=one, show=figures, section=SECTION),
        Screen(method="GET", path=f"{one}/failures", show=failures, section=SECTION),
        Screen(method="GET", path=f"{one}/projects", show=projects, section=SECTION),
    )


def figures(visit: Visit) -> Outcome:
    """How pipelines end, take and wait, and day by day; what takes longer to add up comes in two pieces later."""
    asked = _asked(visit)
    if path := visit.query.get("path"):
        return _narrowed(visit, path, asked)
    week = asked.chosen.days > _BY_WEEK_FROM
    before = asked.chosen.before()
    asks = {"trend": asked.ask(visit, "trend", ruled=True, group_by="week" if week else "day")}
    if before is not None:
        asks["before"] = asked.ask(visit, "summary", ruled=True, within=before)
    found = visit.api.load_all(asks)
    problem = found["trend"].problem
    if problem is not None and problem.status < 500:  # noqa: PLR2004 - what was asked for is wrong
        return Page("figures.html", {**asked.shown, "found": None}, status=problem.status, problem=problem)
    return Page("figures.html", {**asked.shown, "found": found, **_drawn(found)})


def failures(visit: Visit) -> Outcome:
    """How long it took to recover, what it cost, why jobs failed, and DORA's figures."""
    asked = _asked(visit)
    found = visit.api.load_all({name: asked.ask(visit, name) for name in ("mttr", "cost", "failures", "dora")})
    rows = found["failures"]["rows"] if found["failures"] else []
    return _piece(visit, "figures_failures", {**asked.shown, "found": found, "failures_rows": rows})


def projects(visit: Visit) -> Outcome:
    """Which jobs are flaky, and the figures project by project."""
    asked = _asked(visit)
    asks = {"flaky": asked.ask(visit, "flaky")}
    if asked.place is None or asked.place.name == "group":
        asks["projects"] = asked.ask(visit, "summary", ruled=True, group_by="project")
    found = visit.api.load_all(asks)
    rows = {name: found[name]["rows"] if found.get(name) else [] for name in ("flaky", "projects")}
    shown, more = rows["flaky"][:_FLAKY], rows["flaky"][_FLAKY:]
    values = {
        "found": found, "flaky_rows": shown, "flaky_more": more, "projects_rows": rows["projects"],
        "names": projects_of(visit, [row["project_id"] for row in shown]),
    }  # fmt: skip
    return _piece(visit, "figures_projects", {**asked.shown, **values})


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an address asks figures for."""

    chosen: ranges.DayRange
    place: Place | None
    filters: Mapping[str, str]

    @property
    def shown(self) -> dict[str, Any]:
        """What every template of figures needs."""
        offered = {
            "ref_classes": choices.REF_CLASSES,
            "definitions": choices.DEFINITIONS,
            "day_choices": ranges.CHOICES,
        }
        return {"chosen": self.chosen, "place": self.place, "filters": self.filters, **offered}

    def ask(
        self, visit: Visit, figure: str, *, ruled: bool = False, within: ranges.DayRange | None = None, **more: str
    ) -> Ask:
        """A call for a figure; `ruled`: by the definition that was chosen, which not every figure has."""
        # Deployments are told by environments, not by classes of refs.
        refs = {} if figure == "dora" else {"ref_class": self.filters["ref_class"]}
        of = {**refs, **(self.place.query if self.place else {})}
        rule = {"definition": self.filters["definition"]} if ruled else {}
        bounds = (within or self.chosen).bounds
        return visit.ask(Part.PIPELINES, f"/analytics/{figure}", **bounds, **of, **rule, **more)


def _asked(visit: Visit) -> _Asked:
    filters = {name: visit.query.get(name, "") for name in FILTERS}
    place = None if visit.query.get("path") else place_in(visit)
    return _Asked(ranges.range_of(visit.query, visit.now), place, filters)


def _piece(visit: Visit, name: str, values: Mapping[str, Any]) -> Page:
    """A piece of the page that asks for it, or a page of its own for whoever has no script."""
    if visit.is_fragment:
        return Page(f"{name}.html", values)
    return Page("figures_part.html", {**values, "part": name})


def change(now: float | None, before: float | None) -> tuple[str, str] | None:
    """How a share has moved, in words and as a tone: 0.9 and 0.85 → ("5.0 points up", "good"); None: nobody knows."""
    if now is None or before is None:
        return None
    points = round((now - before) * 100, 1)
    if not points:
        return "unchanged", "muted"
    return (f"{points:.1f} points up", "good") if points > 0 else (f"{-points:.1f} points down", "bad")


def _narrowed(visit: Visit, path: str, asked: _Asked) -> Outcome:
    """The same figures of the group or project at a path; its id stands in the address, as a path may change."""
    try:
        place = place_at(visit, path)
    except ApiRefusal as refusal:
        return Page("figures.html", {**asked.shown, "found": None}, status=refusal.status, problem=refusal)
    return GoTo(url_with(visit.path, **place.query, **asked.chosen.query, **asked.filters))


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
    return values
