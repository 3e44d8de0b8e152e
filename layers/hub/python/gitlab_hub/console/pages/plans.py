"""Plans: what would change in GitLab and by which calls; applying one as it was shown, and taking it back."""

from collections.abc import Sequence

from gitlab_hub.console.forms import REPEAT_KEY
from gitlab_hub.console.hub_api import ApiRefusal, Part
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit

SECTION = "plans"
_PAGE = 50
_NOTICES = {
    "applied": "The plan is being applied; this page shows what becomes of each operation.",
    "undo": "This plan takes the other one back. Nothing has changed yet: look at it, then apply it.",
}


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    one = f"{ONE}/plans/<plan_id>"
    return (
        Screen(method="GET", path=f"{ONE}/plans", show=plans, section=SECTION),
        Screen(method="GET", path=one, show=plan, section=SECTION),
        Screen(method="GET", path=f"{one}/progress", show=progress, section=SECTION, is_poll=True),
        Screen(method="POST", path=f"{one}/apply", show=apply, section=SECTION),
        Screen(method="POST", path=f"{one}/undo", show=undo, section=SECTION),
    )


def plans(visit: Visit) -> Outcome:
    """All plans, the newest first."""
    found = visit.api.load(visit.ask(Part.PROVISIONING, "/plans", limit=_PAGE, cursor=visit.query.get("cursor")))
    return Page("plans.html", {"found": found})


def plan(visit: Visit) -> Outcome:
    """One plan, whatever has become of it."""
    notice = _NOTICES.get(visit.query.get("done", ""))
    return Page("plan.html", {"plan": _plan(visit), "notice": notice, "visit": visit})


def progress(visit: Visit) -> Outcome:
    """How far a plan is that is being applied."""
    if not visit.is_fragment:
        return GoTo(_address(visit))
    return Page("plan_body.html", {"plan": _plan(visit), "visit": visit})


def apply(visit: Visit) -> Outcome:
    """Apply the plan that was shown: its hash says which."""
    body: dict[str, object] = {"hash": visit.fields.get("hash", "")}
    if reason := visit.fields.get("reason"):
        body["override"] = {"reason": reason}
    path = f"/plans/{visit.parameters['plan_id']}/apply"
    try:
        visit.post(Part.PROVISIONING, path, body, key=visit.fields.get(REPEAT_KEY, ""))
    except ApiRefusal as refusal:
        values = {"plan": _plan(visit), "notice": None, "visit": visit}
        return Page("plan.html", values, status=refusal.status, problem=refusal)
    return GoTo(f"{_address(visit)}?done=applied")


def undo(visit: Visit) -> Outcome:
    """Plan to take a plan back."""
    path = f"/plans/{visit.parameters['plan_id']}/undo"
    made = visit.post(Part.PROVISIONING, path, {}, key=visit.fields.get(REPEAT_KEY, ""))["plan"]
    return GoTo(f"/console/{visit.integration_id}/plans/{made['id']}?done=undo")


def _plan(visit: Visit) -> dict[str, object]:
    return dict(visit.get(Part.PROVISIONING, f"/plans/{visit.parameters['plan_id']}")["plan"])


def _address(visit: Visit) -> str:
    return f"/console/{visit.integration_id}/plans/{visit.parameters['plan_id']}"
