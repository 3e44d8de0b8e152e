"""Signing in with GitLab in a real browser: there, back with its cookies, and in."""

from gitlab_hub.console.gitlab_sign_in import COOKIE
from tests.browser.conftest import ADMINISTRATOR, Console
from tests.browser.webdriver import Browser


def test_somebody_goes_to_gitlab_and_comes_back_signed_in(console: Console, browser: Browser) -> None:
    browser.delete_cookies()
    browser.open(f"{console.home}/people?q=a")
    browser.click(".signed-out a.primary")
    browser.arrive(f"{console.home}/people?q=a")
    told = browser.until("return document.querySelector('.me')?.title")
    assert told.partition("@")[0] == f"Signed in as gitlab:{ADMINISTRATOR}"
    cookies = {one["name"]: one for one in browser.cookies()}
    assert (COOKIE in cookies, cookies["__Host-hub-session"]["sameSite"]) == (False, "Strict")


def test_the_keyboard_is_enough_to_sign_in_with_gitlab(console: Console, browser: Browser) -> None:
    browser.delete_cookies()
    browser.open(f"{console.url}/console/sign-in")
    browser.run("document.querySelector('.signed-out a.primary').focus(); return null")
    browser.press("\ue007")
    browser.arrive(console.home)
