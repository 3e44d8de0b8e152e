"""Every page in a real browser: accessible in light, dark and on a phone, by keyboard alone, and without a script."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Console
from tests.browser.webdriver import Browser

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
LOOKS = {"light": (1280, "light"), "dark": (1280, "dark"), "phone": (320, "light")}
RUN = """
const done = arguments[arguments.length - 1];
const wanted = {resultTypes: ["violations"], rules: {"target-size": {enabled: true}}};
axe.run(document, wanted).then((found) => done(found.violations.map(
  (one) => one.id + ": " + one.nodes.map((node) => node.html.slice(0, 200)).join(" | "))));
"""
TAB, ENTER, SPACE = "\ue004", "\ue007", "\ue00d"


def pages(console: Console) -> dict[str, str]:
    """A page of each kind, with something on it."""
    row = _shared(console)
    account, place = row["account_id"], row["resource"]
    return {
        "sign-in": "/console/sign-in",
        "nothing": "/console/nothing",
        "connect": "/console/connect",
        "application": "/console/connect/application",
        "not authorized": "/console/connect/done?gitlab=error&code=authorization_denied",
        "home": "",
        "people": "/people?q=a",
        "nobody": "/people?q=zzzzzz",
        "person": f"/people/{account}",
        "place": f"/{place['type']}s/{place['id']}",
        "ask": "/why",
        "why": f"/why?account_id={account}&{place['type']}_id={place['id']}",
        "changes": "/changes",
        "plans": "/plans",
        "requests": "/requests",
        "credentials": "/credentials",
        "reviews": "/reviews",
        "review": f"/reviews/{review_of(console)}",
        "figures": "/pipelines?days=90",
        "no figures": "/pipelines?from=2020-01-01&to=2020-01-07",
        "failures": "/pipelines/failures?days=90",
        "pipelines": "/pipelines/list",
        "pipeline": _busiest(console),
        "jobs": "/jobs?status=failed",
        "exports": "/exports",
        "export": f"/exports/{export_of(console)}",
        "export to come": f"/exports/{export_of(console, is_made=False)}",
        "settings": "/settings",
        "tokens": "/settings/tokens",
        "audit": "/settings/audit",
        "hooks": "/settings/hooks",
        "triggers": "/settings/triggers",
        "trigger": f"/settings/triggers/{first(console, 'triggers')}",
        "change a trigger": f"/settings/triggers/{first(console, 'triggers')}/edit",
        "deliveries": "/deliveries",
        "delivery": f"/deliveries/{first(console, 'deliveries')}",
        "replay": "/deliveries/replay",
        "builds": "/builds",
        "build": f"/builds/{first(console, 'builds')}",
    }


def first(console: Console, what: str) -> str:
    """The first of a list."""
    _, body = console.hub.call("builds", "GET", f"/v1/{what}", query={"integration_id": console.integration_id})
    return str(body[what][0]["id"])


def review_of(console: Console) -> str:
    """A review with something to decide, made once."""
    path = f"/v1/integrations/{console.integration_id}/reviews"
    _, body = console.hub.call("access", "GET", path)
    if not body["reviews"]:
        _, made = console.hub.call("access", "POST", path, {"title": "Q4 2026: everything", "scope": {}})
        return str(made["review"]["id"])
    return str(body["reviews"][0]["id"])


def export_of(console: Console, *, is_made: bool = True) -> str:
    """An export that is done, or one that nobody works on; each made once."""
    path, wanted = f"/v1/integrations/{console.integration_id}/exports", "done" if is_made else "queued"
    _, body = console.hub.call("access", "GET", path)
    known = [one["id"] for one in body["exports"] if one["status"] == wanted]
    if not known:
        _, made = console.hub.call("access", "POST", path, {"dataset": "pipelines", "format": "csv"})
        known = [made["export"]["id"]]
        if is_made:
            console.hub.export()
    return str(known[0])


def _busiest(console: Console) -> str:
    """The pipeline with most to draw."""
    one = f"/v1/integrations/{console.integration_id}"
    _, body = console.hub.call("pipelines", "GET", f"{one}/pipelines", query={"limit": "200"})
    found = max(body["pipelines"], key=lambda row: (row["bridge_count"], row["job_count"]))
    return f"/projects/{found['project_id']}/pipelines/{found['id']}"


def _shared(console: Console) -> Any:
    path = f"/v1/integrations/{console.integration_id}/grants"
    _, body = console.hub.call("access", "GET", path, query={"view": "effective", "kind": "shared", "limit": "200"})
    return max(body["grants"], key=lambda row: len(row["path"]))


def whole(browser: Browser) -> None:
    """Wait until the pieces of a page that come later are there."""
    browser.until("return document.querySelector('[data-late]') === null")


def address(console: Console, path: str) -> str:
    return f"{console.url}{path}" if path.startswith("/console") else f"{console.home}{path}"


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_accessible(console: Console, browser: Browser, look: str) -> None:
    width, scheme = LOOKS[look]
    browser.look(width=width, scheme=scheme)
    wrong: dict[str, list[str]] = {}
    for name, path in pages(console).items():
        browser.open(address(console, path))
        whole(browser)
        browser.run(f"{AXE}; return null")
        found = list(browser.run_async(RUN))
        if browser.run("return document.documentElement.scrollWidth > window.innerWidth"):
            found.append("wider than the window")
        wrong |= {name: found} if found else {}
    assert wrong == {}, json.dumps(wrong, indent=1)


def test_the_policy_of_the_pages_stops_nothing_that_they_need(console: Console, browser: Browser) -> None:
    for path in pages(console).values():
        browser.open(address(console, path))
    complaints = [line for line in browser.log() if "nothing" not in line]
    assert complaints == []
    assert browser.run("return getComputedStyle(document.querySelector('.skip')).position") == "absolute"
    assert browser.run("return htmx.config.allowEval") is False


def test_the_cookie_works_here_and_no_script_sees_it(console: Console, browser: Browser) -> None:
    [cookie] = [one for one in browser.cookies() if one["name"] == "__Host-hub-session"]
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
    assert browser.run("return document.cookie") == ""


def test_the_keyboard_is_enough(console: Console, browser: Browser) -> None:
    browser.open(console.home)
    browser.press(TAB)
    assert browser.run("return document.activeElement.className") == "skip"
    browser.press(ENTER)
    assert browser.run("return document.activeElement.id || location.hash") in {"main", "#main"}
    browser.open(f"{console.home}/people")
    seen = []
    for _ in range(25):
        browser.press(TAB)
        seen.append(browser.run(
            "const one = document.activeElement, box = one.getBoundingClientRect();"
            "return [one.tagName, getComputedStyle(one).outlineStyle, box.height >= 16, box.bottom > 0]"
        ))  # fmt: skip
    assert [one for one in seen if one[1] == "none" or not all(one[2:])] == []


def test_everything_works_without_a_script(console: Console, browser: Browser) -> None:
    browser.scripts(on=False)
    browser.open(f"{console.home}/people")
    browser.type("main #q", "a")
    browser.click("main .filters button")
    browser.arrive("?q=a")
    browser.open(console.home)
    browser.click(".start button")
    browser.arrive("?done=sync")


def test_a_page_that_is_hidden_asks_for_nothing(console: Console, browser: Browser) -> None:
    browser.open(console.home)
    prevented = browser.run(
        "const one = document.getElementById('syncs');"
        "const made = () => new CustomEvent('htmx:beforeRequest', {bubbles: true, cancelable: true});"
        "const asks = () => one.dispatchEvent(made());"
        "const seen = asks();"
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        "return [seen, asks()];"
    )
    assert prevented == [True, False]
