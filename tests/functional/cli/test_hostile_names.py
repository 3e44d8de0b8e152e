"""Names that people choose in GitLab: on a terminal, in JSON and in a spreadsheet they are text and nothing else."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len

from hub_cli.safe_text import UNSAFE
from tests.functional.cli.command_line import CommandLine
from tests.functional.console.console_hub import ConsoleHub

HOSTILE = "=cmd|x [bold red]bad[/] [/nope] :smile: \x1b[2J\x1b]8;;http://evil\x07 \u202egnp \x9b31m \u2028end"
WIDE = "王小明🦊é"
COMMANDS = (
    "who acme", "what ana", "why ana acme", "people", "people --limit 1", "changes", "summary", "plan", "requests",
    "builds", "deliveries", "audit", "incidents", "integrations", "reviews", "triggers", "webhooks",
)  # fmt: skip
TERMINALS: tuple[dict[str, str | None], ...] = ({}, {"NO_COLOR": None, "COLORTERM": "truecolor"}, {"COLUMNS": "30"})


@pytest.fixture(scope="module")
def hostile() -> ConsoleHub:
    return ConsoleHub(HOSTILE)


@pytest.fixture
def shell(hostile: ConsoleHub, tmp_path: Path) -> CommandLine:
    return CommandLine(hostile, tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_name_can_make_a_terminal_do_anything(shell: CommandLine, command: str) -> None:
    for style in ("table", "json", "csv"):
        shown = shell(*command.split(), "-o", style)
        assert shown.code == 0, shown.err
        assert UNSAFE.search(shown.everything.replace("\n", "")) is None, style


def test_a_name_is_shown_as_it_is_with_what_a_terminal_would_obey_spelled_out(shell: CommandLine) -> None:
    shown = shell("people", "--limit", "1").out
    spelled = r"=cmd|x [bold red]bad[/] [/nope] :smile: \x1b[2J\x1b]8;;http://evil\x07 \u202egnp \u009b31m \u2028end"
    assert spelled in shown


@pytest.mark.parametrize("terminal", TERMINALS)
def test_the_only_codes_on_a_terminal_are_our_own_colours(shell: CommandLine, terminal: dict[str, str | None]) -> None:
    for command in ("who acme", "why ana acme", "people"):
        shown = shell(*command.split(), terminal=terminal).out
        codes = [rest.partition("m")[0] for rest in shown.split("\x1b[")[1:]]
        assert [code for code in codes if not code.replace(";", "").isdigit()] == []
        assert (UNSAFE.search(shown.replace("\n", "").replace("\x1b[", "")), "\x1b]" in shown) == (None, False)


def test_json_says_exactly_what_the_name_is(shell: CommandLine) -> None:
    names = [account["name"] for account in json.loads(shell("people", "-o", "json").out)]
    assert names == [HOSTILE, f"Ben {HOSTILE}", "Cy"]


def test_a_spreadsheet_calculates_nothing(shell: CommandLine) -> None:
    for command in ("people", "who acme", "what ana"):
        rows = list(csv.reader(StringIO(shell(*command.split(), "-o", "csv").out)))
        assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))] == []
    [ana, *_] = csv.DictReader(StringIO(shell("people", "-o", "csv").out))
    assert ana["name"].startswith("'=cmd|x [bold red]")


def test_what_is_suggested_to_type_is_quoted(shell: CommandLine) -> None:
    told = shell("why", "ben", "acme").out.splitlines()
    assert told[-1].startswith("  hub plan revoke ben 'ops-=cmd|x")


def test_a_refusal_cannot_make_a_terminal_do_anything_either(shell: CommandLine) -> None:
    refused = shell("who", "\x1b[2Jacme")
    unknown = shell("sync", "-i", "\x1b[2J[bold]x")
    assert (refused.code, unknown.code, "[bold]x" in unknown.err) == (1, 2, True)
    assert UNSAFE.search((refused.err + unknown.err).replace("\n", "")) is None


def test_wide_letters_keep_the_columns_in_line(tmp_path: Path) -> None:
    shell = CommandLine(ConsoleHub(WIDE), tmp_path)
    heading, ana, ben, cy = shell("people").out.splitlines()
    at = cell_len(heading[: heading.index("kind")])
    assert [cell_len(row[: row.index("human")]) for row in (ana, ben, cy)] == [at, at, at]
    narrow = shell("people", terminal={"COLUMNS": "40"}).out.splitlines()
    assert max(cell_len(_plain(line)) for line in narrow) <= 40


def _plain(line: str) -> str:
    first, *rest = line.split("\x1b[")
    return first + "".join(one.partition("m")[2] for one in rest)
