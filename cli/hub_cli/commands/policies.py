"""Who may ask for access, and who approves: `policies`, and `policies show`, `put`, `delete`."""

from typing import Annotated

import typer

from hub_cli.answers import Row
from hub_cli.documents import File, read_json
from hub_cli.formats import Column, Format, Kind
from hub_cli.invocation import Invocation
from hub_cli.names import role_of
from hub_cli.options import Integration, Limit, Output, Yes
from hub_cli.problems import WrongUsage

PANEL = "Access"
POLICIES = (
    Column("id"),
    Column("name"),
    Column("enabled"),
    Column("resources"),
    Column("at most", lambda row: role_of(row["max_access_level"])),
    Column("minutes", lambda row: row["max_minutes"], Kind.NUMBER),
    Column("who may ask", lambda row: [*row["requesters"]["roles"], *row["requesters"]["token_ids"]]),
    Column("who approves", lambda row: [*row["approvers"]["roles"], *row["approvers"]["token_ids"]]),
    Column("approvals", lambda row: row["approvers"]["count"], Kind.NUMBER),
    Column("break-glass", lambda row: row["break_glass"]),
    Column("reviewed within", lambda row: row["review_within_minutes"], Kind.NUMBER),
)

Policy = Annotated[str, typer.Argument(metavar="ID", help="Its id.")]

app = typer.Typer(
    help="Say who may ask for what access, for how long, and who approves (owners only).", invoke_without_command=True
)


def add_to(hub: typer.Typer) -> None:
    """Add the commands."""
    hub.add_typer(app, name="policies", rich_help_panel=PANEL)


@app.callback()
def policies(
    context: typer.Context, *, limit: Limit = None, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Say who may ask for what access, and who approves; by itself it lists the policies, as they are tried."""
    if context.invoked_subcommand:
        return
    invocation = Invocation.of(context, output, integration)
    invocation.out.rows(
        _known(invocation), POLICIES, empty="There are no policies: nobody can ask for access.", asked=limit
    )


@app.command()
def show(
    context: typer.Context, policy: Policy, *, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Show one policy."""
    invocation = Invocation.of(context, output, integration)
    invocation.out.thing(_one(_known(invocation), policy), POLICIES)


@app.command()
def put(
    context: typer.Context,
    file: File,
    *,
    yes: Yes = False,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Replace all policies with those of a file. `hub policies -o json` writes such a file."""
    wanted = read_json(file)
    listed = wanted["policies"] if isinstance(wanted, dict) and "policies" in wanted else wanted
    if not isinstance(listed, list):
        raise WrongUsage(f"{file} holds no list of policies.", hint="`hub policies -o json` writes one.")
    invocation = Invocation.of(context, output, integration)
    invocation.confirm(f"Put {len(listed)} policies in the place of all there are?", is_sure=yes)
    _put(invocation, listed)


@app.command()
def delete(
    context: typer.Context,
    policy: Policy,
    *,
    yes: Yes = False,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Remove one policy, and show those that are left."""
    invocation = Invocation.of(context, output, integration)
    known = _known(invocation)
    gone = _one(known, policy)
    invocation.confirm(f"Remove the policy {policy} ({gone['name']})?", is_sure=yes)
    _put(invocation, [one for one in known if one is not gone])


def _known(invocation: Invocation) -> list[Row]:
    known: list[Row] = invocation.hub.get(invocation.at("access-policies"))["policies"]
    return known


def _one(known: list[Row], policy: str) -> Row:
    for one in known:
        if one["id"] == policy:
            return one
    raise WrongUsage(f"There is no policy “{policy}”.", hint="`hub policies` lists them.")


def _put(invocation: Invocation, listed: list[Row]) -> None:
    put = invocation.hub.put(invocation.at("access-policies"), {"policies": listed})["policies"]
    invocation.out.rows(put, POLICIES, empty="There are no policies now: nobody can ask for access.", asked=len(put))
