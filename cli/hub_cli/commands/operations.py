"""What needs a person, and who did what: `incidents`, `audit`."""

from itertools import chain, islice
from typing import Annotated

import typer

from hub_cli.client import path
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation
from hub_cli.options import Integration, Limit, Output, Since
from hub_cli.problems import ExitCode

PANEL = "This hub"
INCIDENTS = (
    Column("since", field("at"), Kind.TIME),
    Column("incident", lambda row: row["kind"].replace("_", " ")),
    Column("about", field("subject")),
    Column("integration", field("integration_id")),
    Column("what to do", field("hint")),
)
AUDIT = (
    Column("at", kind=Kind.TIME),
    Column("who", field("actor")),
    Column("action"),
    Column("what", field("target")),
    Column("integration", field("integration_id")),
    Column("request id", field("request_id")),
)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PANEL)(incidents)
    app.command(rich_help_panel=PANEL)(audit)


def incidents(
    context: typer.Context,
    *,
    fail: Annotated[bool, typer.Option("--fail", help="End with exit code 4 if there is one.")] = False,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Show what needs a person, and what to do about it."""
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(path("incidents"), "incidents", integration_id=invocation.asked_integration_id)
    first = list(islice(found, 1))
    invocation.out.rows(chain(first, found), INCIDENTS, empty="No incident is open.", asked=limit)
    if fail and first:
        raise typer.Exit(ExitCode.ATTENTION)


def audit(
    context: typer.Context,
    *,
    since: Since = None,
    actor: Annotated[str | None, typer.Option(metavar="TOKEN", help="Only by this hub token.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action, such as plan.apply.")] = None,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Show who did what in the hub, the newest first."""
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(
        path("audit-log"), "entries", actor=actor, action=action, integration_id=invocation.asked_integration_id,
        since=invocation.moment(since),
    )  # fmt: skip
    invocation.out.rows(found, AUDIT, empty="There is no such entry.", asked=limit)
