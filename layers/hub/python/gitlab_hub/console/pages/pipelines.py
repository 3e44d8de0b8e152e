"""Pipelines: the list of them, one with its jobs, its time and what it started, and jobs across all of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from gitlab_hub.console import choices, ranges
from gitlab_hub.console.hub_api import ApiRefusal, Part
from gitlab_hub.console.names import Place, place_at, place_in, projects_of
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.rendering import url_with
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit
from gitlab_hub.console.waterfall import waterfall

SECTION = "pipelines"
_PAGE = 50
MOST_JOBS = 200
"""Attempts that one page draws; the next page has the others."""


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    one = f"{ONE}/projects/<project_id>/pipelines/<pipeline_id>"
    return (
        Screen(method="GET", path=f"{ONE}/pipelines/list", show=pipelines, section=SECTION),
        Screen(method="GET", path=f"{ONE}/jobs", show=jobs, section=SECTION),
        Screen(method="GET", path=one, show=pipeline, section=SECTION),
    )


def pipelines(visit: Visit) -> Outcome:
    """The pipelines: those of a project the newest first, those of several by their last change."""
    offered = {"statuses": choices.PIPELINE_STATUSES, "sources": choices.PIPELINE_SOURCES}
    return _list(visit, "pipelines", ("status", "source", "ref"), offered)


def jobs(visit: Visit) -> Outcome:
    """Attempts of jobs across pipelines."""
    offered = {"statuses": choices.PIPELINE_STATUSES, "failure_classes": choices.FAILURE_CLASSES}
    return _list(visit, "jobs", ("status", "failure_class", "name", "runner"), offered)


def pipeline(visit: Visit) -> Outcome:
    """One pipeline: where its time went, attempt by attempt, and what it started."""
    where = "/projects/{project_id}/pipelines/{pipeline_id}".format(**visit.parameters)
    page = {"include_retried": "true", "limit": MOST_JOBS, "cursor": visit.query.get("cursor")}
    found = visit.api.load_all(
        {
            "tree": visit.ask(Part.PIPELINES, f"{where}/tree"),
            "jobs": visit.ask(Part.PIPELINES, f"{where}/jobs", **page),
            "project": visit.ask(Part.ACCESS, "/projects", id=visit.parameters["project_id"]),
        }
    )
    if (problem := found["tree"].problem) is not None:
        raise problem
    one = found["tree"]["pipeline"]
    attempts, triggers = found["jobs"]["jobs"] if found["jobs"] else [], one["bridges"]
    values = {
        **found,
        "one": one,
        "project": next(iter(found["project"]["projects"]), None) if found["project"] else None,
        "names": projects_of(visit, _projects_in(triggers)),
        "triggers": triggers,
        "drawn": waterfall(one, attempts, triggers, visit.now),
        "is_part": bool(visit.query.get("cursor") or (found["jobs"] and found["jobs"]["next_cursor"])),
    }
    return Page("pipeline.html", values)


def _projects_in(triggers: Sequence[Mapping[str, Any]]) -> set[int]:
    """The projects of everything that trigger jobs have started."""
    started = [one["downstream_pipeline"] for one in triggers if one["downstream_pipeline"]]
    return {one["project_id"] for one in started}.union(*(_projects_in(one["bridges"]) for one in started))


def _list(visit: Visit, name: str, filter_names: Sequence[str], offered: Mapping[str, Any]) -> Outcome:
    """A list of pipelines or jobs, narrowed by what stands in the address."""
    chosen = ranges.range_of(visit.query, visit.now) if _has_range(visit) else None
    filters = {one: visit.query.get(one, "") for one in filter_names}
    template, shown = f"{name}.html", {"filters": filters, "chosen": chosen, "day_choices": ranges.CHOICES, **offered}
    if path := visit.query.get("path"):
        return _narrowed(visit, path, template, {**shown, "query": {**filters, **(chosen.query if chosen else {})}})
    place = place_in(visit)
    within = dict(zip(("created_after", "created_before"), chosen.seconds, strict=True)) if chosen else {}
    of = place.query if place else {}
    found = visit.api.load(
        visit.ask(Part.PIPELINES, f"/{name}", limit=_PAGE, cursor=visit.query.get("cursor"), **of, **filters, **within)
    )
    names = projects_of(visit, [row["project_id"] for row in found[name]]) if found else {}
    query = {**of, **filters, **(chosen.query if chosen else {})}
    pinned = {**query, **(chosen.pinned if chosen else {})}
    values = {"found": found, "names": names, "place": place, "query": query, "pinned": pinned}
    return Page(template, {**shown, **values})


def _narrowed(visit: Visit, path: str, template: str, values: Mapping[str, Any]) -> Outcome:
    """The same list of the group or project at a path; its id stands in the address, as a path may change."""
    try:
        place: Place = place_at(visit, path)
    except ApiRefusal as refusal:
        whole = {**values, "found": None, "names": {}, "place": None}
        return Page(template, whole, status=refusal.status, problem=refusal)
    return GoTo(url_with(visit.path, **place.query, **values["query"]))


def _has_range(visit: Visit) -> bool:
    return any(visit.query.get(name) for name in ("days", "from"))
