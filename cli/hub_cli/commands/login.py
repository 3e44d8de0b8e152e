"""Which hub to speak to, and as whom: `login`, `logout`, `whoami`, `open`."""

import sys
from typing import Annotated

import typer

from hub_cli.browser import open_privately
from hub_cli.client import path
from hub_cli.formats import Column, Format, Kind
from hub_cli.invocation import Invocation, secret
from hub_cli.options import Output
from hub_cli.output import console
from hub_cli.settings import Login, checked_address

PANEL = "This hub"
WHO = (
    Column("hub"),
    Column("token", lambda row: row["name"] or row["token_id"]),
    Column("role"),
    Column("integrations", lambda row: "all" if row["integration_ids"] is None else row["integration_ids"]),
    Column("expires", lambda row: row["expires_at"], Kind.TIME),
)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (login, logout, whoami, open_console):
        app.command("open" if command is open_console else None, rich_help_panel=PANEL)(command)


def login(
    context: typer.Context,
    url: Annotated[str | None, typer.Argument(help="Address of the hub; asked for if left out.")] = None,
    *,
    token_stdin: Annotated[bool, typer.Option("--token-stdin", help="Read the hub token from standard input.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Keep the hub's address and your hub token, in a file that only you can read.

    The token is asked for without an echo, and tried before it is kept.
    """
    invocation = Invocation.of(context, output)
    address = checked_address(url or str(typer.prompt("Address of the hub", err=True)))
    made = Login(address, secret("Hub token", "--token-stdin", from_stdin=token_stdin))
    answer = invocation.world.hub(made).get(path("whoami"))
    invocation.settings.store(made)
    invocation.out.thing({"hub": made.url, **answer}, WHO)
    invocation.out.remark(f"Kept in {invocation.settings.path}.")


def logout(context: typer.Context) -> None:
    """Remove the address and the token from this machine.

    The token itself stays good: an owner ends it with `hub tokens revoke`.
    """
    invocation = Invocation.of(context)
    was_there = invocation.settings.remove()
    invocation.out.say("Logged out." if was_there else "You were not logged in.")


def whoami(context: typer.Context, *, output: Output = Format.TABLE) -> None:
    """Show which hub you speak to, with which token and role."""
    invocation = Invocation.of(context, output)
    answer = invocation.hub.get(path("whoami"))
    invocation.out.thing({"hub": invocation.hub.url, **answer}, WHO)


def open_console(
    context: typer.Context,
    *,
    only_print: Annotated[bool, typer.Option("--print", help="Print the link, open nothing.")] = False,
) -> None:
    """Open the web console, signed in as you: by a link that works once, within ten minutes.

    The link is no argument of the browser, where other users of this machine could read it.
    """
    invocation = Invocation.of(context)
    url = str(invocation.hub.post(path("console-links"))["url"])
    is_for_browsers = url.startswith(("https://", "http://")) and console(sys.stdout).is_terminal
    if only_print or not is_for_browsers:
        invocation.out.say(url, wraps=False)
        return
    world = invocation.world
    invocation.out.remark("Opening a browser; where none shows the console, `hub open --print` gives the link.")
    if not open_privately(url, folder=invocation.settings.home, browse=world.browse, sleep=world.sleep):
        invocation.out.say(url, wraps=False)
