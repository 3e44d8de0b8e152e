"""What a role may not do, or not even see, no page of it offers."""

from dataclasses import replace

import pytest

from gitlab_hub.console.pages import screens
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.ports import Kind
from tests.functional.console.console_hub import START, ConsoleHub
from tests.functional.console.test_screens import addresses
from tests.functional.console.visitor import Visitor, links

ROLES = ("viewer", "developer", "admin", "owner")
HIDDEN = {"viewer": {"plans", "requests", "reviews", "exports"}, "developer": {"plans", "reviews", "exports"}}


@pytest.fixture(scope="module")
def hub() -> ConsoleHub:
    """A hub with a sync that waits for somebody to say whether its removals are right."""
    hub = ConsoleHub()
    store = hub.container.syncs.runs
    hub.container.syncs.request(hub.own, ["access"])
    run = replace(store.load(hub.own, Kind.ACCESS), suspected={"grants": 40})
    store.end(runs.finish(run, now=START))
    return hub


def visitor_of(hub: ConsoleHub, role: str) -> Visitor:
    return hub.signed_in(hub.token(role=role)["token"])


def sections(hub: ConsoleHub, visitor: Visitor) -> set[str]:
    """The lists that a page leads to."""
    lists = {screen.path.replace("<integration_id>", hub.own) for screen in screens() if screen.path.count("<") == 1}
    return lists & set(links(visitor.get(f"{hub.base}/why")))


def actions(hub: ConsoleHub, visitor: Visitor) -> set[str]:
    forms = [form for address in addresses(hub) for form in visitor.get(address).elements("form")]
    return {str(form["action"]) for form in forms if form.get("method") == "post"} - {"/console/sign-out"}


def test_a_viewer_is_shown_no_button_that_the_api_would_refuse(hub: ConsoleHub) -> None:
    viewer = visitor_of(hub, "viewer")
    assert actions(hub, viewer) == set()
    assert "An admin of the hub says whether that is right" in viewer.get(hub.base).text
    form = {"form_key": viewer.get(hub.base).form("/console/sign-out")["form_key"]}
    assert viewer.post(f"{hub.base}/syncs", form).status == 403
    refused = viewer.post("/console/connect", form)
    assert (refused.status, "permission_denied" in refused.text) == (403, True)


def test_an_admin_is_asked_about_the_suspect_sync(hub: ConsoleHub) -> None:
    assert {f"{hub.base}/syncs/verdict", "/console/connect"} <= actions(hub, visitor_of(hub, "admin"))


@pytest.mark.parametrize("role", ROLES)
def test_the_sections_are_those_that_the_role_may_open(hub: ConsoleHub, role: str) -> None:
    visitor = visitor_of(hub, role)
    mine, hidden = sections(hub, visitor), sections(hub, visitor_of(hub, "owner")) - sections(hub, visitor)
    assert [path for path in mine if "permission_denied" in visitor.get(path).text] == []
    assert {path.rpartition("/")[2] for path in hidden} == HIDDEN.get(role, set())
    assert [path for path in hidden if "permission_denied" not in visitor.get(path).text] == []
