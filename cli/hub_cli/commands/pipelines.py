"""How pipelines are doing: `pipelines`, `jobs`, `success`, `flaky`."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer

from hub_cli.answers import Row
from hub_cli.choices import FailureClass, GroupBy, PipelineStatus, RefClass
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation
from hub_cli.names import in_parts, place_named, projects_by_id
from hub_cli.options import GroupPath, Integration, Limit, Output, ProjectPath, Ref, Since
from hub_cli.problems import WrongUsage

PANEL = "Pipelines"
PIPELINES = (
    Column("id"),
    Column("project", field("project")),
    Column("ref"),
    Column("status"),
    Column("failed of", field("failure_class")),
    Column("source"),
    Column("by", field("user", "username")),
    Column("duration", kind=Kind.DURATION),
    Column("queued", field("queued_duration"), Kind.DURATION),
    Column("created", field("created_at"), Kind.TIME),
    Column("url", field("web_url"), is_for_programs=True),
)
JOBS = (
    Column("id"),
    Column("project", field("project")),
    Column("name"),
    Column("stage"),
    Column("status"),
    Column("failed of", field("failure_class")),
    Column("attempt", lambda row: f"{row['attempt_no']} of {row['attempt_count']}"),
    Column("runner", field("runner", "description")),
    Column("duration", kind=Kind.DURATION),
    Column("created", field("created_at"), Kind.TIME),
    Column("url", field("web_url"), is_for_programs=True),
)
FIGURES = (
    Column("of", lambda row: row.get("full_path") or row.get("key") or "all"),
    Column("pipelines", kind=Kind.NUMBER),
    Column("success", field("success_rate"), Kind.SHARE),
    Column("failed", field("by_status", "failed"), Kind.NUMBER),
    Column("median", field("duration", "p50"), Kind.DURATION),
    Column("95 %", field("duration", "p95"), Kind.DURATION),
    Column("queued", field("queue", "p50"), Kind.DURATION),
    Column("queued 95 %", field("queue", "p95"), Kind.DURATION),
)
FLAKY = (
    Column("project", field("project")),
    Column("job", field("job_name")),
    Column("commits", kind=Kind.NUMBER),
    Column("rate", kind=Kind.SHARE),
    Column("failed", kind=Kind.NUMBER),
    Column("wasted minutes", lambda row: round(row["wasted_minutes"], 1), Kind.NUMBER),
    Column("last seen", field("last_seen_at"), Kind.TIME),
    Column("seen in job", lambda row: row["examples"][0]["job_id"] if row["examples"] else None),
)

Failed = Annotated[bool, typer.Option("--failed", help="Only what has failed.")]
Range = Annotated[str, typer.Option("--since", metavar="30d", help="How far back.")]
OnlyRef = Annotated[RefClass | None, typer.Option("--refs", help="Only pipelines that ran for such refs.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (pipelines, jobs, success, flaky):
        app.command(rich_help_panel=PANEL)(command)


def pipelines(
    context: typer.Context,
    *,
    failed: Failed = False,
    status: Annotated[PipelineStatus | None, typer.Option(help="Only with this status.")] = None,
    project: ProjectPath = None,
    group: GroupPath = None,
    ref: Ref = None,
    since: Since = None,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """List pipelines, the newest first."""
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(
        invocation.at("pipelines"), "pipelines", ref=ref, status=_status(status, failed=failed),
        created_after=invocation.moment(since),
        **where(invocation, project, group),
    )  # fmt: skip
    invocation.out.rows(with_projects(invocation, found), PIPELINES, empty="There is no such pipeline.", asked=limit)


def jobs(
    context: typer.Context,
    *,
    failed: Failed = False,
    status: Annotated[PipelineStatus | None, typer.Option(help="Only with this status.")] = None,
    failed_of: Annotated[FailureClass | None, typer.Option("--failed-of", help="Only what failed of this.")] = None,
    name: Annotated[str | None, typer.Option(help="Only jobs of this name.")] = None,
    runner: Annotated[str | None, typer.Option(help="Only of this runner.")] = None,
    project: ProjectPath = None,
    group: GroupPath = None,
    since: Since = None,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """List jobs of all pipelines, each attempt on its own."""
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(
        invocation.at("jobs"), "jobs", name=name, runner=runner, failure_class=failed_of,
        status=_status(status, failed=failed),
        created_after=invocation.moment(since),
        **where(invocation, project, group),
    )  # fmt: skip
    invocation.out.rows(with_projects(invocation, found), JOBS, empty="There is no such job.", asked=limit)


def success(
    context: typer.Context,
    *,
    since: Range = "30d",
    by: Annotated[GroupBy | None, typer.Option(help="Group by this.")] = None,
    refs: OnlyRef = None,
    project: ProjectPath = None,
    group: GroupPath = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Show how many pipelines succeed, how long they take and how long they wait."""
    invocation = Invocation.of(context, output, integration)
    answer = figures(invocation, "summary", since, refs, project, group, group_by=by)
    rows = [*answer["rows"], answer] if by else [answer]
    tell(invocation, answer, rows, FIGURES)


