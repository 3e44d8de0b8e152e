"""One call of `hub`: which hub it speaks to, about which integration, and how it tells what it found."""

import os
import sys
import time
import webbrowser
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx
import typer

from hub_cli.client import Hub, path
from hub_cli.formats import Format
from hub_cli.names import integration_named
from hub_cli.output import Output
from hub_cli.problems import WrongUsage
from hub_cli.settings import Login, Settings
from hub_cli.times import moment_before


@dataclass(frozen=True, kw_only=True)
class World:
    """What is outside of the program: the environment, the network, the clock and browsers."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    transport: httpx.BaseTransport | None = None
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    browse: Callable[[str], bool] = webbrowser.open

    def hub(self, login: Login) -> Hub:
        """Open a hub."""
        return Hub(login, transport=self.transport, sleep=self.sleep)


class Invocation:
    """What the commands work with. Whatever asks the hub raises Problem."""

    def __init__(self, world: World, style: Format, integration: str | None) -> None:
        self.world = world
        self.settings = Settings(world.environ)
        self.out = Output(style, now=world.now())
        self._named = integration

    @classmethod
    def of(cls, context: typer.Context, style: Format = Format.TABLE, integration: str | None = None) -> "Invocation":
        """Take what the command was called with."""
        world = context.find_root().obj
        return cls(world if isinstance(world, World) else World(), style, integration)

    @cached_property
    def hub(self) -> Hub:
        """The hub that somebody is logged in to."""
        return self.world.hub(self.settings.login())

    @cached_property
    def integration_id(self) -> str:
        """The integration that was named, or the only one there is."""
        return integration_named(self.hub, self._named or self.settings.integration)

    @property
    def asked_integration_id(self) -> str | None:
        """The integration that was named, if one was: for lists that can be of all."""
        return self.integration_id if self._named or self.settings.integration else None

    @property
    def now(self) -> float:
        """Unix seconds."""
        return self.world.now()

    def moment(self, text: str | None) -> int | None:
        """How far back, or since when, as somebody has typed it: unix seconds; None of None. Raises WrongUsage."""
        return None if text is None else moment_before(text, now=self.now)

    def at(self, *parts: str | int) -> str:
        """A path below the integration."""
        return path("integrations", self.integration_id, *parts)

    def confirm(self, question: str, *, is_sure: bool) -> None:
        """Ask before something is done. Raises WrongUsage where nobody can answer, and typer.Abort at a no."""
        if is_sure:
            return
        if not sys.stdin.isatty():
            raise WrongUsage("This has to be confirmed, and nobody is there to ask.", hint="Add --yes to confirm it.")
        typer.confirm(question, abort=True, err=True)


def secret(what: str, option: str, *, from_stdin: bool) -> str:
    """Read a secret from the terminal without an echo, or a line of standard input. Raises WrongUsage.

    It is never an argument, which every user of the machine could read in the list of processes.
    """
    if from_stdin or not sys.stdin.isatty():
        value = sys.stdin.readline().strip()
    else:
        value = str(typer.prompt(what, hide_input=True, err=True)).strip()
    if not value:
        raise WrongUsage(f"No {what.lower()} was given.", hint=f"Type it when asked, or pipe it to {option}.")
    return value


def query_of(**values: Any) -> dict[str, Any]:
    """What is asked for, without what is not."""
    return {name: value for name, value in values.items() if value is not None}
