"""Which events build what: `triggers`, and `triggers show`, `create`, `change`, `delete`, `try`."""

from typing import Annotated, Any

import typer
from rich.console import Group

from hub_cli.answers import Row
from hub_cli.client import path
from hub_cli.documents import File, read_object
from hub_cli.formats import Column, Format, field
from hub_cli.invocation import Invocation, query_of
from hub_cli.options import Id, Integration, Limit, Output, Yes
from hub_cli.output import text
from hub_cli.problems import WrongUsage

PANEL = "Builds"
TRIGGERS = (
    Column("id"),
    Column("of", lambda row: row["group"] or (f"project {row['project_id']}" if row["project_id"] else "everything")),
    Column("events"),
    Column("branches", lambda row: _globs(row["branches"])),
    Column("tags", lambda row: _globs(row["tags"])),
    Column("paths", lambda row: _globs(row["paths"])),
    Column("target", field("target", "type")),
    Column("enabled"),
    Column("made by", field("created_by")),
    Column("version"),
)
CHECKS = (Column("check", field("code")), Column("result", lambda row: "ok" if row["ok"] else "no"), Column("text"))

app = typer.Typer(help="Say which events build what, and where.", invoke_without_command=True)


def add_to(hub: typer.Typer) -> None:
    """Add the commands."""
    hub.add_typer(app, name="triggers", rich_help_panel=PANEL)


@app.callback()
def triggers(
    context: typer.Context, *, limit: Limit = None, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Say which events build what, and where; without a command it lists the triggers."""
    if context.invoked_subcommand:
        return
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(path("triggers"), "triggers", integration_id=invocation.asked_integration_id)
    invocation.out.rows(found, TRIGGERS, empty="There are no triggers: `hub triggers create`.", asked=limit)


@app.command()
def show(context: typer.Context, trigger: Id, *, output: Output = Format.TABLE) -> None:
    """Show a trigger."""
    invocation = Invocation.of(context, output)
    _tell(invocation, invocation.hub.get(path("triggers", trigger)))


@app.command()
def create(
    context: typer.Context, file: File, *, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Create a trigger, as docs/builds.md describes it: {"project_id": 3, "events": ["push"], "target": {…}}."""
    invocation = Invocation.of(context, output, integration)
    wanted = read_object(file)
    body = wanted if "integration_id" in wanted else {**wanted, "integration_id": invocation.integration_id}
    _tell(invocation, invocation.hub.post(path("triggers"), body))


@app.command()
def change(
    context: typer.Context,
    trigger: Id,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="What to change, as JSON; - for stdin.")] = None,
    *,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Switch it on or off.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a trigger; what the file does not name stays."""
    body = {**({} if file is None else read_object(file)), **query_of(enabled=enabled)}
    if not body:
        raise WrongUsage("There is nothing to change.", hint="Give a FILE, --enable or --disable.")
    invocation = Invocation.of(context, output)
    _tell(invocation, invocation.hub.patch(path("triggers", trigger), body))


@app.command()
def delete(context: typer.Context, trigger: Id, *, yes: Yes = False) -> None:
    """Remove a trigger; what it has built stays."""
    invocation = Invocation.of(context)
    invocation.confirm(f"Remove the trigger {trigger}?", is_sure=yes)
    invocation.hub.delete(path("triggers", trigger))
    invocation.out.say("Removed.")


@app.command("try")
def try_out(
    context: typer.Context,
    trigger: Id,
    *,
    delivery: Annotated[str | None, typer.Option(metavar="ID", help="A delivery that was received, dlv_…")] = None,
    event: Annotated[str | None, typer.Option(help="Instead of a delivery: an event, such as push.")] = None,
    payload: Annotated[str | None, typer.Option(metavar="FILE", help="The event's body; - for stdin.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what a trigger would do with an event, check by check. Nothing is stored, and nothing is built."""
    if (delivery is None) is (payload is None):
        raise WrongUsage("An event is needed, and one is enough.", hint="Give --delivery, or --event with --payload.")
    body: dict[str, Any] = query_of(
        delivery_id=delivery, event=event, payload=None if payload is None else read_object(payload)
    )
    invocation = Invocation.of(context, output)
    found = invocation.hub.post(path("triggers", trigger, "test"), body)
    out = invocation.out
    if not out.is_for_people:
        out.exactly(found, found["reasons"], CHECKS)
        return
    what = found["build"]
    told = (
        f"It would build {what['ref']} at {what['sha'][:8]}." if what and found["would_build"] else "It builds nothing."
    )
    out.draw(Group(out.table(found["reasons"], CHECKS), text(""), text(told)))
    _warn(invocation, found)


def _globs(globs: Row) -> list[str]:
    return [*globs["include"], *(f"not {one}" for one in globs["exclude"])]


def _tell(invocation: Invocation, answer: Row) -> None:
    invocation.out.thing(answer["trigger"], TRIGGERS)
    _warn(invocation, answer)


def _warn(invocation: Invocation, answer: Row) -> None:
    for warning in answer["warnings"]:
        invocation.out.remark(f"{warning['code']}: {warning['message']}", style="yellow")
