"""Deciding in a review by keyboard: keys count in a row of decisions, and nowhere else."""

from tests.browser.conftest import Console
from tests.browser.test_pages import TAB, review_of
from tests.browser.webdriver import Browser

CHOSEN = "return [...document.querySelectorAll('.decisions input[type=radio]:checked')].map((one) => one.value)"
ROW = "return [...document.querySelectorAll('.decisions tbody tr')].indexOf(document.activeElement.closest('tr'))"


def test_a_key_decides_a_row_and_goes_on_to_the_next(console: Console, browser: Browser) -> None:
    browser.open(f"{console.home}/reviews/{review_of(console)}")
    browser.run("document.querySelector('.decisions tbody input[type=radio]').focus(); return null")
    rows = []
    for key in "krk":
        browser.press(key)
        rows.append(browser.run(ROW))
    assert (browser.run(CHOSEN), rows) == (["keep", "revoke", "keep"], [1, 2, 3])
    assert "Decision about" in browser.run("return document.getElementById('live').textContent")
    browser.press(TAB)
    assert browser.run(ROW) >= 3


def test_a_key_lowers_a_row_and_goes_to_its_role(console: Console, browser: Browser) -> None:
    browser.open(f"{console.home}/reviews/{review_of(console)}")
    browser.run("document.querySelector('.decisions tbody select').closest('tr').querySelector('input').focus()")
    browser.press("l")
    assert (browser.run(CHOSEN), browser.run("return document.activeElement.tagName")) == (["change"], "SELECT")
    browser.press("r")
    assert browser.run(CHOSEN) == ["change"], "in a list of roles a letter looks for a role"


def test_a_key_elsewhere_decides_nothing_and_can_be_typed(console: Console, browser: Browser) -> None:
    browser.open(f"{console.home}/reviews/{review_of(console)}")
    browser.type("#comment", "kr")
    browser.type("main #q", "rk")
    assert (browser.run(CHOSEN), browser.run("return document.getElementById('comment').value")) == ([], "kr")
