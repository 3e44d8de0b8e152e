"""What the command line says of the hub is what the hub says of itself; what its guide shows can be typed."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from hub_cli import choices
from hub_cli.times import with_iso_times
from tests.functional.cli.command_line import CommandLine

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "cli.md").read_text()
PAGES = (GUIDE, (ROOT / "README.md").read_text())
_BLOCK = re.compile(r"```(?:sh|console)\n(.*?)```", re.DOTALL)
_TYPED = re.compile(r"^(?:\$ )?(hub .*?)(?: +# .*)?$", re.MULTILINE)
_MOMENT = 1_790_000_000


def typed() -> Iterator[str]:
    """Every call of `hub` in the documents, up to a pipe or the end of a command."""
    for page in PAGES:
        for block in _BLOCK.findall(page):
            for command in _TYPED.findall(block):
                yield re.split(r" (?:\||\|\||&&|>|<) ?|; ", command)[0]


EXAMPLES = sorted(set(typed()))


@pytest.fixture(scope="module")
def description(company: Any) -> dict[str, Any]:
    status, document = company("GET", "/openapi.json")
    assert status == 200
    return dict(document)


def test_the_guide_has_examples() -> None:
    assert len(EXAMPLES) >= 20


@pytest.mark.parametrize("command", EXAMPLES)
def test_what_the_documents_show_can_be_typed(hub: CommandLine, command: str) -> None:
    _, *words = shlex.split(command)
    # An option of `hub` itself, such as --install-completion, takes effect where it stands.
    shown = hub("--help", *words) if words[0].startswith("-") else hub(*words, "--help")
    assert (shown.code, "Usage: hub" in shown.out) == (0, True), shown.err


def test_every_value_of_an_option_is_one_that_the_api_knows(description: dict[str, Any]) -> None:
    listed = {frozenset(one) for one in _lists(description)}
    ours = [
        one
        for one in vars(choices).values()
        if isinstance(one, type) and issubclass(one, StrEnum) and one is not StrEnum
    ]
    assert len(ours) > 10
    assert [one.__name__ for one in ours if frozenset(map(str, one)) not in listed] == []


def test_every_time_of_the_api_is_told_as_one(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    fields = {
        (name, field)
        for name, schema in schemas.items()
        for field, told in schema.get("properties", {}).items()
        if "unix seconds" in json.dumps(told)
    }
    assert len(fields) > 40
    kept = {(name, field) for name, field in fields if with_iso_times({field: _MOMENT})[field] == _MOMENT}
    assert kept == set()


def test_it_runs_as_a_module_completes_in_a_shell_and_speaks_to_old_terminals(tmp_path: Path) -> None:
    here = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT / "cli"),
        "XDG_CONFIG_HOME": str(tmp_path),
        "HOME": str(tmp_path),
    }

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, "-m", "hub_cli", *arguments]
        return subprocess.run(whole, env={**here, **more}, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603

    ended = run("whoami")
    assert (ended.returncode, ended.stdout, "You are not logged in." in ended.stderr) == (2, "", True)
    assert run(_HUB_COMPLETE="complete_bash", COMP_WORDS="hub pl", COMP_CWORD="1").stdout.split() == ["plan"]
    plain = run("why", "--help", PYTHONIOENCODING="ascii")
    assert (plain.returncode, "Show every way" in plain.stdout, plain.stdout.isascii()) == (0, True, True)


def test_the_shell_completes_integrations(hub: CommandLine) -> None:
    complete = {"_HUB_COMPLETE": "complete_bash", "COMP_WORDS": "hub people -i A", "COMP_CWORD": "3"}
    assert hub(terminal=complete).out.split() == ["Acme"]
    hub.environ["HUB_TOKEN"] = "ghub_me_wrong"
    assert hub(terminal=complete).out.split() == []


def _lists(value: Any) -> Iterator[list[str]]:
    if isinstance(value, dict):
        if isinstance(value.get("enum"), list):
            yield [str(one) for one in value["enum"]]
        for one in value.values():
            yield from _lists(one)
    elif isinstance(value, list):
        for one in value:
            yield from _lists(one)
