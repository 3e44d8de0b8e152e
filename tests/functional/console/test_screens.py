"""Every screen: a whole page with what a browser must be told, also where the API refuses or is away."""

import gzip
import re
from collections.abc import Iterator

import pytest

from gitlab_hub.console.pages import screens
from tests.fakes.container import PARTS
from tests.functional.console.company_pipelines import BROKEN, WHOLE
from tests.functional.console.console_hub import ACME, ANA, BEN, OPS, OWNER_TOKEN, SHOP, ConsoleHub
from tests.functional.console.visitor import Shown, Visitor, links

POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
BUDGET = 100_000
PLACES = {
    "account_id": str(ANA),
    "group_id": str(ACME),
    "project_id": str(SHOP),
    "pipeline_id": str(BROKEN),
}
WHY = f"/why?account_id={ANA}&project_id={SHOP}"
QUERIES = (
    "/people?q=a", "/people?kind=human&status=active", "/changes?days=7&kind=grant_added", WHY,
    f"/why?account_id={BEN}&group_id={ACME}", "/deliveries?status=handled", "/builds?ref=main",
    "/credentials?risk=no_expiry", "/requests?status=denied", f"/pipelines?days=7&project_id={SHOP}",
    f"/pipelines/projects?days=90&group_id={ACME}",
    f"/pipelines?from=2026-01-01&to=2026-09-30&group_id={ACME}&ref_class=tag&definition=gitlab",
    f"/projects/{SHOP}/pipelines/{WHOLE}", "/pipelines/list?days=7&status=success",
    "/jobs?failure_class=script&days=90", "/settings/audit?action=hook.create&days=7&reach=all",
)  # fmt: skip


@pytest.fixture(scope="module")
def hub() -> ConsoleHub:
    return ConsoleHub()


@pytest.fixture(scope="module")
def visitor(hub: ConsoleHub) -> Visitor:
    return hub.signed_in()


def addresses(hub: ConsoleHub) -> Iterator[str]:
    """Every page there is, with ids of things that there are."""
    for screen in screens():
        if screen.method == "GET" and not screen.is_poll and not screen.path.endswith("/file"):
            known = {**hub.ids, **PLACES, "integration_id": hub.own}
            yield re.sub(r"<(\w+)>", lambda part: known[part[1]], screen.path)  # noqa: B023 - used at once
    yield from (f"{hub.base}{query}" for query in QUERIES)


def check(shown: Shown) -> None:
    """What holds of every page, whatever it says."""
    headers = shown.headers
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert (headers["content-security-policy"], headers["cache-control"]) == (POLICY, "no-store")
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "same-origin")
    assert (headers["x-frame-options"], headers["cross-origin-opener-policy"]) == ("DENY", "same-origin")
    assert [one["lang"] for one in shown.elements("html")] == ["en"]
    assert len(shown.elements("h1")) == 1
    assert len(shown.elements("title")) == len(shown.elements("main")) == 1
    # The policy would stop them, and nobody would notice that a page lacks something.
    attributes = [(name, value) for tag in _TAGS for one in shown.elements(tag) for name, value in one.items()]
    assert [name for name, _ in attributes if name == "style" or name.startswith("on")] == []
    assert all("src" in one for one in shown.elements("script"))
    assert shown.elements("style") == []
    ids = [value for name, value in attributes if name == "id"]
    assert len(ids) == len(set(ids))


_TAGS = (
    "html", "body", "main", "section", "div", "span", "a", "p", "ul", "ol", "li", "table", "tr", "td", "th", "form",
    "input", "select", "button", "svg", "img", "h1", "h2", "h3", "dl", "progress", "details", "nav", "header",
)  # fmt: skip


def test_every_page_is_whole_and_keeps_to_itself(hub: ConsoleHub, visitor: Visitor) -> None:
    seen = list(addresses(hub))
    for address in seen:
        shown = visitor.get(address)
        assert shown.status == 200, (address, shown.text)
        check(shown)
        assert OWNER_TOKEN not in shown.html
        assert visitor.cookies["__Host-hub-session"] not in shown.html
    assert len(seen) > 10


def test_nobody_sees_a_page_without_having_signed_in(hub: ConsoleHub) -> None:
    for address in addresses(hub):
        shown = Visitor(hub.console).get(address)
        assert (shown.status, shown.form("/console/sign-in")["to"]) == (401, address)
        check(shown)


