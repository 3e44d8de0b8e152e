"""The console of a synced company behind a port of this machine, and a browser; skipped where there is none."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from stand_in_gitlab.process import Running, running
from tests.browser.server import serving
from tests.browser.webdriver import Browser, chromedriver, missing
from tests.fakes.company_hub import OWNER_TOKEN, CompanyHub

ADMINISTRATOR = 1
"""Who says yes where the stand-in asks nobody."""
COMPANY = ("--seed", "7", "--users", "20", "--groups", "6", "--projects", "8", "--pipelines", "3", "--jobs", "3")


@dataclass(frozen=True, slots=True)
class Console:
    """A console that answers: where, over which hub, with which integration, and in which GitLab that is."""

    url: str
    hub: CompanyHub
    integration_id: str
    gitlab: Running

    @property
    def home(self) -> str:
        """The first page of the company."""
        return f"{self.url}/console/{self.integration_id}"


@pytest.fixture(scope="package")
def console() -> Iterator[Console]:
    """One company for all tests of this folder."""
    if (reason := missing()) is not None:
        pytest.skip(reason)
    with running(*COMPANY) as gitlab:
        group = gitlab.truth("groups")[0]
        gitlab.change("add_member", source="group", source_id=group["id"], user_id=ADMINISTRATOR, level=10)
        hub = CompanyHub(time.time)
        integration_id = hub.connect(gitlab)
        for kind in ("access", "pipelines", "credentials"):
            hub.call("integrations", "POST", f"/v1/integrations/{integration_id}/sync", {"kinds": [kind]})
        hub.sync()
        hub.push(integration_id, gitlab.truth("projects")[0]["id"])
        with serving(hub, threading.Lock()) as url:
            hub.sign_in_with(gitlab, group["full_path"], url)
            yield Console(url, hub, integration_id, gitlab)


@pytest.fixture(scope="package")
def _driver() -> Iterator[int]:
    with chromedriver() as port:
        yield port


@pytest.fixture(scope="package")
def _window(console: Console, _driver: int) -> Iterator[Browser]:
    browser = Browser(_driver)
    yield browser
    browser.close()


@pytest.fixture
def browser(_window: Browser, console: Console) -> Browser:
    """A browser that is signed in, with scripts, in a light room at a desk."""
    _window.scripts(on=True)
    _window.look()
    _window.open(f"{console.url}/console/sign-in")
    _window.delete_cookies()
    _window.open(f"{console.url}/console/sign-in")
    _window.type("#token", OWNER_TOKEN)
    _window.click("button[type=submit]")
    _window.log()
    return _window
