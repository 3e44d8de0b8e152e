"""The pictures of the documentation: `python -m tests.browser.pictures` takes them anew, of a made-up company.

Each is taken in a light and in a dark room; the documents show the one that fits the reader's.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stand_in_gitlab.process import running
from tests.browser.conftest import Console
from tests.browser.server import serving
from tests.browser.test_pages import address, pages, whole
from tests.browser.webdriver import Browser, chromedriver
from tests.fakes.company_hub import OWNER_TOKEN, CompanyHub

FOLDER = Path(__file__).parents[2] / "docs" / "images"
COMPANY = ("--seed", "7", "--users", "20", "--groups", "6", "--projects", "8", "--pipelines", "12", "--jobs", "4")
SIGN_IN = "console-sign-in"
PICTURES = {
    SIGN_IN: ("sign-in", 900),
    "console-home": ("home", 960),
    "console-why": ("why", 740),
    "console-pipelines": ("figures of a month", 1250),
    "console-pipeline": ("pipeline", 900),
    "console-review": ("review", 900),
    "console-exports": ("exports", 660),
}
"""Name of the file → the page, and how many pixels of it."""
ENDINGS = {"light": "", "dark": "-dark"}


@contextmanager
def company() -> Iterator[Console]:
    """A console of a company that has built for some months."""
    with running(*COMPANY) as gitlab:
        hub = CompanyHub(time.time)
        integration_id = hub.connect(gitlab)
        for kind in ("access", "pipelines", "credentials"):
            hub.call("integrations", "POST", f"/v1/integrations/{integration_id}/sync", {"kinds": [kind]})
        hub.sync()
        hub.push(integration_id, gitlab.truth("projects")[0]["id"])
        with serving(hub, threading.Lock()) as url:
            hub.sign_in_with(gitlab, gitlab.truth("groups")[0]["full_path"], url)
            yield Console(url, hub, integration_id, gitlab)


def main() -> None:
    """Take all of them."""
    with company() as console, chromedriver() as port:
        browser = Browser(port)
        take(browser, console, "/console/sign-in", SIGN_IN)
        browser.type("#token", OWNER_TOKEN)
        browser.click("button[type=submit]")
        paths = {**pages(console), "figures of a month": "/pipelines?days=30"}
        for name, (page, _) in PICTURES.items():
            if name != SIGN_IN:
                take(browser, console, paths[page], name)
        browser.close()


def take(browser: Browser, console: Console, path: str, name: str) -> None:
    """Take a page in both rooms."""
    for scheme, ending in ENDINGS.items():
        browser.look(scheme=scheme)
        browser.open(address(console, path))
        whole(browser)
        picture = browser.screenshot(most=PICTURES[name][1])
        (FOLDER / f"{name}{ending}.webp").write_bytes(picture)
        sys.stdout.write(f"{name}{ending}: {len(picture):,} bytes\n")


if __name__ == "__main__":
    main()
