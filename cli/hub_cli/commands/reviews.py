"""Access reviews: `reviews`, and `reviews create`, `show`, `items`, `decide`, `close`, `export`."""

from typing import Annotated

import typer

from hub_cli.answers import Row
from hub_cli.choices import AccountKind, Decision, DecisionFilter
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation, query_of
from hub_cli.names import place, place_named
from hub_cli.options import GroupPath, Integration, Least, Limit, Output, ProjectPath, Yes, role
from hub_cli.problems import ExitCode, WrongUsage
from hub_cli.times import days, moment_after

PANEL = "Access"
REVIEWS = (
    Column("id"),
    Column("title"),
    Column("status"),
    Column("items", field("item_count"), Kind.NUMBER),
    Column("undecided", field("decisions", "none"), Kind.NUMBER),
    Column("keep", field("decisions", "keep"), Kind.NUMBER),
    Column("revoke", field("decisions", "revoke"), Kind.NUMBER),
    Column("change", field("decisions", "change"), Kind.NUMBER),
    Column("reviewers", lambda row: [one["name"] for one in row["reviewers"]]),
    Column("frozen", field("snapshot_at"), Kind.TIME),
    Column("due", field("due_at"), Kind.TIME),
    Column("made by", field("created_by")),
    Column("plan", field("plan_id")),
)
ITEMS = (
    Column("id"),
    Column("person", field("username")),
    Column("name"),
    Column("status", field("account_status")),
    Column("two factors", field("two_factor_enabled")),
    Column("path", lambda row: place(row["resource"])),
    Column("role", lambda row: f"{row['role']}{' or more' if row['at_least'] else ''}"),
    Column("by", field("kind")),
    Column("from", field("source")),
    Column("expires", field("expires_at"), Kind.TIME),
    Column("last active", field("last_activity_on")),
    Column("decision"),
    Column("new level", field("new_access_level")),
    Column("comment"),
    Column("decided by", field("decided_by")),
)
LEFT_OUT = (Column("item", field("item_id")), Column("left out because", lambda row: row["reason"].replace("_", " ")))
_AT_ONCE = 200
"""Decisions that the API takes in one call."""

Review = Annotated[str, typer.Argument(metavar="REVIEW", help="Its id, rev_…")]

app = typer.Typer(help="Have people review who has what, and plan what they decided.", invoke_without_command=True)


def add_to(hub: typer.Typer) -> None:
    """Add the commands."""
    hub.add_typer(app, name="reviews", rich_help_panel=PANEL)


