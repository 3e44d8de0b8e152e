"""The command line stands beside the hub and knows its public HTTP API only; and nothing of it goes to Lambda."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from hub_cli.app import ABOUT, app
from hub_cli.problems import ExitCode

ROOT = Path(__file__).parents[3]
CLI = ROOT / "cli"
ALLOWED = {"httpx", "rich", "typer", "hub_cli"}
SILENT = {
    "hub logout", "hub open", "hub deliveries tail", "hub tokens revoke", "hub triggers delete", "hub webhooks delete",
    "hub sync accept", "hub sync reject", "hub reviews export", "hub api",
}  # fmt: skip
"""Commands that have nothing to tell in several formats."""
_PIN = re.compile(r"^([a-z0-9-]+)==([^\s;]+)", re.MULTILINE)


def imported(folder: Path) -> set[str]:
    """The packages that the modules below a folder import, without Python's own."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").partition(".")[0])
    return found - sys.stdlib_module_names


def commands(command: TyperGroup | TyperCommand | None = None, name: str = "hub") -> Iterator[tuple[str, TyperCommand]]:
    """Every command by what is typed for it."""
    at = command or typer.main.get_command(app)
    assert isinstance(at, TyperCommand | TyperGroup)
    yield name, at  # type: ignore[misc]  # what is asked of both is the same
    if isinstance(at, TyperGroup):
        for below, one in at.commands.items():
            yield from commands(one, f"{name} {below}")  # type: ignore[arg-type]  # typer makes no others


NAMED = dict(commands())


def test_it_imports_nothing_of_the_hub_and_the_hub_nothing_of_it() -> None:
    assert imported(CLI) == ALLOWED
    assert imported(ROOT / "layers" / "hub") & {"hub_cli", "typer", "rich"} == set()


def test_nothing_of_it_goes_to_lambda_and_all_of_it_is_what_is_tested() -> None:
    tested = dict(_PIN.findall((ROOT / "requirements" / "dev.txt").read_text()))
    pinned = dict(_PIN.findall((CLI / "requirements.txt").read_text()))
    assert {"httpx", "rich", "typer"} <= pinned.keys()
    assert {name: tested.get(name) for name in pinned} == pinned, "`make lock` writes both"
    for layer in (ROOT / "layers").glob("*/requirements.txt"):
        assert {"typer", "rich"} & dict(_PIN.findall(layer.read_text())).keys() == set(), layer


def test_what_is_installed_is_the_whole_package_and_the_command() -> None:
    described = tomllib.loads((CLI / "pyproject.toml").read_text())
    module, _, function = described["project"]["scripts"]["hub"].partition(":")
    assert callable(getattr(import_module(module), function))
    packages = {path.parent.relative_to(CLI).as_posix().replace("/", ".") for path in CLI.rglob("__init__.py")}
    assert set(described["tool"]["setuptools"]["packages"]) == packages


@pytest.mark.parametrize("name", NAMED)
def test_its_help_says_what_every_command_and_option_is_for(name: str) -> None:
    command = NAMED[name]
    assert (command.help or "").partition("\n\n")[0].strip().endswith(".")
    options = [one for one in command.params if one.name not in {"help", "install_completion", "show_completion"}]
    unclear = [one.name for one in options if not getattr(one, "help", None) and getattr(one, "metavar", "") != "ID"]
    assert unclear == []
    assert [opt for one in options for opt in one.opts if opt.startswith("-") and opt != opt.lower()] == []


def test_every_command_that_tells_something_tells_it_in_every_format() -> None:
    without = {name for name, command in NAMED.items() if "output" not in {one.name for one in command.params}}
    assert without - {"hub"} == SILENT


def test_no_secret_is_an_argument() -> None:
    """Every user of a machine can read the arguments of all processes."""
    names = {one.name for command in NAMED.values() for one in command.params if one.name is not None}
    assert {one for one in names if "token" in one or "secret" in one} == {"token_stdin", "token"}
    assert {name for name, one in NAMED.items() if "token" in {each.name for each in one.params}} == {
        "hub tokens revoke"
    }


def test_the_exit_codes_are_told() -> None:
    assert [code for code in ExitCode if f"- {code:d} " not in ABOUT] == []
