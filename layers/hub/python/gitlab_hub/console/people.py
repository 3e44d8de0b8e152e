"""Whose names stand behind GitLab's ids."""

from collections.abc import Iterable, Mapping
from typing import Any

from gitlab_hub.console.hub_api import Part
from gitlab_hub.console.screens import Visit

MOST = 100


def accounts_of(visit: Visit, ids: Iterable[int | None]) -> Mapping[int, dict[str, Any]]:
    """The accounts of these ids, as far as they can be had: a page without names is better than none."""
    wanted = sorted({one for one in ids if one is not None})[:MOST]
    if not wanted:
        return {}
    found = visit.api.load(visit.ask(Part.ACCESS, "/accounts", id=wanted, limit=MOST))
    return {one["id"]: one for one in found["accounts"]} if found else {}
