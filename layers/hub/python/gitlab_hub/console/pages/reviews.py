"""Access reviews: who has what, frozen at one moment, for people to keep, revoke or lower item by item or at once."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from gitlab_hub.console import choices, times
from gitlab_hub.console.forms import REPEAT_KEY, number
from gitlab_hub.console.hub_api import ApiRefusal, Part
from gitlab_hub.console.names import place_at
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.rendering import url_with
from gitlab_hub.console.screens import Download, GoTo, Outcome, Page, Screen, Visit

SECTION = "reviews"
FOR_ALL = ("keep", "revoke")
"""What a reviewer may answer for everything shown."""
CHANGE = "change"
DECIDED = (*FOR_ALL, CHANGE)
"""What a reviewer may answer."""
FILTERS = (
    "decision", "q", "inactive_days", "two_factor_enabled", "external", "min_access_level", "expiring_within_days"
)  # fmt: skip
ITEM = "item-"
"""What the field of an item is called, before its id."""
LEVEL = "level-"
"""What the field of the role to lower it to is called, before its id."""
PAGE = 50
_MOST_LEVEL = 50
_MOST_REVIEWERS = 50


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    one = f"{ONE}/reviews/<review_id>"
    return (
        Screen(method="GET", path=f"{ONE}/reviews", show=reviews, section=SECTION),
        Screen(method="POST", path=f"{ONE}/reviews", show=create, section=SECTION),
        Screen(method="GET", path=one, show=review, section=SECTION),
        Screen(method="POST", path=one, show=decide, section=SECTION),
        Screen(method="POST", path=f"{one}/close", show=close, section=SECTION),
        Screen(method="GET", path=f"{one}/file", show=download, section=SECTION),
    )


def reviews(visit: Visit) -> Outcome:
    """All reviews, with how far they are."""
    return _list(visit)


def create(visit: Visit) -> Outcome:
    """Freeze who has what now, and go to what is to be decided."""
    try:
        body = _new_review(visit)
        made = visit.post(Part.ACCESS, "/reviews", body, key=visit.fields.get(REPEAT_KEY, ""))
    except ApiRefusal as refusal:
        return _list(visit, refusal)
    return GoTo(f"/console/{visit.integration_id}/reviews/{made['review']['id']}")


def review(visit: Visit) -> Outcome:
    """One review: its items, narrowed by what stands in the address."""
    return _one(visit)


def decide(visit: Visit) -> Outcome:
    """Take the decisions of a page: those that were chosen, or one for everything shown."""
    decisions = decisions_in(visit.fields)
    if not decisions:
        return GoTo(_address(visit, done="none"))
    try:
        visit.patch(Part.ACCESS, f"/reviews/{visit.parameters['review_id']}/items", {"decisions": decisions})
    except ApiRefusal as refusal:
        return _one(visit, refusal)
    return GoTo(_address(visit, done=str(len(decisions))))


def close(visit: Visit) -> Outcome:
    """End the review, and go to the plan of what was decided; say what that leaves out."""
    path = f"/reviews/{visit.parameters['review_id']}/close"
    try:
        closed = visit.post(Part.PROVISIONING, path, {}, key=visit.fields.get(REPEAT_KEY, ""))
    except ApiRefusal as refusal:
        return _one(visit, refusal)
    if closed["plan_id"] and not closed["left_out"]:
        return GoTo(f"/console/{visit.integration_id}/plans/{closed['plan_id']}")
    return _one(visit, closed=closed)


def download(visit: Visit) -> Outcome:
    """The file for an auditor."""
    name = f"{visit.parameters['review_id']}.csv"
    return Download(name, "text/csv", visit.api.text(visit.ask(Part.ACCESS, f"/reviews/{name}")))


def decisions_in(fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """Read the decisions of a form: for each item the one that was chosen, or that of the button for all of them."""
    for_all, comment = fields.get("all", ""), fields.get("comment", "")
    more = {"comment": comment} if comment else {}
    ids = [name.removeprefix(ITEM) for name in fields if name.startswith(ITEM)]
    shown = fields.get("items", "").split() if for_all in FOR_ALL else ids
    found = [(one, for_all if for_all in FOR_ALL else fields[f"{ITEM}{one}"]) for one in shown[: 4 * PAGE]]
    return [
        {"item_id": one, "decision": choice, **more, **(_lowered(fields, one) if choice == CHANGE else {})}
        for one, choice in found
        if choice in DECIDED
    ]


def _lowered(fields: Mapping[str, str], item_id: str) -> dict[str, int]:
    """The role to lower an item to; where there is none, the API says so."""
    level = number(fields.get(f"{LEVEL}{item_id}", ""), most=_MOST_LEVEL)
    return {} if level is None else {"access_level": level}


def _list(visit: Visit, refusal: ApiRefusal | None = None) -> Page:
    found = visit.api.load(visit.ask(Part.ACCESS, "/reviews", limit=PAGE, cursor=visit.query.get("cursor")))
    values = {"found": found, "given": visit.fields, "kinds": choices.ACCOUNT_KINDS, "levels": choices.LEVELS}
    return Page("reviews.html", values, status=refusal.status if refusal else HTTPStatus.OK, problem=refusal)


def _one(visit: Visit, refusal: ApiRefusal | None = None, *, closed: Mapping[str, Any] | None = None) -> Page:
    """A review; whoever is named as a reviewer sees its items and decides, also without the role for the rest."""
    where = f"/reviews/{visit.parameters['review_id']}"
    filters = {name: visit.query.get(name, "") for name in FILTERS}
    found = visit.api.load_all(
        {
            "items": visit.ask(
                Part.ACCESS, f"{where}/items", limit=PAGE, cursor=visit.query.get("cursor"), **filters
            ),
            "review": visit.ask(Part.ACCESS, where),
        }
    )  # fmt: skip
    items, whole = found["items"], found["review"]
    if items.problem is not None and whole.problem is not None:
        raise items.problem
    one = whole["review"] if whole else None
    chosen = {name.removeprefix(ITEM): value for name, value in visit.fields.items() if name.startswith(ITEM)}
    values = {
        **found, "one": one, "review_id": visit.parameters["review_id"], "filters": filters,
        "answers": choices.DECISIONS, "levels": choices.LEVELS, "chosen": chosen, "closed": closed,
        "query": {name: value for name, value in filters.items() if value},
        "is_open": one is None or one["status"] == "open", "done": number(visit.query.get("done", ""), most=10**6),
    }  # fmt: skip
    return Page("review.html", values, status=refusal.status if refusal else HTTPStatus.OK, problem=refusal)


def _address(visit: Visit, **more: str) -> str:
    """The same items again: the filters and the position stand in the address that the form was sent to."""
    kept = {name: visit.query.get(name, "") for name in (*FILTERS, "cursor")}
    return url_with(visit.path, **kept, **more)


def _new_review(visit: Visit) -> dict[str, Any]:
    """What the form asks for. Raises ApiRefusal where its path names nothing."""
    fields = visit.fields
    scope: dict[str, Any] = {}
    if path := fields.get("path"):
        place = place_at(visit, path)
        scope[f"{place.name}_id"] = int(place.number)
    if (level := number(fields.get("min_access_level", ""), most=_MOST_LEVEL)) is not None:
        scope["min_access_level"] = level
    if kinds := [kind for kind in choices.ACCOUNT_KINDS if fields.get(f"kind-{kind}") == "on"]:
        scope["kinds"] = kinds
    body: dict[str, Any] = {"title": fields.get("title", ""), "scope": scope}
    reviewers = fields.get("reviewers", "").replace(",", " ").split()
    if reviewers:
        body["reviewers"] = reviewers[: _MOST_REVIEWERS + 1]
    if due := fields.get("due"):
        body["due_at"] = times.end_of(due)
    return body