@pytest.mark.parametrize("part", PARTS)
def test_where_a_part_of_the_hub_is_away_pages_say_so_and_show_the_rest(
    hub: ConsoleHub, visitor: Visitor, part: str
) -> None:
    hub.away = {part}
    try:
        for address in addresses(hub):
            shown = visitor.get(address)
            assert shown.status in {200, 503}, (address, shown.text)
            check(shown)
            assert shown.status == 200 or "service_unavailable" in shown.text
    finally:
        hub.away = set()


def test_a_home_of_which_a_part_is_missing_is_a_home_still(hub: ConsoleHub, visitor: Visitor) -> None:
    hub.away = {"access", "pipelines", "builds", "operations"}
    try:
        shown = visitor.get(hub.base)
    finally:
        hub.away = set()
    assert (shown.status, shown.text.count("cannot be shown"), "Syncs" in shown.text) == (200, 4, True)


def test_the_console_follows_its_own_links(hub: ConsoleHub, visitor: Visitor) -> None:
    found = {link for address in addresses(hub) for link in links(visitor.get(address)) if link.startswith("/console")}
    unknown = {
        f"{hub.base}/{place}" for place in ("groups/1", "projects/3")
    }  # of the plan and the build of these tests
    found -= unknown
    statuses = {link: visitor.get(link).status for link in sorted(found)}
    assert {link: status for link, status in statuses.items() if status != 200} == {}
    assert len(found) > 15


def test_an_integration_that_is_foreign_is_an_unknown_one(hub: ConsoleHub) -> None:
    token = hub.token(role="owner", integration_ids=[hub.own])
    limited = hub.signed_in(token["token"])
    pages = {}
    for integration_id in (hub.other, "int_unknown"):
        shown = limited.get(f"/console/{integration_id}")
        pages[integration_id] = (shown.status, shown.text.replace(integration_id, "…"))
    assert pages[hub.other] == pages["int_unknown"]
    assert pages[hub.other][0] == 404


def test_files_keep_their_names_until_they_change_and_fit_the_budget(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = visitor.get(hub.base)
    files = {str(one.get("src") or one["href"]) for tag in ("script", "link", "img") for one in shown.elements(tag)}
    answers = [visitor.send("GET", path) for path in sorted(files)]
    assert {(one.status, one.headers["cache-control"]) for one in answers} == {
        (200, "public, max-age=31536000, immutable")
    }
    packed = sum(len(gzip.compress(one.html.encode())) for one in [shown, *answers])
    assert (len(answers) + 1 <= 10, packed <= BUDGET) == (True, True)


@pytest.mark.parametrize(
    "path", ["x/console.css", "../app.py", "000000000000/console.css", "x/..%2fapp.py", "", "x/y/z", "x/app.py"]
)
def test_what_is_no_file_of_the_page_is_not_served(visitor: Visitor, path: str) -> None:
    assert visitor.send("GET", f"/console/assets/{path}").status == 404


@pytest.mark.parametrize("path", ["/nothing", "/people/1/2", "/why/revoke", "//", "/%00", "/people/<script>"])
def test_what_is_no_page_is_said_so(hub: ConsoleHub, visitor: Visitor, path: str) -> None:
    shown = visitor.get(f"{hub.base}{path}")
    assert shown.status == 404
    check(shown)


def test_a_way_is_drawn_from_the_person_to_the_project_with_the_edge_to_cut(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = visitor.get(f"{hub.base}/why?account_id={BEN}&project_id={SHOP}")
    for told in ("member as Owner", "invited, at most Developer", "passes down", "cut here", "ops-Ana"):
        assert told in shown.text, told
    assert f"{hub.base}/groups/{OPS}" in set(links(shown))
    assert shown.form(f"{hub.base}/why/revoke")["account_id"] == str(BEN)


def test_a_question_is_passed_on_as_it_was_asked(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = visitor.get(f"{hub.base}/why?username=cy&path=acme")
    assert "has no access" in shown.text
    assert visitor.get(f"{hub.base}/why?username=nobody&path=acme").status == 404
    named = visitor.get(f"{hub.base}/people?q=ben")
    assert ("Ben Ana" in named.text, "@cy" in named.text) == (True, False)
