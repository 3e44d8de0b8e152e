"""The pictures of the documentation: `python -m tests.browser.pictures` takes them anew, of a made-up company."""

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
PICTURES = {
    "console-home": ("home", 1100),
    "console-why": ("why", 900),
    "console-pipelines": ("figures of a month", 1250),
    "console-pipeline": ("pipeline", 900),
    "console-review": ("review", 900),
}
"""Name of the file → the page, and how many pixels of it."""


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
            yield Console(url, hub, integration_id, gitlab)


def main() -> None:
    """Take all of them."""
    with company() as console, chromedriver() as port:
        browser = Browser(port)
        browser.open(f"{console.url}/console/sign-in")
        browser.type("#token", OWNER_TOKEN)
        browser.click("button[type=submit]")
        browser.look()
        paths = {**pages(console), "figures of a month": "/pipelines?days=30"}
        for name, (page, most) in PICTURES.items():
            browser.open(address(console, paths[page]))
            whole(browser)
            picture = browser.screenshot(most=most)
            (FOLDER / f"{name}.webp").write_bytes(picture)
            sys.stdout.write(f"{name}: {len(picture):,} bytes\n")
        browser.close()


if __name__ == "__main__":
    main()
