"""Requests for access for a while: who asks for what, and approving, denying or ending it."""

from collections.abc import Sequence

from gitlab_hub.console import choices
from gitlab_hub.console.forms import REPEAT_KEY, choice, number
from gitlab_hub.console.hub_api import ApiRefusal, Part
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit

SECTION = "requests"
VERBS = ("approve", "deny", "revoke")
_PAGE = 50
_LARGEST = 10**9


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    return (
        Screen(method="GET", path=f"{ONE}/requests", show=requests, section=SECTION),
        Screen(method="POST", path=f"{ONE}/requests", show=ask, section=SECTION),
        Screen(method="POST", path=f"{ONE}/requests/<request_id>", show=decide, section=SECTION),
    )


def requests(visit: Visit) -> Outcome:
    """The requests, the newest first."""
    return _page(visit)


def ask(visit: Visit) -> Outcome:
    """Ask for access for somebody."""
    fields = visit.fields
    numbers = {name: _given(fields.get(name, "")) for name in ("access_level", "minutes")}
    body = {
        "username": fields.get("username", ""),
        "resource": {"full_path": fields.get("path", ""), "type": fields.get("type", "")},
        **numbers,
        "reason": fields.get("reason", ""),
    }
    try:
        visit.post(Part.PROVISIONING, "/access-requests", body, key=fields.get(REPEAT_KEY, ""))
    except ApiRefusal as refusal:
        return _page(visit, refusal)
    return GoTo(f"/console/{visit.integration_id}/requests?done=ask")


def decide(visit: Visit) -> Outcome:
    """Approve, deny or end a request."""
    verb = choice(visit.fields, "verb", VERBS)
    comment = visit.fields.get("comment", "")
    path = f"/access-requests/{visit.parameters['request_id']}/{verb}"
    body = {"comment": comment} if comment else {}
    try:
        visit.post(Part.PROVISIONING, path, body, key=visit.fields.get(REPEAT_KEY, ""))
    except ApiRefusal as refusal:
        return _page(visit, refusal)
    return GoTo(f"/console/{visit.integration_id}/requests?done={verb}")


def _given(text: str) -> int | str:
    """A number as one; of anything else the API says what is wrong with it."""
    found = number(text, most=_LARGEST)
    return text if found is None else found


def _page(visit: Visit, refusal: ApiRefusal | None = None) -> Page:
    status = visit.query.get("status", "")
    found = visit.api.load(
        visit.ask(Part.PROVISIONING, "/access-requests", status=status, limit=_PAGE, cursor=visit.query.get("cursor"))
    )
    offered = {"statuses": choices.REQUEST_STATUSES, "levels": choices.LEVELS}
    values = {"found": found, "status": status, "given": visit.fields, **offered}
    return Page("requests.html", values, status=refusal.status if refusal else 200, problem=refusal)
