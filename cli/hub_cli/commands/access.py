"""Who has access to what: `who`, `what`, `why`."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from hub_cli.answers import Row
from hub_cli.choices import By
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation
from hub_cli.names import accounts_by_id, in_parts, place, username
from hub_cli.options import Integration, Least, Limit, Output, Path, Person
from hub_cli.ways import commands_to_end, ways

PANEL = "Access"


GRANT = (
    Column("role", lambda row: f"{row['role']}{' or more' if row['at_least'] else ''}"),
    Column("custom role", field("member_role", "name")),
    Column("by", field("kind")),
    Column("from", lambda row: place(row["path"][0]) if row["path"] else None),
    Column("expires", field("expires_at"), Kind.TIME),
    Column("since", kind=Kind.TIME),
)
PERSON = (
    Column("person", field("person")),
    Column("name", field("account", "name")),
    Column("status", field("account", "status")),
)
RESOURCE = (Column("kind of place", field("resource", "type")), Column("path", lambda row: place(row["resource"])))
WAYS = (
    Column("by", field("kind")),
    Column("level", kind=Kind.NUMBER),
    Column("role"),
    Column("from", lambda way: place(way["edges"][0]) if way["edges"] else None),
    Column("through", lambda way: [place(edge) for edge in way["edges"]]),
    Column("expires", field("expires_at"), Kind.TIME),
    Column("since", kind=Kind.TIME),
)

OnlyBy = Annotated[By | None, typer.Option("--by", help="Only access that comes this way.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (who, what, why):
        app.command(rich_help_panel=PANEL)(command)


def who(
    context: typer.Context,
    path: Path,
    *,
    at_least: Least = None,
    by: OnlyBy = None,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Show who has access to a group or project: each account once, with its highest role and where it comes from."""
    invocation = Invocation.of(context, output, integration)
    grants = invocation.hub.rows(
        invocation.at("grants"), "grants", path=path, view="effective", kind=by, min_access_level=at_least
    )
    found = with_people(invocation, grants)
    invocation.out.rows(found, (*PERSON, *GRANT), empty=f"Nobody has such access to {path}.", asked=limit)


def what(
    context: typer.Context,
    person: Person,
    *,
    at_least: Least = None,
    by: OnlyBy = None,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Show what somebody has access to: each group and project once, with the highest role and where it comes from."""
    invocation = Invocation.of(context, output, integration)
    grants = invocation.hub.rows(
        invocation.at("grants"), "grants", username=person, view="effective", kind=by, min_access_level=at_least
    )
    invocation.out.rows(grants, (*RESOURCE, *GRANT), empty=f"{person} has no such access.", asked=limit)


def why(
    context: typer.Context,
    person: Person,
    path: Path,
    *,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Show every way by which somebody has access, drawn as a tree, and which memberships to cut to end it (✂)."""
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.get(invocation.at("explain"), username=person, path=path)
    if not invocation.out.is_for_people:
        invocation.out.exactly(found, found["paths"], WAYS)
        return
    givers = accounts_by_id(invocation.hub, invocation.at(), [one["granted_by"] for one in found["paths"]])
    invocation.out.draw(ways(found, givers, now=invocation.now))
    for number, command in enumerate(commands_to_end(found)):
        invocation.out.say(f"To end it:\n  {command}" if number == 0 else f"  {command}", wraps=False)


def with_people(invocation: Invocation, rows: Iterable[Row]) -> Iterator[Row]:
    """Put accounts beside rows with an `account_id`, some at a time: `account`, and `person`, what to call it."""
    for some in in_parts(rows):
        known = accounts_by_id(invocation.hub, invocation.at(), [row.get("account_id") for row in some])
        for row in some:
            account_id = row.get("account_id")
            yield {**row, "person": username(known, account_id), "account": known.get(account_id or -1)}
