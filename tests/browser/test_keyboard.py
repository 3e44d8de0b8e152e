"""What people come for, with the keyboard alone: every step is reached by Tab, in sight, and done by a key."""

from tests.browser.conftest import Console
from tests.browser.test_pages import ENTER, SPACE, TAB, address, first, pages
from tests.browser.webdriver import Browser
from tests.fakes.company_hub import OWNER_TOKEN

MOST_TABS = 60
_FOCUS = """
const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
const there = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
const seen = there !== null && (one.contains(there) || there.contains(one));
// Where nothing on the page has the focus, as between its end and its beginning, there is nothing to mark.
return [one.matches(arguments[0]), one === document.body || style.outlineStyle !== "none", seen,
        one.outerHTML.slice(0, 120)];
"""


def go_to(browser: Browser, selector: str, *, do: str = ENTER) -> None:
    """Press Tab until this has the focus, and a key then; whatever has the focus on the way is in sight."""
    passed = []
    for _ in range(MOST_TABS):
        browser.press(TAB)
        is_it, is_marked, is_in_sight, html = browser.run(_FOCUS, selector)
        passed.append(html)
        assert is_marked, f"nobody sees that this has the focus: {html}"
        if is_it:
            assert is_in_sight, f"something hides what has the focus: {html}"
            browser.press(do)
            return
    raise AssertionError(f"{selector} is not reached by {MOST_TABS} Tabs: {passed}")


def to_content(browser: Browser) -> None:
    """Pass by the head of the page and its navigation."""
    go_to(browser, ".skip")


def test_somebody_signs_in_and_out_and_going_back_shows_nothing(console: Console, browser: Browser) -> None:
    browser.delete_cookies()
    browser.open(f"{console.home}/people")
    go_to(browser, "#token", do=OWNER_TOKEN + ENTER)
    browser.arrive("/people")
    browser.until("return document.querySelector('.me')")
    go_to(browser, ".who button")
    browser.arrive("/console/sign-in")
    browser.run("history.back(); return null")
    browser.until("return document.readyState === 'complete' && document.querySelector('#token') !== null")


def test_a_gitlab_is_connected_by_an_application_and_synced(console: Console, browser: Browser) -> None:
    redirect_uri = f"{console.url}/v1/integrations/gitlab/callback"
    client = console.gitlab.add_application("hub of the keyboard", redirect_uri, scopes=["read_api"])
    group = console.gitlab.truth("groups")[0]["full_path"]
    browser.open(console.home)
    to_content(browser)
    go_to(browser, "a[href='/console/connect']")
    browser.arrive("/console/connect")
    go_to(browser, "a[href='/console/connect/application']")
    browser.arrive("/application")
    for selector, text in (("#host", console.gitlab.base), ("#client", client.client_id)):
        go_to(browser, selector, do=text)
    for selector, text in (("#secret", client.client_secret), ("#name", "By keyboard"), ("#group", group)):
        go_to(browser, selector, do=text)
    go_to(browser, "main form button[type=submit]")
    browser.until("return document.querySelector('#redirect-uri')?.textContent")
    to_content(browser)
    go_to(browser, "main a.primary")
    browser.until("return document.querySelector('.notice')?.textContent.includes('GitLab has let the hub in')")
    assert "By keyboard" in browser.run("return document.querySelector('h1').textContent")
    assert console.integration_id not in browser.url
    to_content(browser)
    go_to(browser, ".start button")
    browser.arrive("?done=sync")


def test_access_is_looked_up_and_ended_by_a_plan(console: Console, browser: Browser) -> None:
    why = address(console, pages(console)["why"])
    browser.open(console.home)
    go_to(browser, "#find", do="a" + ENTER)
    browser.arrive("?q=a")
    to_content(browser)
    go_to(browser, "main td a[href*='/people/'], main th a[href*='/people/']")
    browser.arrive("/people/")
    browser.open(why)
    to_content(browser)
    go_to(browser, ".ending button")
    browser.until("return location.pathname.includes('/plans/plan_') && document.querySelector('#plan .badge')")
    to_content(browser)
    go_to(browser, "#plan .danger")
    browser.until("return document.querySelector('#plan .badge')?.textContent === 'applied'")
    browser.open(f"{console.home}/changes")
    assert browser.until("return document.querySelector('.feed .gone')?.textContent.includes('by the hub')")


def test_a_review_is_made_decided_and_closed(console: Console, browser: Browser) -> None:
    browser.open(f"{console.home}/reviews")
    to_content(browser)
    go_to(browser, "#title", do="By keyboard" + ENTER)
    browser.until("return location.pathname.includes('/reviews/rev_') && document.querySelector('.decisions')")
    to_content(browser)
    # Behind fifty rows the button is far away: Enter in any of them is as good.
    go_to(browser, ".decisions tbody input[type=radio]", do="kkr" + ENTER)
    browser.until("return document.querySelector('.notice')?.textContent.includes('3 decisions taken')")
    to_content(browser)
    go_to(browser, "input[name=sure]", do=SPACE)
    go_to(browser, "form[action$='/close'] button")
    browser.until("return location.pathname.includes('/plans/plan_') || document.querySelector('#closed')")


def test_a_delivery_is_replayed(console: Console, browser: Browser) -> None:
    browser.open(f"{console.home}/deliveries/{first(console, 'deliveries')}")
    to_content(browser)
    go_to(browser, "form[action$='/replay'] button")
    browser.until("return document.querySelector('.notice')?.textContent.includes('being worked on again')")
