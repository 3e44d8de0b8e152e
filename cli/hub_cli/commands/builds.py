"""What was built: `builds`, and `builds show`, `approve`, `rerun`, `cancel`."""

from collections.abc import Callable
from typing import Annotated

import typer

from hub_cli.answers import Row
from hub_cli.choices import BuildStatus
from hub_cli.client import path
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation
from hub_cli.names import place_named
from hub_cli.options import Id, Integration, Limit, Output, ProjectPath, Ref

PANEL = "Builds"


def _status(row: Row) -> str:
    return "waits for approval" if row["needs_approval"] and row["status"] == "pending" else str(row["status"])


def _took(started: int | None, finished: int | None) -> int | None:
    return None if started is None or finished is None else finished - started


BUILDS = (
    Column("id"),
    Column("project", field("project_path")),
    Column("number", kind=Kind.NUMBER),
    Column("ref"),
    Column("commit", lambda row: row["sha"][:8]),
    Column("event"),
    Column("by", field("actor")),
    Column("status", _status),
    Column("created", field("created_at"), Kind.TIME),
    Column("took", lambda row: _took(row["started_at"], row["finished_at"]), Kind.DURATION),
)
BUILD = (
    *BUILDS,
    Column("sha"),
    Column("trigger", field("trigger_id")),
    Column("delivery", field("delivery_id")),
    Column("target", field("target", "type")),
    Column("told", field("description")),
    Column("logs", field("target_url")),
    Column("error", field("error", "code")),
    Column("hint", field("error", "hint")),
    Column("commit status", field("report", "status")),
    Column("rerun of", field("rerun_of")),
)

app = typer.Typer(help="Show what was built, the newest first.", invoke_without_command=True)


def add_to(hub: typer.Typer) -> None:
    """Add the commands."""
    hub.add_typer(app, name="builds", rich_help_panel=PANEL)


@app.callback()
def builds(
    context: typer.Context,
    *,
    status: Annotated[BuildStatus | None, typer.Option(help="Only with this status.")] = None,
    project: ProjectPath = None,
    ref: Ref = None,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Show what was built, the newest first."""
    if context.invoked_subcommand:
        return
    invocation = Invocation.of(context, output, integration)
    place = None if project is None else place_named(invocation.hub, invocation.at(), project, kinds=["project"])
    found = invocation.hub.rows(
        path("builds"), "builds", status=status, ref=ref, project_id=place and place["id"],
        integration_id=invocation.asked_integration_id if place is None else invocation.integration_id,
    )  # fmt: skip
    invocation.out.rows(found, BUILDS, empty="There is no such build.", asked=limit)


@app.command()
def show(context: typer.Context, build: Id, *, output: Output = Format.TABLE) -> None:
    """Show one build."""
    invocation = Invocation.of(context, output)
    invocation.out.thing(invocation.hub.get(path("builds", build))["build"], BUILD)


def _action(what: str) -> Callable[..., None]:
    def act(context: typer.Context, build: Id, *, output: Output = Format.TABLE) -> None:
        invocation = Invocation.of(context, output)
        invocation.out.thing(invocation.hub.post(path("builds", build, what))["build"], BUILD)

    return act


app.command("approve", help="Let a build start that waits for approval, because it comes from a fork.")(
    _action("approve")
)
app.command("rerun", help="Run a finished build again, as a new one.")(_action("rerun"))
app.command("cancel", help="Cancel a build.")(_action("cancel"))
