"""A company's hub, made once for a file, and a shell for each test."""

from pathlib import Path

import pytest

from tests.functional.cli.command_line import CommandLine
from tests.functional.console.console_hub import ConsoleHub


@pytest.fixture(scope="module")
def company() -> ConsoleHub:
    return ConsoleHub()


@pytest.fixture
def hub(company: ConsoleHub, tmp_path: Path) -> CommandLine:
    return CommandLine(company, tmp_path)
