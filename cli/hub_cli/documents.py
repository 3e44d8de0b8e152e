"""JSON that somebody has written, in a file or on standard input."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hub_cli.problems import WrongUsage

File = Annotated[str, typer.Argument(metavar="FILE", help="A file with JSON; - for standard input.")]


def read_json(file: str) -> Any:
    """Read it. Raises WrongUsage."""
    try:
        return json.loads(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongUsage(f"{file} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise WrongUsage(f"{file} holds no JSON: {error}.", hint="docs/cli.md has examples.") from None


def read_object(file: str) -> dict[str, Any]:
    """Read a JSON object. Raises WrongUsage."""
    value = read_json(file)
    if not isinstance(value, dict):
        raise WrongUsage(f"{file} holds no JSON object.", hint='It looks like {"events": ["push"]}.')
    return value
