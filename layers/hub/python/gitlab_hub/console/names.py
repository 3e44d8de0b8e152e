"""Whose names stand behind GitLab's ids, and which group or project a path names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitlab_hub.console.hub_api import ApiRefusal, Part
from gitlab_hub.console.screens import Visit

MOST = 100


def accounts_of(visit: Visit, ids: Iterable[int | None]) -> Mapping[int, dict[str, Any]]:
    """The accounts of these ids, as far as they can be had: a page without names is better than none."""
    return _named(visit, "accounts", ids)


def projects_of(visit: Visit, ids: Iterable[int | None]) -> Mapping[int, dict[str, Any]]:
    """The projects of these ids, as far as they can be had."""
    return _named(visit, "projects", ids)


@dataclass(frozen=True, slots=True)
class Place:
    """A group or project that a page is narrowed to: `name` is "group" or "project", `number` GitLab's id of it."""

    name: str
    number: str
    full_path: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The parameter that narrows a list of the API to it."""
        return {f"{self.name}_id": self.number}


def place_in(visit: Visit) -> Place | None:
    """The group or project that an address names by its id, with its path as far as it can be had."""
    for name in ("project", "group"):
        if number := visit.query.get(f"{name}_id"):
            found = visit.api.load(visit.ask(Part.ACCESS, f"/{name}s", id=number))
            rows = found[f"{name}s"] if found else []
            return Place(name, number, rows[0]["full_path"] if rows else "")
    return None


def place_at(visit: Visit, path: str, *, kinds: Sequence[str] = ("project", "group")) -> Place:
    """The group or project at a full path. Raises ApiRefusal where there is none of `kinds`, or nobody can say."""
    for name in kinds:
        rows = visit.get(Part.ACCESS, f"/{name}s", path=path)[f"{name}s"]
        if rows:
            return Place(name, str(rows[0]["id"]), rows[0]["full_path"])
    raise ApiRefusal(
        404, "not_found",
        f"There is no {' or '.join(sorted(kinds))} at this path; write it as in GitLab's address, like acme/app.",
        retryable=False, request_id=visit.api.request_id,
    )  # fmt: skip


def _named(visit: Visit, plural: str, ids: Iterable[int | None]) -> Mapping[int, dict[str, Any]]:
    wanted = sorted({one for one in ids if one is not None})[:MOST]
    if not wanted:
        return {}
    found = visit.api.load(visit.ask(Part.ACCESS, f"/{plural}", id=wanted, limit=MOST))
    return {one["id"]: one for one in found[plural]} if found else {}
