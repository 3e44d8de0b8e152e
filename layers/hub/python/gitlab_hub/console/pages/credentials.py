"""Credentials: the tokens and keys that reach the GitLab, by risk, owner and age."""

from collections.abc import Sequence

from gitlab_hub.console import choices
from gitlab_hub.console.hub_api import Part
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.screens import Outcome, Page, Screen, Visit

SECTION = "credentials"
_PAGE = 50


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    return (Screen(method="GET", path=f"{ONE}/credentials", show=credentials, section=SECTION),)


def credentials(visit: Visit) -> Outcome:
    """Tokens and keys, with how many have which risk."""
    filters = {name: visit.query.get(name, "") for name in ("kind", "risk", "account_id", "expiring_within_days")}
    found = visit.api.load_all(
        {
            "credentials": visit.ask(
                Part.ACCESS, "/gitlab-credentials", limit=_PAGE, cursor=visit.query.get("cursor"), **filters
            ),
            "summary": visit.ask(Part.ACCESS, "/access-summary"),
        }
    )
    figures = found["summary"]["figures"] if found["summary"] else []
    risks = {one["name"].removeprefix("credentials_"): one["count"] for one in figures
             if one["name"].startswith("credentials_")}  # fmt: skip
    return Page("credentials.html", {**found, "filters": filters, "kinds": choices.CREDENTIAL_KINDS, "risks": risks})
