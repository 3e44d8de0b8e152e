"""Home: how access, pipelines and builds are, what needs a person, how far the syncs are, and what is not seen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gitlab_hub.console.forms import REPEAT_KEY, choice
from gitlab_hub.console.hub_api import Ask, Loaded, Part
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit

ONE = "/console/<integration_id>"
SECTION = "home"

VERDICTS = ("accept", "reject")
_INCIDENTS, _UNSEEN, _BUILDS = 20, 8, 50
_UNDER_WAY = frozenset({"queued", "running", "parked"})
_NOTICES = {
    "sync": "The sync is queued; this page shows how far it is.",
    "accept": "Accepted: another sync is queued, which may remove what was missing.",
    "authorized": "GitLab has let the hub in. Syncs of a new integration begin by themselves within a minute.",
    "reject": "Rejected: nothing was removed. The next sync judges anew.",
}


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    return (
        Screen(method="GET", path="/console", show=first, section=SECTION),
        Screen(method="GET", path=ONE, show=overview, section=SECTION),
        Screen(method="GET", path=f"{ONE}/syncs", show=progress, section=SECTION, is_poll=True),
        Screen(method="POST", path=f"{ONE}/syncs", show=start, section=SECTION),
        Screen(method="POST", path=f"{ONE}/syncs/verdict", show=judge, section=SECTION),
    )


def first(visit: Visit) -> Outcome:
    """Where one comes in: the one integration there is, or a choice of them."""
    found = visit.api.load_all(
        {
            "integrations": Ask(
                part=Part.INTEGRATIONS, path="/v1/integrations", query={"cursor": visit.query.get("cursor")}
            ),
            "incidents": Ask(part=Part.OPERATIONS, path="/v1/incidents", query={"limit": _INCIDENTS}),
        }
    )
    integrations = found["integrations"]
    if integrations and len(integrations["integrations"]) == 1 and not integrations["next_cursor"]:
        return GoTo(f"/console/{integrations['integrations'][0]['id']}")
    return Page("integrations.html", found)


def overview(visit: Visit) -> Outcome:
    """One integration at a glance."""
    found = visit.api.load_all(
        {
            "integration": visit.ask(Part.INTEGRATIONS, ""),
            "summary": visit.ask(Part.ACCESS, "/access-summary"),
            "builds": Ask(
                part=Part.BUILDS, path="/v1/builds", query={"integration_id": visit.integration_id, "limit": _BUILDS}
            ),
            "incidents": Ask(
                part=Part.OPERATIONS,
                path="/v1/incidents",
                query={"integration_id": visit.integration_id, "limit": _INCIDENTS},
            ),
            "unseen": visit.ask(Part.INTEGRATIONS, "/scopes", limit=_UNSEEN),
            "completeness": visit.ask(Part.PIPELINES, "/pipelines/completeness", limit=200),
        }
    )
    integration = found["integration"]
    if integration.problem is not None:
        raise integration.problem
    return Page(
        "home.html",
        {
            **found,
            "figures": _figures(found["summary"]),
            "build_counts": Counter(one["status"] for one in _rows(found["builds"], "builds")),
            "stored_projects": _stored(found["completeness"]),
            "lacking": _lacking(integration["integration"]["capabilities"]),
            **_syncs(integration["integration"]["sync"]),
            "notice": _NOTICES.get(visit.query.get("done", "")),
        },
    )


def progress(visit: Visit) -> Outcome:
    """How far the syncs are: a piece of the page that asks for it, or a page for whoever has no script."""
    kinds = visit.get(Part.INTEGRATIONS, "/sync")["kinds"]
    if not visit.is_fragment:
        return GoTo(f"/console/{visit.integration_id}")
    return Page("syncs.html", _syncs(kinds))


def start(visit: Visit) -> Outcome:
    """Start a sync of the kinds that were chosen."""
    kinds = [kind for kind in ("access", "pipelines", "credentials") if visit.fields.get(kind) == "on"]
    visit.post(Part.INTEGRATIONS, "/sync", {"kinds": kinds} if kinds else {}, key=visit.fields.get(REPEAT_KEY, ""))
    return GoTo(f"/console/{visit.integration_id}?done=sync")


def judge(visit: Visit) -> Outcome:
    """Accept or reject what a suspect sync would remove."""
    verdict = choice(visit.fields, "verdict", VERDICTS)
    body = {"kind": visit.fields.get("kind", "")}
    visit.post(Part.INTEGRATIONS, f"/sync/{verdict}", body, key=visit.fields.get(REPEAT_KEY, ""))
    return GoTo(f"/console/{visit.integration_id}?done={verdict}")


def _syncs(kinds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"kinds": kinds, "under_way": any(one["status"] in _UNDER_WAY for one in kinds.values())}


def _rows(loaded: Loaded, name: str) -> list[dict[str, Any]]:
    return list(loaded[name]) if loaded else []


def _figures(summary: Loaded) -> dict[str, int]:
    return {one["name"]: one["count"] for one in _rows(summary, "figures")}


def _stored(completeness: Loaded) -> dict[str, int] | None:
    if not completeness:
        return None
    rows = completeness["completeness"]
    sums = {name: sum(one[name] or 0 for one in rows) for name in ("stored", "listed")}
    return {"projects": len(rows), **sums, "owed": sum(len(one["owed"]) for one in rows)}


def _lacking(capabilities: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in capabilities if one["available"] != "yes" and one["to_change"]]
