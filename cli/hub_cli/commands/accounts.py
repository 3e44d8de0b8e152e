"""People and machines, and what opens the GitLab in their name: `people`, `summary`, `credentials`."""

from typing import Annotated

import typer

from hub_cli.choices import AccountKind, AccountStatus, CredentialKind, Risk
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation
from hub_cli.names import account_named, place
from hub_cli.options import Integration, Limit, Output
from hub_cli.times import days

PANEL = "Access"


PEOPLE = (
    Column("id"),
    Column("username"),
    Column("name"),
    Column("kind"),
    Column("status"),
    Column("admin", field("is_admin")),
    Column("external"),
    Column("two factors", field("two_factor_enabled")),
    Column("last active", field("last_activity_on")),
    Column("email", lambda row: next((one["value"] for one in row["emails"]), None)),
)
FIGURES = (Column("figure", lambda row: row["name"].replace("_", " ")), Column("count", kind=Kind.NUMBER))
CREDENTIALS = (
    Column("id"),
    Column("kind"),
    Column("name"),
    Column("of", lambda row: row["username"] or place(row["resource"])),
    Column("status"),
    Column("scopes"),
    Column("last used", field("last_used_at"), Kind.TIME),
    Column("expires", field("expires_at"), Kind.TIME),
    Column("risks"),
)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (people, summary, credentials):
        app.command(rich_help_panel=PANEL)(command)


def people(
    context: typer.Context,
    search: Annotated[str | None, typer.Argument(help="Part of a username, name or address.")] = None,
    *,
    kind: Annotated[AccountKind | None, typer.Option(help="Only accounts of this kind.")] = None,
    status: Annotated[AccountStatus | None, typer.Option(help="Only accounts with this status.")] = None,
    inactive: Annotated[str | None, typer.Option(metavar="90d", help="Only accounts unused for so long.")] = None,
    admin: Annotated[bool | None, typer.Option("--admin/--no-admin", help="Administrators, or all others.")] = None,
    external: Annotated[bool | None, typer.Option("--external/--internal", help="External users, or others.")] = None,
    two_factors: Annotated[bool | None, typer.Option("--2fa/--no-2fa", help="With or without a second factor.")] = None,
    without_access: Annotated[bool, typer.Option("--without-access", help="Only who is a member of nothing.")] = False,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """List or search accounts: people, service accounts and bots."""
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(
        invocation.at("accounts"), "accounts", q=search, kind=kind, status=status, is_admin=admin, external=external,
        inactive_days=days(inactive), two_factor_enabled=two_factors, without_grants=True if without_access else None,
    )  # fmt: skip
    invocation.out.rows(found, PEOPLE, empty="There is no such account.", asked=limit)


def summary(context: typer.Context, *, output: Output = Format.TABLE, integration: Integration = None) -> None:
    """Count what an auditor asks for: accounts by kind, owners, who has no second factor, what is overdue."""
    invocation = Invocation.of(context, output, integration)
    answer = invocation.hub.get(invocation.at("access-summary"))
    if not invocation.out.is_for_people:
        invocation.out.exactly(answer, answer["figures"], FIGURES)
        return
    invocation.out.rows(answer["figures"], FIGURES, empty="Nothing was counted yet.", limit=None)
    if not answer["completeness"]["complete"]:
        invocation.out.remark("Not everything could be read, so there may be more.")


def credentials(
    context: typer.Context,
    *,
    risk: Annotated[Risk | None, typer.Option(help="Only what is risky so.")] = None,
    kind: Annotated[CredentialKind | None, typer.Option(help="Only tokens or keys of this kind.")] = None,
    person: Annotated[str | None, typer.Option(metavar="USERNAME", help="Only of this account.")] = None,
    expiring: Annotated[str | None, typer.Option(metavar="30d", help="Only what expires within this time.")] = None,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """List tokens and keys that open the GitLab, with their risks. Their secrets are never shown."""
    invocation = Invocation.of(context, output, integration)
    account = None if person is None else account_named(invocation.hub, invocation.at(), person)
    found = invocation.hub.rows(
        invocation.at("gitlab-credentials"), "gitlab_credentials", risk=risk, kind=kind,
        account_id=account and account["id"], expiring_within_days=days(expiring),
    )  # fmt: skip
    invocation.out.rows(found, CREDENTIALS, empty="There is no such token or key.", asked=limit)