def flaky(
    context: typer.Context,
    *,
    since: Range = "30d",
    refs: OnlyRef = None,
    project: ProjectPath = None,
    group: GroupPath = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Show jobs that fail and succeed on the same commit, the most wasteful first."""
    invocation = Invocation.of(context, output, integration)
    answer = figures(invocation, "flaky", since, refs, project, group)
    tell(invocation, answer, list(with_projects(invocation, answer["rows"])), FLAKY)


def with_projects(invocation: Invocation, rows: Iterable[Row]) -> Iterator[Row]:
    """Put the path of its project beside each row, some at a time: `project`."""
    for some in in_parts(rows):
        known = projects_by_id(invocation.hub, invocation.at(), [row["project_id"] for row in some])
        for row in some:
            project = known.get(row["project_id"], {"full_path": f"project {row['project_id']}"})
            yield {**row, "project": project["full_path"]}


def _status(status: PipelineStatus | None, *, failed: bool) -> PipelineStatus | None:
    if failed and status not in {None, PipelineStatus.FAILED}:
        raise WrongUsage("--failed and --status contradict each other.", hint="Give one of them.")
    return PipelineStatus.FAILED if failed else status


def where(invocation: Invocation, project: str | None, group: str | None) -> dict[str, int]:
    """The project or group that a list or figure is to be of, as the API takes it. Raises WrongUsage."""
    if project and group:
        raise WrongUsage("--project and --group are given.", hint="Give one of them.")
    if project:
        return {"project_id": place_named(invocation.hub, invocation.at(), project, kinds=["project"])["id"]}
    if group:
        return {"group_id": place_named(invocation.hub, invocation.at(), group, kinds=["group"])["id"]}
    return {}


def figures(
    invocation: Invocation,
    name: str,
    since: str,
    refs: RefClass | None,
    project: str | None,
    group: str | None,
    **more: Any,
) -> Row:
    """One of the API's figures."""
    query = {"from": invocation.moment(since), "ref_class": refs, **more}
    return invocation.hub.get(invocation.at("analytics", name), **query, **where(invocation, project, group))


def tell(invocation: Invocation, answer: Row, rows: list[Row], columns: tuple[Column, ...]) -> None:
    """Tell figures: to people with their rule, and whether they are of everything."""
    out = invocation.out
    if not out.is_for_people:
        out.exactly(answer, rows, columns)
        return
    out.rows(rows, columns, empty="Nothing was counted in this time.", limit=None)
    out.remark(answer["definition"]["text"])
    if not answer["completeness"]["complete"]:
        unread = answer["completeness"]["unread"]
        out.remark(
            f"Not everything is in it yet: {unread} of {answer['completeness']['projects']} projects are unread."
        )
