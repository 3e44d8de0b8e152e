"""Why: every way by which somebody has access, drawn, with what would end it; and the plan that ends it."""

from collections.abc import Mapping, Sequence
from typing import Any

from gitlab_hub.console.chain import chain
from gitlab_hub.console.forms import REPEAT_KEY, as_json, json_field
from gitlab_hub.console.hub_api import ApiRefusal, Part
from gitlab_hub.console.names import accounts_of
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit

SECTION = "people"
_SUBJECT = ("account_id", "username")
_PLACE = ("group_id", "project_id", "path")


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    return (
        Screen(method="GET", path=f"{ONE}/why", show=explain, section=SECTION),
        Screen(method="POST", path=f"{ONE}/why/revoke", show=plan_to_revoke, section=SECTION),
    )


def explain(visit: Visit) -> Outcome:
    """Ask whose access to what, or show every way to it."""
    asked = {name: visit.query[name] for name in (*_SUBJECT, *_PLACE) if visit.query.get(name)}
    if not (asked.keys() & set(_SUBJECT) and asked.keys() & set(_PLACE)):
        return Page("why.html", {"asked": asked, "found": None})
    try:
        found = visit.get(Part.ACCESS, "/explain", **asked)
    except ApiRefusal as refusal:
        return Page("why.html", {"asked": asked, "found": None}, status=refusal.status, problem=refusal)
    ways = [{**path, "links": chain(path, found["resource"], found["revoke_at"])} for path in found["paths"]]
    return Page(
        "why.html",
        {
            "asked": asked,
            "found": found,
            "ways": ways,
            "people": accounts_of(visit, [path["granted_by"] for path in found["paths"]]),
            "cuts": as_json([_cut(place) for place in found["revoke_at"]]),
        },
    )


def plan_to_revoke(visit: Visit) -> Outcome:
    """Plan to take away every membership whose removal ends the access, as they were shown."""
    account_id, cuts = json_field(visit.fields, "account_id"), json_field(visit.fields, "cuts")
    operations = [
        {**cut, "op": "revoke", "account_id": account_id} for cut in (cuts if isinstance(cuts, list) else [])
        if isinstance(cut, dict)
    ]  # fmt: skip
    body = {"operations": operations, "note": "End access, planned in the console"}
    plan = visit.post(Part.PROVISIONING, "/plans", body, key=visit.fields.get(REPEAT_KEY, ""))["plan"]
    return GoTo(f"/console/{visit.integration_id}/plans/{plan['id']}")


def _cut(place: Mapping[str, Any]) -> dict[str, Any]:
    return {"resource": {"type": place["type"], "id": place["id"]}, "expected_level": place["level"]}