@app.callback()
def reviews(
    context: typer.Context, *, limit: Limit = None, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Have people review who has what, and plan what they decided; by itself it lists the reviews."""
    if context.invoked_subcommand:
        return
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(invocation.at("reviews"), "reviews")
    invocation.out.rows(found, REVIEWS, empty="There are no reviews: `hub reviews create` makes one.", asked=limit)


@app.command()
def create(
    context: typer.Context,
    title: Annotated[str, typer.Argument(help="What to call it.")],
    *,
    project: ProjectPath = None,
    group: GroupPath = None,
    at_least: Least = None,
    kind: Annotated[list[AccountKind] | None, typer.Option(help="Only such accounts; may be repeated.")] = None,
    reviewer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Who decides besides admins: a username or hub token; may be repeated."),
    ] = None,
    due: Annotated[str | None, typer.Option(metavar="14d", help="When it is due.")] = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Take a snapshot of who has what, everywhere or in a group or project, for people to decide about."""
    invocation = Invocation.of(context, output, integration)
    scope = query_of(min_access_level=at_least, kinds=kind or None)
    for name, path in (("project", project), ("group", group)):
        if path is not None:
            scope[f"{name}_id"] = place_named(invocation.hub, invocation.at(), path, kinds=[name])["id"]
    body = query_of(
        title=title, scope=scope, reviewers=reviewer or None,
        due_at=None if due is None else moment_after(due, now=invocation.now),
    )  # fmt: skip
    invocation.out.thing(invocation.hub.post(invocation.at("reviews"), body)["review"], REVIEWS)


@app.command()
def show(
    context: typer.Context, review: Review, *, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Show a review: who decides, and how much is decided."""
    invocation = Invocation.of(context, output, integration)
    invocation.out.thing(invocation.hub.get(invocation.at("reviews", review))["review"], REVIEWS)


@app.command()
def items(
    context: typer.Context,
    review: Review,
    *,
    decision: Annotated[DecisionFilter | None, typer.Option(help="Only what was decided so; none: undecided.")] = None,
    search: Annotated[str | None, typer.Option(help="Only where a name, path or email address contains this.")] = None,
    inactive: Annotated[str | None, typer.Option(metavar="90d", help="Only accounts unused for so long.")] = None,
    two_factors: Annotated[bool | None, typer.Option("--2fa/--no-2fa", help="With or without a second factor.")] = None,
    external: Annotated[bool | None, typer.Option("--external/--internal", help="External users, or others.")] = None,
    expiring: Annotated[str | None, typer.Option(metavar="30d", help="Only what ends within this time.")] = None,
    at_least: Least = None,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """List what is reviewed, each with what was decided about it."""
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(
        invocation.at("reviews", review, "items"), "items", decision=decision, q=search, min_access_level=at_least,
        inactive_days=days(inactive), two_factor_enabled=two_factors, external=external,
        expiring_within_days=days(expiring),
    )  # fmt: skip
    invocation.out.rows(found, ITEMS, empty="There is no such item.", asked=limit)


@app.command()
def decide(
    context: typer.Context,
    review: Review,
    decision: Annotated[Decision, typer.Argument(help="What to do; change lowers it to --to.")],
    items: Annotated[list[str], typer.Argument(metavar="ITEM...", help="Ids of items.")],
    *,
    to: Annotated[
        int | None, typer.Option("--to", metavar="ROLE", parser=role, help="For change: the lower role.")
    ] = None,
    comment: Annotated[str | None, typer.Option(help="Why, for the auditor.")] = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Decide about access. Nothing changes in GitLab before the review is closed and its plan applied."""
    if (to is None) is (decision is Decision.CHANGE):
        raise WrongUsage("`change` needs --to, and nothing else takes it.", hint="Write `change ITEM --to reporter`.")
    invocation = Invocation.of(context, output, integration)
    decided: list[Row] = []
    for start in range(0, len(items), _AT_ONCE):
        wanted = [
            query_of(item_id=item, decision=decision, comment=comment, access_level=to)
            for item in items[start : start + _AT_ONCE]
        ]
        answer = invocation.hub.patch(invocation.at("reviews", review, "items"), {"decisions": wanted})
        decided += answer["items"]
    invocation.out.rows(decided, ITEMS, asked=len(decided))


@app.command()
def close(
    context: typer.Context,
    review: Review,
    *,
    yes: Yes = False,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """End a review, and plan what is to be revoked or changed.

    Nothing changes in GitLab until an owner applies the plan with `hub apply`. Exit code 4: no such plan could be made,
    or it is blocked.
    """
    invocation = Invocation.of(context, output, integration)
    invocation.confirm(f"Close the review {review}? Nothing can be decided in it afterwards.", is_sure=yes)
    closed = invocation.hub.post(invocation.at("reviews", review, "close"))
    out = invocation.out
    if out.is_for_people:
        out.thing(
            closed["review"], REVIEWS, more=out.table(closed["left_out"], LEFT_OUT) if closed["left_out"] else None
        )
    else:
        out.exactly(closed, [closed["review"]], REVIEWS)
    if closed["plan_refusal"] is not None:
        out.remark(f"No plan was made, {closed['plan_refusal']['code']}: {closed['plan_refusal']['hint']}")
    elif closed["plan_id"] is not None:
        out.remark(f"`hub apply {closed['plan_id']}` carries the decisions out.")
    if closed["plan_refusal"] is not None or closed["plan_status"] == "blocked":
        raise typer.Exit(ExitCode.ATTENTION)


@app.command()
def export(context: typer.Context, review: Review, *, integration: Integration = None) -> None:
    """Write a whole review as CSV, for the auditor, to standard output."""
    invocation = Invocation.of(context, integration=integration)
    invocation.out.file(invocation.hub.file(invocation.at("reviews", f"{review}.csv")))
