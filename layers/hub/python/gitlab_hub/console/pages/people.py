"""People: searching persons, groups and projects; what one person reaches, and who reaches one group or project."""

from collections.abc import Sequence

from gitlab_hub.console import choices
from gitlab_hub.console.hub_api import Part
from gitlab_hub.console.names import accounts_of
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.screens import Outcome, Page, Screen, Visit

SECTION = "people"
_FOUND, _PAGE = 10, 50


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    return (
        Screen(method="GET", path=f"{ONE}/people", show=search, section=SECTION),
        Screen(method="GET", path=f"{ONE}/people/<account_id>", show=person, section=SECTION),
        Screen(method="GET", path=f"{ONE}/groups/<group_id>", show=group, section=SECTION),
        Screen(method="GET", path=f"{ONE}/projects/<project_id>", show=project, section=SECTION),
    )


FILTERS = ("kind", "status", "inactive_days", "is_admin", "external", "two_factor_enabled", "without_grants")


def search(visit: Visit) -> Outcome:
    """Everybody, or whatever has a name like the one that is looked for."""
    q, filters = visit.query.get("q", ""), {name: visit.query.get(name, "") for name in FILTERS}
    asks = {
        "accounts": visit.ask(Part.ACCESS, "/accounts", q=q, limit=_PAGE, cursor=visit.query.get("cursor"), **filters)
    }
    if q:
        asks["groups"] = visit.ask(Part.ACCESS, "/groups", q=q, limit=_FOUND)
        asks["projects"] = visit.ask(Part.ACCESS, "/projects", q=q, limit=_FOUND)
    offered = {"kinds": choices.ACCOUNT_KINDS, "statuses": choices.ACCOUNT_STATUSES}
    return Page("people.html", {**visit.api.load_all(asks), "q": q, "filters": filters, **offered})


def person(visit: Visit) -> Outcome:
    """What one person reaches, and by which way."""
    number, cursor = visit.parameters["account_id"], visit.query.get("cursor")
    found = visit.api.load_all(
        {
            "account": visit.ask(Part.ACCESS, f"/accounts/{number}"),
            "grants": visit.ask(
                Part.ACCESS, "/grants", view="effective", account_id=number, limit=_PAGE, cursor=cursor,
                kind=visit.query.get("kind"),
            ),
            "credentials": visit.ask(Part.ACCESS, "/gitlab-credentials", account_id=number, limit=_FOUND),
        }
    )  # fmt: skip
    if (problem := found["account"].problem) is not None:
        raise problem
    return Page("person.html", {**found, "account": found["account"]["account"], "kind": visit.query.get("kind", "")})


def group(visit: Visit) -> Outcome:
    """Who reaches a group."""
    return _resource(visit, "group", visit.parameters["group_id"])


def project(visit: Visit) -> Outcome:
    """Who reaches a project."""
    return _resource(visit, "project", visit.parameters["project_id"])


def _resource(visit: Visit, kind: str, number: str) -> Outcome:
    found = visit.api.load_all(
        {
            "resource": visit.ask(Part.ACCESS, f"/{kind}s/{number}"),
            "grants": visit.ask(
                Part.ACCESS, "/grants", view="effective", limit=_PAGE, cursor=visit.query.get("cursor"),
                min_access_level=visit.query.get("min_access_level"), **{f"{kind}_id": number},
            ),
        }
    )  # fmt: skip
    if (problem := found["resource"].problem) is not None:
        raise problem
    grants = found["grants"]
    people = accounts_of(visit, [one["account_id"] for one in grants["grants"]]) if grants else {}
    values = {**found, "resource": found["resource"][kind], "kind": kind, "people": people}
    return Page("resource.html", {**values, "min_access_level": visit.query.get("min_access_level", "")})
