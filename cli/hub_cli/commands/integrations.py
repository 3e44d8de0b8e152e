"""The GitLabs that are connected: `integrations`, and `integrations show`, `change`, `verify`, `token` and more."""

from typing import Annotated

import typer

from hub_cli.client import path
from hub_cli.commands.connecting import CHECKS, INTEGRATIONS, show_checks
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation, query_of, secret
from hub_cli.options import Integration, Limit, Output, Yes
from hub_cli.problems import ExitCode, Refused, WrongUsage

PANEL = "This hub"
TOKEN = (
    Column("token", field("status")),
    Column("token expires", field("expires_at"), Kind.TIME),
    Column("looked at", field("checked_at"), Kind.TIME),
)
REMOVED = (
    Column("tokens revoked", field("revoked")),
    Column("not revoked", field("revoke_failed")),
    Column("webhooks removed", field("hooks_deleted"), Kind.NUMBER),
    Column("not removed", field("hooks_failed")),
)

app = typer.Typer(help="Show the GitLabs that are connected, and change or remove one.", invoke_without_command=True)


def add_to(hub: typer.Typer) -> None:
    """Add the commands."""
    hub.add_typer(app, name="integrations", rich_help_panel=PANEL)


@app.callback()
def integrations(context: typer.Context, *, limit: Limit = None, output: Output = Format.TABLE) -> None:
    """Show the GitLabs that are connected, and change or remove one; without a command it lists them."""
    if context.invoked_subcommand:
        return
    invocation = Invocation.of(context, output)
    found = invocation.hub.rows(path("integrations"), "integrations")
    invocation.out.rows(found, INTEGRATIONS, empty="No GitLab is connected yet: `hub connect`.", asked=limit)


@app.command()
def show(context: typer.Context, *, output: Output = Format.TABLE, integration: Integration = None) -> None:
    """Show one integration."""
    invocation = Invocation.of(context, output, integration)
    invocation.out.thing(invocation.hub.get(invocation.at())["integration"], INTEGRATIONS)


@app.command()
def change(
    context: typer.Context,
    *,
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    paused: Annotated[bool | None, typer.Option("--pause/--resume", help="Pause syncs and builds.")] = None,
    webhooks: Annotated[
        bool | None, typer.Option("--manage-webhooks/--no-webhooks", help="Let the hub register webhooks.")
    ] = None,
    statuses: Annotated[
        bool | None, typer.Option("--report-statuses/--no-statuses", help="Let it report builds.")
    ] = None,
    provisioning: Annotated[
        bool | None, typer.Option("--provisioning/--no-provisioning", help="Let it change access, by plans.")
    ] = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Rename or pause an integration, and say what the hub may do beyond reading; what is left out stays."""
    features = query_of(manage_webhooks=webhooks, report_statuses=statuses, provisioning=provisioning)
    body = query_of(display_name=name, paused=paused, features=features or None)
    if not body:
        raise WrongUsage("There is nothing to change.", hint="`hub integrations change --help` shows what can be.")
    invocation = Invocation.of(context, output, integration)
    invocation.out.thing(invocation.hub.patch(invocation.at(), body)["integration"], INTEGRATIONS)


@app.command()
def verify(context: typer.Context, *, output: Output = Format.TABLE, integration: Integration = None) -> None:
    """Verify the stored token step by step. Exit code 4: it is not sufficient."""
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.post(invocation.at("verify"))
    if invocation.out.is_for_people:
        show_checks(invocation, found["checks"])
    else:
        invocation.out.exactly(found, found["checks"], CHECKS)
    if not found["ok"]:
        raise typer.Exit(ExitCode.ATTENTION)


@app.command()
def token(
    context: typer.Context,
    *,
    token_stdin: Annotated[bool, typer.Option("--token-stdin", help="Read the token from standard input.")] = False,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Replace the stored token with another of the same GitLab user. It is asked for without an echo."""
    invocation = Invocation.of(context, output, integration)
    given = secret("GitLab token", "--token-stdin", from_stdin=token_stdin)
    try:
        invocation.out.thing(invocation.hub.put(invocation.at("gitlab-token"), {"access_token": given}), TOKEN)
    except Refused as refused:
        show_checks(invocation, refused.details.get("checks"))
        raise


@app.command()
def rotate(
    context: typer.Context, *, yes: Yes = False, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Have GitLab rotate the stored token; the old one stops working at once."""
    invocation = Invocation.of(context, output, integration)
    invocation.confirm("Rotate the stored token? The old one stops working everywhere.", is_sure=yes)
    invocation.out.thing(invocation.hub.post(invocation.at("gitlab-token", "rotate")), TOKEN)


@app.command()
def remove(
    context: typer.Context, *, yes: Yes = False, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Remove an integration, with everything that is stored of it and its webhooks in GitLab.

    Tokens that were pasted stay good; OAuth pairs are revoked.
    """
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.get(invocation.at())["integration"]
    invocation.confirm(f"Remove {found['display_name']} ({found['host_url']}), with all that is stored?", is_sure=yes)
    invocation.out.thing(invocation.hub.delete(invocation.at()), REMOVED)
