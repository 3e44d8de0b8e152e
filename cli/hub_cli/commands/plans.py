"""Changing access by plans: `plan grant`, `plan revoke`, `plan offboard`, `apply`, `undo`."""

from typing import Annotated

import typer

from hub_cli.answers import Row
from hub_cli.choices import Mode
from hub_cli.formats import Column, Format, Kind
from hub_cli.invocation import Invocation, query_of
from hub_cli.names import access_named, account_named
from hub_cli.options import Integration, Limit, Output, Path, Person, Role, Yes
from hub_cli.plan_shown import OPERATIONS, drawn
from hub_cli.problems import ExitCode, WrongUsage
from hub_cli.times import moment_after
from hub_cli.watching import follow_plan

PANEL = "Access"
PLANS = (
    Column("id"),
    Column("status"),
    Column("operations", lambda row: row["operation_count"], Kind.NUMBER),
    Column("note"),
    Column("made by", lambda row: row["created_by"]),
    Column("made", lambda row: row["created_at"], Kind.TIME),
    Column("applied by", lambda row: row["applied_by"]),
    Column("undoes"),
)
_GOOD = frozenset({"ready", "applied", "applying"})

Plan = Annotated[str, typer.Argument(metavar="PLAN", help="Its id, plan_…")]
Note = Annotated[str | None, typer.Option(help="Why, for the audit log.")]
Apply = Annotated[bool, typer.Option("--apply", help="Apply it at once, after a confirmation.")]
Reason = Annotated[str | None, typer.Option(help="An owner's reason to go beyond the limits.")]

app = typer.Typer(
    help="Plan to change access. What it would do is looked up in GitLab and shown; only applying it does it.",
    invoke_without_command=True,
)


def add_to(hub: typer.Typer) -> None:
    """Add the commands."""
    hub.add_typer(app, name="plan", rich_help_panel=PANEL)
    hub.command(rich_help_panel=PANEL)(apply)
    hub.command(rich_help_panel=PANEL)(undo)


@app.callback()
def plans(
    context: typer.Context, *, limit: Limit = None, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Plan to change access; without a command it lists the plans that there are, the newest first."""
    if context.invoked_subcommand:
        return
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(invocation.at("plans"), "plans")
    invocation.out.rows(found, PLANS, empty="Nothing was planned yet.", asked=limit)


@app.command()
def show(context: typer.Context, plan: Plan, *, output: Output = Format.TABLE, integration: Integration = None) -> None:
    """Show a plan: each operation with its state before and after, and the calls it makes."""
    invocation = Invocation.of(context, output, integration)
    _tell(invocation, invocation.hub.get(invocation.at("plans", plan))["plan"])


@app.command()
def grant(
    context: typer.Context,
    person: Person,
    path: Path,
    role: Role,
    *,
    until: Annotated[str | None, typer.Option(metavar="2h", help="For how long, to the minute; or until when.")] = None,
    expires: Annotated[str | None, typer.Option(metavar="DAY", help="First day without it, as 2027-01-31.")] = None,
    mode: Annotated[Mode, typer.Option(help="Whether whoever has more keeps it.")] = Mode.AT_LEAST,
    note: Note = None,
    apply: Apply = False,
    yes: Yes = False,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Plan to give somebody a role in a group or project."""
    invocation = Invocation.of(context, output, integration)
    operation = query_of(
        op="grant", access_level=role, mode=mode, expires_at=expires,
        until=None if until is None else moment_after(until, now=invocation.now),
    )  # fmt: skip
    _plan(
        invocation,
        {**operation, **access_named(invocation.hub, invocation.at(), person, path)},
        note,
        apply=apply,
        yes=yes,
    )


@app.command()
def revoke(
    context: typer.Context,
    person: Person,
    path: Path,
    *,
    note: Note = None,
    apply: Apply = False,
    yes: Yes = False,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Plan to take away somebody's own membership of a group or project; those below it stay.

    `hub why` says which ones to take away to end somebody's access.
    """
    invocation = Invocation.of(context, output, integration)
    operation = {"op": "revoke", **access_named(invocation.hub, invocation.at(), person, path)}
    _plan(invocation, operation, note, apply=apply, yes=yes)


@app.command()
def offboard(
    context: typer.Context,
    person: Person,
    *,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the account as well, for good.")] = False,
    note: Note = None,
    apply: Apply = False,
    yes: Yes = False,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Plan to end what somebody has: the account is blocked, memberships and tokens are taken away."""
    invocation = Invocation.of(context, output, integration)
    account = account_named(invocation.hub, invocation.at(), person)
    operation = query_of(op="offboard", account_id=account["id"], delete=True if delete else None)
    _plan(invocation, operation, note, apply=apply, yes=yes)


def apply(
    context: typer.Context,
    plan: Plan,
    *,
    hash: Annotated[str | None, typer.Option(help="Apply it only if it is the plan of this hash.")] = None,  # noqa: A002
    reason: Reason = None,
    yes: Yes = False,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Apply a plan as it is shown, after a confirmation, and follow it to its end. Exit code 4: not all was done."""
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.get(invocation.at("plans", plan))["plan"]
    if hash is not None and hash != found["hash"]:
        raise WrongUsage(f"The plan {plan} has another hash.", hint="`hub plan show` shows what it is now.")
    _apply(invocation, found, reason, yes=yes)


def undo(
    context: typer.Context,
    plan: Plan,
    *,
    apply: Apply = False,
    yes: Yes = False,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Plan to take back what a plan has done."""
    invocation = Invocation.of(context, output, integration)
    made = invocation.hub.post(invocation.at("plans", plan, "undo"))["plan"]
    _tell_or_apply(invocation, made, apply=apply, yes=yes)


def _plan(invocation: Invocation, operation: Row, note: str | None, *, apply: bool, yes: bool) -> None:
    body = query_of(operations=[operation], note=note)
    made = invocation.hub.post(invocation.at("plans"), body)["plan"]
    _tell_or_apply(invocation, made, apply=apply, yes=yes)


def _tell_or_apply(invocation: Invocation, plan: Row, *, apply: bool, yes: bool) -> None:
    if apply and plan["status"] == "ready":
        _apply(invocation, plan, None, yes=yes)
        return
    _tell(invocation, plan)
    if plan["status"] == "ready":
        invocation.out.remark(f"Nothing was done yet: `hub apply {plan['id']}` does it, within 15 minutes.")


def _apply(invocation: Invocation, plan: Row, reason: str | None, *, yes: bool) -> None:
    if invocation.out.is_for_people:
        invocation.out.draw(drawn(plan))
    invocation.confirm(f"Apply this to GitLab ({plan['summary']})?", is_sure=yes)
    body = query_of(hash=plan["hash"], override=None if reason is None else {"reason": reason})
    invocation.hub.post(invocation.at("plans", plan["id"], "apply"), body)
    done = follow_plan(invocation, plan["id"])
    _tell(invocation, done)
    if done["status"] == "applied":
        invocation.out.remark(f"`hub undo {done['id']}` takes it back.")


def _tell(invocation: Invocation, plan: Row) -> None:
    if invocation.out.is_for_people:
        invocation.out.draw(drawn(plan))
    else:
        invocation.out.exactly(plan, plan["operations"], OPERATIONS)
    if plan["status"] not in _GOOD:
        raise typer.Exit(ExitCode.ATTENTION)
