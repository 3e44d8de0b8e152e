"""Exports: asking for files of everything that is stored, seeing them come, and downloading them."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from gitlab_hub.console import choices
from gitlab_hub.console.forms import REPEAT_KEY
from gitlab_hub.console.hub_api import ApiRefusal, Loaded, Part
from gitlab_hub.console.names import place_at, projects_of
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit
from gitlab_hub.web.errors import NoSuchPath

SECTION = "exports"
FORMAT_NAMES = {"csv": "CSV", "jsonl": "JSON lines", "parquet": "Parquet"}
MANIFEST = "manifest.json"
PAGE = 50
_ASKED = ("dataset", "format", "from", "to", "path")
_UNDER_WAY = frozenset({"queued", "running"})


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    one = f"{ONE}/exports/<export_id>"
    return (
        Screen(method="GET", path=f"{ONE}/exports", show=exports, section=SECTION),
        Screen(method="POST", path=f"{ONE}/exports", show=create, section=SECTION),
        Screen(method="GET", path=f"{ONE}/exports/progress", show=progress, section=SECTION, is_poll=True),
        Screen(method="GET", path=one, show=export, section=SECTION),
        Screen(method="GET", path=f"{one}/progress", show=export_progress, section=SECTION, is_poll=True),
        Screen(method="GET", path=f"{one}/file", show=download, section=SECTION),
    )


def exports(visit: Visit) -> Outcome:
    """The exports that are kept, the newest first, and the form for another one, filled in as the address says."""
    return _list(visit, given=visit.query)


def create(visit: Visit) -> Outcome:
    """Ask for an export, and go where it can be seen to come."""
    try:
        body = _new_export(visit)
        made = visit.post(Part.ACCESS, "/exports", body, key=visit.fields.get(REPEAT_KEY, ""))
    except ApiRefusal as refusal:
        return _list(visit, given=visit.fields, refusal=refusal)
    return GoTo(f"/console/{visit.integration_id}/exports/{made['export']['id']}")


def progress(visit: Visit) -> Outcome:
    """How far the exports of a page are: a piece of it, or the whole page for whoever has no script."""
    if not visit.is_fragment:
        return GoTo(f"/console/{visit.integration_id}/exports")
    return Page("exports_list.html", _listed(visit))


def export(visit: Visit) -> Outcome:
    """One export: what was asked for, how far it is, and its files."""
    return Page("export.html", _one(visit))


def export_progress(visit: Visit) -> Outcome:
    """How far one export is: a piece of its page, or the page itself for whoever has no script."""
    if not visit.is_fragment:
        return GoTo(visit.path.removesuffix("/progress"))
    return Page("export_body.html", _one(visit))


def download(visit: Visit) -> Outcome:
    """Go to a file by a link that is made now: one in a page would be over before somebody clicks on it."""
    wanted = visit.query.get("path", "")
    found = visit.get(Part.ACCESS, _path(visit), limit=PAGE, cursor=visit.query.get("cursor"))["export"]
    files = {file["path"]: file for file in found["files"]} | {MANIFEST: found["manifest"]}
    if files.get(wanted) is None:
        raise NoSuchPath("There is no such file in this export; load its page again.")
    return GoTo(files[wanted]["url"])


def _list(visit: Visit, *, given: Mapping[str, str], refusal: ApiRefusal | None = None) -> Page:
    form = {name: given.get(name, "") for name in _ASKED}
    formats = [(one, FORMAT_NAMES[one]) for one in choices.FILE_FORMATS]
    values = {**_listed(visit), "given": form, "datasets": choices.DATASETS, "formats": formats}
    return Page("exports.html", values, status=refusal.status if refusal else HTTPStatus.OK, problem=refusal)


def _listed(visit: Visit) -> dict[str, Any]:
    cursor = visit.query.get("cursor")
    found = visit.api.load(visit.ask(Part.ACCESS, "/exports", limit=PAGE, cursor=cursor))
    rows = found["exports"] if found else []
    return {"found": found, "names": _names(visit, rows), "under_way": _are_under_way(found, rows)}


def _one(visit: Visit) -> dict[str, Any]:
    found = visit.get(Part.ACCESS, _path(visit), limit=PAGE, cursor=visit.query.get("cursor"))
    one = found["export"]
    return {
        "one": one,
        "next_cursor": found["next_cursor"],
        "names": _names(visit, [one]),
        "under_way": one["status"] in _UNDER_WAY,
        "manifest": MANIFEST,
    }


def _path(visit: Visit) -> str:
    return f"/exports/{visit.parameters['export_id']}"


def _names(visit: Visit, exports: Sequence[Mapping[str, Any]]) -> Mapping[int, dict[str, Any]]:
    return projects_of(visit, [one["project_id"] for one in exports])


def _are_under_way(found: Loaded, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether it is worth looking again: something is made, or nobody could say just now."""
    passes = found.problem is not None and found.problem.may_work_later
    return passes or any(one["status"] in _UNDER_WAY for one in rows)


def _new_export(visit: Visit) -> dict[str, Any]:
    """What the form asks for; a day stays one. Raises ApiRefusal where its path names no project."""
    fields = visit.fields
    body: dict[str, Any] = {name: fields[name] for name in _ASKED if name != "path" and fields.get(name)}
    if path := fields.get("path"):
        body["project_id"] = int(place_at(visit, path, kinds=("project",)).number)
    return body
