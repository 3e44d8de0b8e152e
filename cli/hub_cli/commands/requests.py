"""Access for a while: `requests`, and `requests ask`, `approve`, `deny`, `end`."""

from collections.abc import Callable
from typing import Annotated

import typer

from hub_cli.choices import RequestStatus
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation, query_of
from hub_cli.names import access_named, place
from hub_cli.options import Id, Integration, Limit, Output, Path, Person, Role
from hub_cli.problems import WrongUsage
from hub_cli.times import MINUTE, duration

PANEL = "Access"
REQUESTS = (
    Column("id"),
    Column("status"),
    Column("person", field("account")),
    Column("role"),
    Column("path", lambda row: place(row["resource"])),
    Column("reason"),
    Column("minutes", kind=Kind.NUMBER),
    Column("asked by", field("requested_by")),
    Column("asked", field("created_at"), Kind.TIME),
    Column("decided by", field("decided_by")),
    Column("ends", field("ends_at"), Kind.TIME),
    Column("error"),
)
Comment = Annotated[str | None, typer.Option(help="What to say to it.")]

app = typer.Typer(help="Ask for access for a while, and decide about what others ask for.", invoke_without_command=True)


def add_to(hub: typer.Typer) -> None:
    """Add the commands."""
    hub.add_typer(app, name="requests", rich_help_panel=PANEL)


@app.callback()
def requests(
    context: typer.Context,
    *,
    status: Annotated[RequestStatus | None, typer.Option(help="Only with this status.")] = None,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Ask for access for a while, and decide about what others ask for; without a command it lists the requests."""
    if context.invoked_subcommand:
        return
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(invocation.at("access-requests"), "access_requests", status=status)
    invocation.out.rows(found, REQUESTS, empty="Nobody has asked for access.", asked=limit)


@app.command()
def ask(
    context: typer.Context,
    person: Person,
    path: Path,
    role: Role,
    *,
    time: Annotated[str, typer.Option("--for", metavar="1h", help="For how long.")] = "1h",
    reason: Annotated[str, typer.Option(prompt=True, help="Why; asked for if left out.")],
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Ask for a role for a while. Somebody else approves it, and the hub takes it back at the end."""
    invocation = Invocation.of(context, output, integration)
    seconds = duration(time)
    if seconds % MINUTE:
        raise WrongUsage(f"“{time}” is not a number of minutes.")
    body = {
        **access_named(invocation.hub, invocation.at(), person, path),
        "access_level": role,
        "minutes": seconds // MINUTE,
        "reason": reason,
    }
    made = invocation.hub.post(invocation.at("access-requests"), body)["access_request"]
    invocation.out.thing(made, REQUESTS)


def _decision(what: str) -> Callable[..., None]:
    def decide(
        context: typer.Context,
        request: Id,
        *,
        comment: Comment = None,
        output: Output = Format.TABLE,
        integration: Integration = None,
    ) -> None:
        invocation = Invocation.of(context, output, integration)
        answer = invocation.hub.post(invocation.at("access-requests", request, what), query_of(comment=comment))
        invocation.out.thing(answer["access_request"], REQUESTS)

    return decide


app.command("approve", help="Approve what somebody else asks for.")(_decision("approve"))
app.command("deny", help="Deny what somebody else asks for.")(_decision("deny"))
app.command("end", help="End access before its time, or take a request back.")(_decision("revoke"))
