"""What was deployed, and how deliveries do: `deployments`, `dora`."""

from typing import Annotated

import typer

from hub_cli.choices import DeploymentStatus, DoraBy, Tier
from hub_cli.commands.pipelines import PANEL, Range, figures, tell, where, with_projects
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation
from hub_cli.options import GroupPath, Integration, Limit, Output, ProjectPath, Since

DEPLOYMENTS = (
    Column("id"),
    Column("project", field("project")),
    Column("environment"),
    Column("tier"),
    Column("status"),
    Column("ref"),
    Column("by", field("username")),
    Column("created", field("created_at"), Kind.TIME),
    Column("ended", field("finished_at"), Kind.TIME),
    Column("pipeline", field("pipeline_id")),
    Column("sha", is_for_programs=True),
)
FIGURES = (
    Column("of", lambda row: row.get("full_path") or row.get("key") or "all"),
    Column("deployments", kind=Kind.NUMBER),
    Column("per day", lambda row: _rounded(row["deployment_frequency_per_day"]), Kind.NUMBER),
    Column("lead time", field("lead_time_median"), Kind.DURATION),
    Column("failed", field("change_failure_rate"), Kind.SHARE),
    Column("restored after", field("time_to_restore_median"), Kind.DURATION),
)


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 2)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (deployments, dora):
        app.command(rich_help_panel=PANEL)(command)


def deployments(
    context: typer.Context,
    *,
    environment: Annotated[str | None, typer.Option(help="Only to the environment of this name.")] = None,
    tier: Annotated[Tier | None, typer.Option(help="Only to environments of this tier.")] = None,
    status: Annotated[DeploymentStatus | None, typer.Option(help="Only with this status.")] = None,
    project: ProjectPath = None,
    group: GroupPath = None,
    since: Since = None,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """List deployments, those that changed last first."""
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(
        invocation.at("deployments"), "deployments", environment=environment, tier=tier, status=status,
        created_after=invocation.moment(since),
        **where(invocation, project, group),
    )  # fmt: skip
    rows = with_projects(invocation, found)
    invocation.out.rows(rows, DEPLOYMENTS, empty="There is no such deployment.", asked=limit)


def dora(
    context: typer.Context,
    *,
    since: Range = "30d",
    by: Annotated[DoraBy | None, typer.Option(help="Group by this.")] = None,
    project: ProjectPath = None,
    group: GroupPath = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Show DORA's four figures: deployment frequency, lead time, change failure rate and time to restore."""
    invocation = Invocation.of(context, output, integration)
    answer = figures(invocation, "dora", since, None, project, group, group_by=by)
    tell(invocation, answer, [*answer["rows"], answer] if by else [answer], FIGURES)
    if answer["reason"] is not None and invocation.out.is_for_people:
        invocation.out.remark(answer["reason"]["hint"])
