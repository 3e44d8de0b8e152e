"""The console on the deployed bundle: a link signs in, pages show what the API answers, signing out ends it."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from gitlab_hub.console.gitlab_sign_in import BEGIN, FINISH
from gitlab_hub.console.sessions import COOKIE
from stand_in_gitlab.process import Running
from tests.end_to_end.companies import first_group
from tests.end_to_end.hub_client import Hub

ASKED = {"sec-fetch-site": "same-origin", "accept": "text/html"}


class Tab:
    """A browser's tab. It sends the cookie itself: other clients than browsers keep a secure one from plain http."""

    def __init__(self, hub: Hub) -> None:
        self._hub, self._cookies = hub, dict[str, str]()
        self._http = httpx.Client(base_url=hub.url, headers=ASKED, trust_env=False, timeout=60)

    def open(self, path: str) -> httpx.Response:
        """Open a page."""
        return self._kept(path, self._http.get(path, headers=self._cookie()))

    def send(self, page: httpx.Response, action: str, **fields: str) -> httpx.Response:
        """Send a form of a page with its hidden fields."""
        form = page.text.partition(f'action="{action}"')[2].partition("</form>")[0]
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        given = {name: unescape(value) for name, value in hidden.items()} | fields
        return self._kept(action, self._http.post(action, data=given, headers=self._cookie()))

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _kept(self, path: str, answer: httpx.Response) -> httpx.Response:
        self._hub.shown.append((path, answer.text))
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value
            # The key of the form to sign in stands in the form, too: that they are the same is what it is for.
            self._hub.guard(value, shown_at="" if name == COOKIE else "^/console")
        return answer

    def _cookie(self) -> dict[str, str]:
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}


@pytest.fixture
def tab(hub: Hub) -> Iterator[Tab]:
    tab = Tab(hub)
    yield tab
    tab.close()


def signed_in(hub: Hub, tab: Tab) -> None:
    made = hub.call("POST", "/v1/console-links", {})
    assert made.status == 201
    path = made.body["url"].removeprefix(hub.url)
    hub.guard(path.rpartition("/")[2], shown_at="/v1/console-links$|/console/link/")
    answer = tab.send(tab.open(path), path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    assert tab.open(path).status_code == 410


def test_a_link_signs_in_and_pages_show_the_company(hub: Hub, one: str, tab: Tab) -> None:
    signed_in(hub, tab)
    home = f"/console/{one.rpartition('/')[2]}"
    pages = {
        path: tab.open(f"{home}{path}")
        for path in (
            "",
            "/people",
            "/people/1",
            "/changes",
            "/plans",
            "/requests",
            "/credentials",
            "/builds",
            "/deliveries",
            "/deliveries/replay",
            "/pipelines",
            "/pipelines/failures",
            "/pipelines/projects",
            "/pipelines/list",
            "/jobs",
            "/exports",
            "/reviews",
            "/settings",
            "/settings/hooks",
            "/settings/triggers",
            "/settings/tokens",
            "/settings/audit",
        )
    }
    assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(pages, 200)
    assert [path for path, page in pages.items() if "cannot be shown" in page.text] == []
    assert "Quiet" in pages[""].text
    assert "default-src 'self'" in pages[""].headers["content-security-policy"]
    grant = next(row for row in hub.rows(f"{one}/grants", view="effective") if row["path"])
    place = grant["resource"]
    why = tab.open(f"{home}/why?account_id={grant['account_id']}&{place['type']}_id={place['id']}")
    assert (why.status_code, "Way 1" in why.text, "cut here" in why.text) == (200, True, True)


def test_somebody_signs_in_with_gitlab_and_is_in_as_their_group_says(
    hub: Hub, one: str, tab: Tab, provider: Running
) -> None:
    group = first_group(provider)["id"]
    people = {row["id"] for row in provider.truth("users") if row["state"] == "active" and not row["bot"]}
    members = provider.truth("members", source="group", source_id=group)
    user = next(row["user_id"] for row in members if row["user_id"] in people)
    home = f"/console/{one.rpartition('/')[2]}"
    there = tab.open(f"{BEGIN}?to={home}").headers["location"]
    back = httpx.get(f"{there}&standin_user={user}", trust_env=False).headers["location"]
    hub.guard(*parse_qs(urlsplit(back).query)["code"], shown_at=FINISH)
    answer = tab.open(back.removeprefix(hub.url))
    assert (answer.status_code, answer.headers.get("location")) == (303, home), answer.text
    page = tab.open(home)
    assert (page.status_code, f"Signed in as gitlab:{user}@" in page.text, "viewer" in page.text) == (200, True, True)


def test_a_file_of_a_page_comes_as_it_is_and_may_be_kept(tab: Tab) -> None:
    page = tab.open("/console/sign-in")
    [style] = re.findall(r'rel="stylesheet" href="([^"]+)"', page.text)
    answer = tab.open(style)
    assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True)
    assert "prefers-color-scheme" in answer.text


def test_signing_out_ends_the_session_at_once(hub: Hub, tab: Tab) -> None:
    signed_in(hub, tab)
    page = tab.open("/console")
    page = tab.open(page.headers["location"]) if page.status_code == 303 else page
    cookie = tab._cookie()
    assert tab.send(page, "/console/sign-out").status_code == 303
    assert httpx.get(f"{hub.url}/console", headers={**ASKED, **cookie}, trust_env=False).status_code == 401


def test_without_a_session_nothing_is_shown_and_nothing_is_done(hub: Hub, one: str, tab: Tab) -> None:
    home = f"/console/{one.rpartition('/')[2]}"
    assert tab.open(home).status_code == 401
    assert httpx.post(f"{hub.url}{home}/syncs", headers=ASKED, trust_env=False).status_code == 401
