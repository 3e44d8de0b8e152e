"""`hub open`: the console in a browser, by a link that nobody else on the machine can read."""

import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from hub_cli.browser import READ_WITHIN
from tests.functional.cli.command_line import URL, CommandLine

LINK = f"{URL}/console/link/"


class Browser:
    """A browser, and what it was started with."""

    def __init__(self, *, is_there: bool = True) -> None:
        self.arguments: list[str] = []
        self.page, self.mode = "", 0
        self._is_there = is_there

    def __call__(self, argument: str) -> bool:
        """Start it."""
        self.arguments.append(argument)
        file = Path(unquote(urlsplit(argument).path))
        self.page, self.mode = file.read_text(), stat.S_IMODE(file.stat().st_mode)
        return self._is_there


def test_a_link_to_the_console_is_printed_where_no_browser_is(hub: CommandLine) -> None:
    printed = hub("open", "--print")
    assert printed.out.startswith(LINK)
    # What is to be copied is one line, however narrow the terminal.
    narrow = hub("open", "--print", terminal={"COLUMNS": "30"}).out
    assert (narrow.count("\n"), len(narrow) > 60) == (1, True)


def test_a_browser_is_started_with_a_file_of_ones_own_that_leads_to_the_link(hub: CommandLine) -> None:
    hub.browse = browser = Browser()
    opened = hub("open", terminal={})
    [argument] = browser.arguments
    assert (opened.code, argument.startswith("file:///"), "link" in argument) == (0, True, False)
    assert (browser.mode, f'content="0; url={LINK}' in browser.page) == (0o600, True)
    assert (LINK in opened.everything, hub.slept) == (False, [READ_WITHIN])
    assert list(hub.folder.iterdir()) == []


def test_the_link_is_shown_where_there_is_no_browser(hub: CommandLine) -> None:
    hub.browse = Browser(is_there=False)
    opened = hub("open", terminal={})
    assert (opened.code, LINK in opened.out, hub.slept, list(hub.folder.iterdir())) == (0, True, [], [])


def test_the_link_is_shown_where_no_file_can_be_written(hub: CommandLine) -> None:
    hub.browse, hub.environ["HOME"] = Browser(), str(hub.folder / "nowhere")
    opened = hub("open", terminal={})
    assert (opened.code, LINK in opened.out, hub.browse.arguments) == (0, True, [])


def test_the_file_is_gone_also_where_somebody_stops_waiting(hub: CommandLine) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    hub.browse, hub.when_slept = Browser(), stop
    assert hub("open", terminal={}).code != 0
    assert list(hub.folder.iterdir()) == []


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd"])
def test_what_is_no_address_of_a_page_is_not_opened(hub: CommandLine, link: str) -> None:
    hub.browse = browser = Browser()
    hub.network.faults = [httpx.Response(200, json={"url": link})]
    assert (hub("open", terminal={}).out.strip(), browser.arguments) == (link, [])


def test_an_address_cannot_leave_its_place_in_the_page(hub: CommandLine) -> None:
    hub.browse = browser = Browser()
    hub.network.faults = [httpx.Response(200, json={"url": f'{LINK}"><script>alert(1)</script>'})]
    assert hub("open", terminal={}).code == 0
    assert "<script" not in browser.page
