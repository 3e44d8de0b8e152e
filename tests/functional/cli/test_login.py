"""Logging in and out: the token is asked for without an echo, tried, kept for this user alone, and shown nowhere."""

import json
import stat

import httpx
import pytest

from tests.functional.cli.command_line import URL, CommandLine
from tests.functional.console.console_hub import OWNER_TOKEN


@pytest.fixture
def nobody(hub: CommandLine) -> CommandLine:
    """A shell whose user is not logged in."""
    for name in ("HUB_URL", "HUB_TOKEN"):
        del hub.environ[name]
    return hub


def test_whoever_logs_in_can_work_until_they_log_out(nobody: CommandLine) -> None:
    told = nobody("login", f"{URL}/", typed=f"{OWNER_TOKEN}\n")
    kept = nobody.folder / "gitlab-hub" / "login.json"
    assert (told.code, "owner" in told.out, str(kept) in told.err) == (0, True, True)
    assert (json.loads(kept.read_text()), stat.S_IMODE(kept.stat().st_mode)) == (
        {"url": URL, "token": OWNER_TOKEN},
        0o600,
    )
    assert nobody("whoami").code == nobody("people").code == 0
    assert (nobody("logout").out, kept.exists(), nobody("logout").out) == (
        "Logged out.\n",
        False,
        "You were not logged in.\n",
    )
    refused = nobody("people")
    assert (refused.code, "hub login" in refused.err) == (2, True)


def test_the_token_is_shown_nowhere(nobody: CommandLine) -> None:
    told = [nobody("login", URL, "--token-stdin", "-o", "json", typed=OWNER_TOKEN), nobody("whoami", "-o", "csv")]
    assert [OWNER_TOKEN in one.everything for one in told] == [False, False]


def test_a_token_that_is_no_good_is_not_kept(nobody: CommandLine) -> None:
    refused = nobody("login", URL, typed="ghub_me_wrong\n")
    assert (refused.code, "unauthorized: " in refused.err, "ghub_me_wrong" in refused.everything) == (1, True, False)
    assert list(nobody.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "typed", "words"),
    [
        ("http://hub.example.com", OWNER_TOKEN, "not encrypted"),
        ("hub.example.com", OWNER_TOKEN, "is no address"),
        (URL, "\n", "No hub token was given"),
        (URL, "ghub_\u00e9\n", "characters that none has"),
    ],
)
def test_what_cannot_work_is_refused_before_the_token_goes_anywhere(
    nobody: CommandLine, url: str, typed: str, words: str
) -> None:
    refused = nobody("login", url, typed=typed)
    assert (refused.code, words in refused.err, nobody.network.requests) == (2, True, [])


def test_a_token_is_sent_to_its_own_hub_alone(nobody: CommandLine) -> None:
    nobody("login", URL, typed=OWNER_TOKEN)
    nobody.environ["HUB_URL"] = "https://other.example.com"
    nobody.network.requests.clear()
    refused = nobody("whoami")
    assert (refused.code, "no token for https://other.example.com" in refused.err, nobody.network.requests) == (
        2,
        True,
        [],
    )
    nobody.environ["HUB_URL"] = URL
    nobody.network.faults = [httpx.Response(307, headers={"location": "https://other.example.com/v1/whoami"})]
    assert (nobody("whoami").code, {one.url.host for one in nobody.network.requests}) == (3, {"hub.example.com"})
