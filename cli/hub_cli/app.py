"""The program `hub`: all commands, and how one ends."""

import io
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hub_cli import __version__
from hub_cli.commands import (
    access,
    accounts,
    api,
    builds,
    changes,
    connecting,
    deliveries,
    deployments,
    exports,
    integrations,
    login,
    operations,
    pipelines,
    plans,
    policies,
    requests,
    reviews,
    syncing,
    tokens,
    triggers,
    webhooks,
)
from hub_cli.output import console, text
from hub_cli.problems import ExitCode, Problem, Refused

ABOUT = """Who has access to what in GitLab and why, how pipelines do, and what is built: gitlab-hub on a terminal.

Begin with `hub login`. Every command has --help, and shows what it found as a table, or with -o json or csv, with times
in ISO 8601. HUB_URL and HUB_TOKEN take the place of the login, HUB_INTEGRATION that of -i; NO_COLOR ends colours.

Exit codes:

- 0 done
- 1 the hub refused or failed, or you answered no
- 2 wrong usage
- 3 the hub cannot be reached
- 4 something needs attention: a sync, plan or export that failed, open incidents with --fail
- 130 ended by Ctrl-C
"""


_ODD = (KeyError, TypeError, AttributeError, ValueError, OverflowError)
"""What comes of an answer whose fields are missing, or other than they are documented to be."""


class Commands(TyperGroup):
    """Commands whose problems are told in words."""

    def invoke(self, ctx: Any) -> Any:
        """Carry a command out; a problem ends it with its exit code."""
        try:
            return super().invoke(ctx)
        except Problem as problem:
            tell(problem)
            raise typer.Exit(problem.exit_code) from None
        except _ODD as odd:
            lacks = f"has no {odd}" if isinstance(odd, KeyError) else "is not what this command knows"
            hint = f"Is the hub older or newer than this command ({__version__})?"
            tell(Problem(f"The hub's answer {lacks}.", hint=hint))
            raise typer.Exit(ExitCode.REFUSED) from None


def tell(problem: Problem) -> None:
    """Say what is wrong and what to do about it."""
    to = console(sys.stderr)
    code = f"{problem.code}: " if isinstance(problem, Refused) else ""
    to.print(text(f"{code}{problem.message}", "red"))
    if problem.hint:
        to.print(text(problem.hint))
    if isinstance(problem, Refused) and problem.request_id:
        to.print(text(f"request id: {problem.request_id}", "dim"))


app = typer.Typer(
    name="hub",
    cls=Commands,
    help=ABOUT,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    # A traceback with local variables would show the token.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if asked:
        typer.echo(f"hub {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Stand before every command."""


for part in (login, connecting, integrations, syncing, access, accounts, changes, plans, requests, policies, reviews,
             pipelines, deployments, exports, deliveries, builds, triggers, webhooks, operations, tokens,
             api):  # fmt: skip
    part.add_to(app)


def main() -> None:
    """Run the command that was typed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a letter shows a question mark in its place.
            stream.reconfigure(errors="replace")
    app(prog_name="hub")
