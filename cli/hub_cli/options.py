"""Options that many commands have."""

from typing import Annotated

import typer

from hub_cli.client import path
from hub_cli.formats import Format
from hub_cli.invocation import Invocation
from hub_cli.names import level_named
from hub_cli.problems import Problem


def integrations_like(context: typer.Context, incomplete: str) -> list[str]:
    """Integrations that begin so, for the shell to complete; none where the hub cannot tell."""
    try:
        known = Invocation.of(context).hub.rows(path("integrations"), "integrations")
        names = [str(name) for one in known for name in (one["display_name"], one["id"])]
    except Problem:
        return []
    return [name for name in names if name.startswith(incomplete) and name.isprintable()]


def role(name: str) -> int:
    """The access level of a role that was typed; help calls the type of such a value after this."""
    return level_named(name)


Person = Annotated[str, typer.Argument(metavar="PERSON", help="Username, with or without @.")]
Path = Annotated[str, typer.Argument(metavar="PATH", help="Full path of a group or project, such as acme/app.")]
Role = Annotated[
    int,
    typer.Argument(metavar="ROLE", parser=role, help="guest, planner, reporter, developer, maintainer, owner …"),
]
Least = Annotated[
    int | None, typer.Option("--at-least", metavar="ROLE", parser=role, help="Only with this role or a higher one.")
]
Id = Annotated[str, typer.Argument(metavar="ID")]

Output = Annotated[Format, typer.Option("-o", "--output", help="Output format: a table, JSON or CSV.")]
Integration = Annotated[
    str | None,
    typer.Option(
        "-i", "--integration", metavar="NAME", autocompletion=integrations_like,
        help="Name or id of the integration; not needed where there is one. Also HUB_INTEGRATION.",
    ),
]  # fmt: skip
Limit = Annotated[int | None, typer.Option("-n", "--limit", min=1, metavar="N", help="At most this many rows.")]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]
Since = Annotated[str | None, typer.Option(metavar="7d", help="Only what is newer: how far back, or since which day.")]
Ref = Annotated[str | None, typer.Option(help="Only of this branch or tag.")]
ProjectPath = Annotated[str | None, typer.Option("--project", metavar="PATH", help="Only this project.")]
GroupPath = Annotated[str | None, typer.Option("--group", metavar="PATH", help="Only this group and what is below it.")]
