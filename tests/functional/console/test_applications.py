"""Connecting a GitLab by an OAuth application on pages: kept, led to GitLab, and told what became of it."""

from typing import Any
from urllib.parse import urlencode

import pytest

from gitlab_hub.console.pages.applications import DONE, PATH
from tests.functional.console.console_hub import ConsoleHub
from tests.functional.console.test_screens import check
from tests.functional.console.visitor import Shown, Visitor, links

CONNECT = "https://hub.example.com/v1/integrations/gitlab/connect/"
FIELDS = {
    "host_url": "https://third.example.com",
    "client_id": "a1b2",
    "client_secret": "gloas-canary-4Rt7",
    "manage_webhooks": "on",
}


@pytest.fixture(scope="module")
def hub() -> ConsoleHub:
    return ConsoleHub()


@pytest.fixture
def visitor(hub: ConsoleHub) -> Visitor:
    return hub.signed_in()


def ways(shown: Shown) -> list[str]:
    """The links to GitLab on a page."""
    return [one for one in links(shown) if one.startswith(CONNECT)]


def flows(hub: ConsoleHub) -> list[dict[str, Any]]:
    """The authorizations under way."""
    return [row for row in hub.tables["integrations"].dump() if row["pk"].startswith("OAUTH_TICKET#")]


def test_an_application_is_kept_and_leads_to_gitlab_and_back_to_the_console(hub: ConsoleHub, visitor: Visitor) -> None:
    form = visitor.get("/console/connect")
    assert PATH in links(form)
    shown = visitor.submit(visitor.get(PATH), PATH, **FIELDS)
    check(shown)
    assert (shown.status, len(ways(shown)), FIELDS["client_secret"] in shown.html) == (200, 1, False)
    assert "https://hub.example.com/v1/integrations/gitlab/callback" in shown.text
    [flow] = flows(hub)
    assert (flow["redirect_url"], flow["signed_in"]) == (f"https://hub.example.com{DONE}", {})
    home = visitor.get(f"/console/{flow['integration_id']}")
    assert (home.status, "Nobody has authorized it at GitLab yet" in home.text) == (200, True)
    settings = visitor.get(f"/console/{flow['integration_id']}/settings")
    again = visitor.submit(settings, f"/console/{flow['integration_id']}/authorize", provisioning="on")
    assert (again.status, len(ways(again)), ways(again) != ways(shown)) == (200, 1, True)
    assert [one["features"] for one in flows(hub) if one["features"]] == [{"provisioning": True}]


def test_a_form_that_is_sent_twice_leads_the_same_way(visitor: Visitor) -> None:
    form = visitor.get(PATH)
    fields = {**FIELDS, "host_url": "https://fourth.example.com"}
    assert ways(visitor.submit(form, PATH, **fields)) == ways(visitor.submit(form, PATH, **fields))


def test_what_is_wrong_is_said_and_the_secret_is_pasted_once_more(visitor: Visitor) -> None:
    shown = visitor.submit(visitor.get(PATH), PATH, **{**FIELDS, "host_url": "ftp://third.example.com"})
    values = {str(one.get("name")): one.get("value") for one in shown.elements("input")}
    assert (shown.status, "invalid_url" in shown.text, FIELDS["client_secret"] in shown.html) == (400, True, False)
    assert (values["client_id"], values["client_secret"]) == ("a1b2", None)


def test_whoever_comes_back_is_led_on_or_told_why_not(hub: ConsoleHub, visitor: Visitor) -> None:
    def back(**told: str) -> Shown:
        return visitor.get(f"{DONE}?{urlencode({'integration_id': hub.own, **told})}")

    assert "GitLab has let the hub in" in back(gitlab="success").text
    for code, words in {
        "duplicate_integration": "connected already",
        "authorization_denied": "denied at GitLab",
        "gitlab_account_mismatch": "A different GitLab user",
        "invalid_permissions": "Fix what the code says",
    }.items():
        shown = back(gitlab="error", code=code, existing_integration_id=hub.other)
        check(shown)
        assert (words in shown.text, code in shown.text) == (True, True)
        assert (f"/console/{hub.other}" in links(shown)) is (code == "duplicate_integration")
    odd = visitor.get(f"{DONE}?{urlencode({'gitlab': 'success', 'integration_id': '//evil', 'code': '<b>'})}")
    assert ("//evil" in odd.html, "unknown" in odd.text) == (False, True)


def test_who_may_not_connect_gets_no_form(hub: ConsoleHub) -> None:
    viewer = hub.signed_in(hub.token(role="viewer")["token"])
    assert PATH not in {one.get("action") for one in viewer.get(PATH).elements("form")}
