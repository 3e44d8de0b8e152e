"""Builds: what was built, where, how it went, and approving, repeating or cancelling one."""

from collections.abc import Sequence

from gitlab_hub.console import choices
from gitlab_hub.console.forms import REPEAT_KEY, choice
from gitlab_hub.console.hub_api import Ask, Part
from gitlab_hub.console.pages.home import ONE
from gitlab_hub.console.screens import GoTo, Outcome, Page, Screen, Visit

SECTION = "builds"
VERBS = ("approve", "rerun", "cancel")
_PAGE = 50


def screens() -> Sequence[Screen]:
    """All screens of this part."""
    one = f"{ONE}/builds/<build_id>"
    return (
        Screen(method="GET", path=f"{ONE}/builds", show=builds, section=SECTION),
        Screen(method="GET", path=one, show=build, section=SECTION),
        Screen(method="POST", path=one, show=act, section=SECTION),
    )


def builds(visit: Visit) -> Outcome:
    """The builds, the newest first."""
    filters = {name: visit.query.get(name, "") for name in ("status", "ref", "project_id", "trigger_id")}
    query = {"integration_id": visit.integration_id, "limit": _PAGE, "cursor": visit.query.get("cursor"), **filters}
    found = visit.api.load(Ask(part=Part.BUILDS, path="/v1/builds", query=query))
    return Page("builds.html", {"found": found, "filters": filters, "statuses": choices.BUILD_STATUSES})


def build(visit: Visit) -> Outcome:
    """One build, from what set it off to what GitLab was told of it."""
    one = visit.api.call(Ask(part=Part.BUILDS, path=f"/v1/builds/{visit.parameters['build_id']}"))["build"]
    visit.check_own(one)
    return Page("build.html", {"one": one})


def act(visit: Visit) -> Outcome:
    """Approve, repeat or cancel a build; a repeated one is a new build."""
    verb = choice(visit.fields, "verb", VERBS)
    path, key = f"/v1/builds/{visit.parameters['build_id']}/{verb}", visit.fields.get(REPEAT_KEY, "")
    made = visit.api.call(Ask(part=Part.BUILDS, path=path, method="POST", body={}, key=key))["build"]
    return GoTo(f"/console/{visit.integration_id}/builds/{made['id']}")
