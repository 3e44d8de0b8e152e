"""Hub tokens: `tokens`, and `tokens create`, `revoke`."""

from typing import Annotated

import typer

from hub_cli.choices import Role
from hub_cli.client import path
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation, query_of
from hub_cli.names import integration_named
from hub_cli.options import Limit, Output, Yes
from hub_cli.times import moment_after

PANEL = "This hub"
TOKENS = (
    Column("id"),
    Column("label"),
    Column("role"),
    Column("integrations", lambda row: "all" if row["integration_ids"] is None else row["integration_ids"]),
    Column("made by", field("created_by")),
    Column("made", field("created_at"), Kind.TIME),
    Column("expires", field("expires_at"), Kind.TIME),
    Column("revoked", field("revoked_at"), Kind.TIME),
)

app = typer.Typer(help="Make and end tokens for callers of the hub (owners only).", invoke_without_command=True)


def add_to(hub: typer.Typer) -> None:
    """Add the commands."""
    hub.add_typer(app, name="tokens", rich_help_panel=PANEL)


@app.callback()
def tokens(context: typer.Context, *, limit: Limit = None, output: Output = Format.TABLE) -> None:
    """Make and end tokens for callers of the hub (owners only); without a command it lists them."""
    if context.invoked_subcommand:
        return
    invocation = Invocation.of(context, output)
    found = invocation.hub.rows(path("tokens"), "tokens")
    invocation.out.rows(found, TOKENS, empty="There is only the owner's token of the deployment.", asked=limit)


@app.command()
def create(
    context: typer.Context,
    role: Annotated[Role, typer.Argument(help="What it may do.")],
    *,
    label: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="INTEGRATION", help="Only this integration; may be repeated.")
    ] = None,
    expires: Annotated[str | None, typer.Option(metavar="90d", help="For how long it is good.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Make a hub token. It is shown this once, and nobody can read it again."""
    invocation = Invocation.of(context, output)
    ids = [integration_named(invocation.hub, name) for name in only or ()]
    body = query_of(
        role=role, label=label, integration_ids=ids or None,
        expires_at=None if expires is None else moment_after(expires, now=invocation.now),
    )  # fmt: skip
    made = invocation.hub.post(path("tokens"), body)
    invocation.out.thing(made, (*TOKENS[:-1], Column("token")))


@app.command()
def revoke(context: typer.Context, token: Annotated[str, typer.Argument(metavar="ID")], *, yes: Yes = False) -> None:
    """End a hub token at once, with every session of the console that it began."""
    invocation = Invocation.of(context)
    invocation.confirm(f"Revoke the hub token {token}?", is_sure=yes)
    invocation.hub.delete(path("tokens", token))
    invocation.out.say("Revoked.")
