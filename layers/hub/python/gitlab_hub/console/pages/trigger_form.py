"""All of a trigger in a form: spelled into its fields, and read out of them again."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from gitlab_hub.console import choices
from gitlab_hub.console.forms import number
from gitlab_hub.console.hub_api import ApiRefusal, Ask, Part
from gitlab_hub.console.names import place_at, projects_of
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.pages.triggers import API, SECTION, TARGETS, found_trigger
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit

GLOBS = ("branches", "tags", "paths")
SWITCHES = ("on_branch_create", "on_branch_delete", "skip_ci")
WAS_AT, VERSION = "was_at", "version"
"""Hidden fields: the place that was shown, and the trigger's version."""
_MOST_VERSION = 10**9


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    path = f"{ONE}/settings/triggers/<trigger_id>/edit"
    return (
        Screen(method="GET", path=path, show=edit, section=SECTION),
        Screen(method="POST", path=path, show=save, section=SECTION),
    )


def edit(visit: Visit) -> Outcome:
    """Show all of it in a form."""
    one = found_trigger(visit)["trigger"]
    names = projects_of(visit, [one["project_id"]])
    known = names.get(one["project_id"])
    place = one["group"] or (known["full_path"] if known else "")
    return _page(one, form_of(one, place))


def save(visit: Visit) -> Outcome:
    """Change what was changed; what somebody else has changed meanwhile is a conflict."""
    one = found_trigger(visit)["trigger"]
    try:
        body = {**body_of(visit.fields), **_moved(visit)}
        visit.api.call(Ask(part=Part.BUILDS, path=f"{API}/{one['id']}", method="PATCH", body=body))
    except ApiRefusal as refusal:
        return _page(one, visit.fields, refusal)
    return GoTo(f"/console/{visit.integration_id}/settings/triggers/{one['id']}")


def form_of(one: Mapping[str, Any], place: str) -> dict[str, str]:
    """A trigger as the fields of its form; `place` is the path that it is for, "" where that is not known."""
    rules, target = one["merge_requests"], one["target"]
    fields = {
        WAS_AT: place,
        "path": place,
        VERSION: str(one["version"]),
        "labels": _lines(rules["labels"]),
        "target_branches": _lines(rules["target_branches"]),
        "forks": rules["forks"],
        "target": target["type"],
        "where": target.get(TARGETS.get(target["type"], ""), ""),
        "status_name": one["report_status"]["name"],
        **{f"{name}-{part}": _lines(one[name][part]) for name in GLOBS for part in ("include", "exclude")},
    }
    switches = {
        "drafts": rules["drafts"],
        "cancel_previous": one["concurrency"]["cancel_previous"],
        "report": one["report_status"]["enabled"],
        "source_version": target.get("source_version", False),
        **{name: one[name] for name in SWITCHES},
        **{f"event-{name}": True for name in one["events"]},
    }
    return fields | {name: "on" for name, is_on in switches.items() if is_on}


def body_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """What such a form asks for; all but the place."""
    kind, where = fields.get("target", ""), fields.get("where", "")
    target: dict[str, Any] = {"type": kind}
    if where and kind in TARGETS:
        target[TARGETS[kind]] = where
    if kind == "codebuild":
        target["source_version"] = fields.get("source_version") == "on"
    return {
        "version": number(fields.get(VERSION, ""), most=_MOST_VERSION),
        "events": [name for name in choices.TRIGGER_EVENTS if fields.get(f"event-{name}") == "on"],
        **{name: {part: _listed(fields, f"{name}-{part}") for part in ("include", "exclude")} for name in GLOBS},
        "merge_requests": {
            "drafts": fields.get("drafts") == "on",
            "labels": _listed(fields, "labels"),
            "target_branches": _listed(fields, "target_branches"),
            "forks": fields.get("forks", ""),
        },
        **{name: fields.get(name) == "on" for name in SWITCHES},
        "concurrency": {"cancel_previous": fields.get("cancel_previous") == "on"},
        "target": target,
        "report_status": {"enabled": fields.get("report") == "on", "name": fields.get("status_name", "")},
    }


def _moved(visit: Visit) -> dict[str, Any]:
    """The place, where somebody has changed it. Raises ApiRefusal where there is none of that path."""
    path = visit.fields.get("path", "")
    if path == visit.fields.get(WAS_AT):
        return {}
    place = place_at(visit, path)
    return {"project_id": int(place.number)} if place.name == "project" else {"group": place.full_path}


def _page(one: Mapping[str, Any], given: Mapping[str, str], refusal: ApiRefusal | None = None) -> Page:
    offered = {"events": choices.TRIGGER_EVENTS, "targets": tuple(TARGETS), "forks": choices.FORKS}
    status = refusal.status if refusal else HTTPStatus.OK
    return Page("trigger_edit.html", {"one": one, "given": given, **offered}, status=status, problem=refusal)


def _lines(values: Sequence[str]) -> str:
    return "\n".join(values)


def _listed(fields: Mapping[str, str], name: str) -> list[str]:
    return [line.strip() for line in fields.get(name, "").splitlines() if line.strip()]
