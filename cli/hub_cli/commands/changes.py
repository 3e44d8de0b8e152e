"""What has changed in who has access: `changes`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hub_cli.choices import ChangeKind
from hub_cli.commands.access import with_people
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation
from hub_cli.names import account_named, place, place_named, role_of
from hub_cli.options import Integration, Limit, Output
from hub_cli.times import iso

PANEL = "Access"


CHANGES = (
    Column("at", kind=Kind.TIME),
    Column("change", field("kind")),
    Column("person"),
    Column("path", lambda row: place(row["resource"])),
    Column("what", lambda row: difference(row["before"], row["after"])),
    Column("by"),
)

_MATTERS = ("access_level", "expires_at", "username", "status", "visibility", "full_path")
_BESIDE = frozenset({"granted_at", "granted_by"})


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL)(changes)


def changes(
    context: typer.Context,
    *,
    since: Annotated[str, typer.Option(metavar="7d", help="How far back, or since which day.")] = "7d",
    until: Annotated[str | None, typer.Option(metavar="1d", help="Until how long ago, or which day.")] = None,
    person: Annotated[str | None, typer.Option(metavar="USERNAME", help="Only about this account.")] = None,
    path: Annotated[
        str | None, typer.Option("--path", metavar="PATH", help="Only about this group or project itself.")
    ] = None,
    kind: Annotated[ChangeKind | None, typer.Option(help="Only changes of this kind.")] = None,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Show what has changed, the oldest first: accounts, roles, invitations of groups, groups and projects."""
    invocation = Invocation.of(context, output, integration)
    hub, base = invocation.hub, invocation.at()
    account = None if person is None else account_named(hub, base, person)
    resource = None if path is None else place_named(hub, base, path)
    found = hub.rows(
        invocation.at("changes"), "changes", kind=kind, account_id=account and account["id"],
        since=invocation.moment(since), until=invocation.moment(until),
        **({} if resource is None else {f"{resource['type']}_id": resource["id"]}),
    )  # fmt: skip
    # All of them: the newest come last, so a table that ended early would leave out what matters.
    invocation.out.rows(with_people(invocation, found), CHANGES, empty="Nothing has changed.", limit=None, asked=limit)


def difference(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str | None:
    """Tell what is different between two states; of something new or gone, what matters of what it is or was."""
    if before is None or after is None:
        state = before or after or {}
        told = [_spelled(name, state[name]) for name in _MATTERS if state.get(name) is not None]
        return ", ".join(told) or None
    names = [name for name in {**before, **after} if before.get(name) != after.get(name) and name not in _BESIDE]
    return ", ".join(f"{_spelled(name, before.get(name))} → {_value(name, after.get(name))}" for name in names) or None


def _spelled(name: str, value: Any) -> str:
    called = "" if name == "access_level" else f"{name.replace('_', ' ')} "
    return f"{called}{_value(name, value)}"


def _value(name: str, value: Any) -> str:
    if value is None:
        return "none"
    if name == "access_level":
        return role_of(int(value))
    if name.endswith("_at") and isinstance(value, int):
        return iso(value)
    if isinstance(value, Mapping):
        return str(value.get("name") or value.get("full_path") or dict(value))
    return str(value)
