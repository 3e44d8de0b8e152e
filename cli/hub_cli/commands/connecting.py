"""Connecting a GitLab: `connect`."""

from typing import Annotated, Any

import typer
from rich.console import Group

from hub_cli.answers import Row
from hub_cli.client import path
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation, query_of, secret
from hub_cli.options import Output
from hub_cli.output import text
from hub_cli.problems import Refused
from hub_cli.times import relative

PANEL = "This hub"
INTEGRATIONS = (
    Column("id"),
    Column("name", field("display_name")),
    Column("gitlab", field("host_url")),
    Column("version", field("gitlab_version")),
    Column("user", field("account", "username")),
    Column("group"),
    Column("status"),
    Column("token", field("credential_status")),
    Column("token expires", field("expires_at"), Kind.TIME),
)
CHECKS = (
    Column("step"),
    Column("result", lambda check: "skipped" if check["skipped"] else "ok" if check["ok"] else "failed"),
    Column("code"),
    Column("ms", field("latency_ms"), Kind.NUMBER),
    Column("hint"),
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL)(connect)


def connect(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Address of the GitLab, such as https://gitlab.example.com.")],
    *,
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    group: Annotated[str | None, typer.Option(metavar="PATH", help="Only this top-level group.")] = None,
    manage_webhooks: Annotated[bool, typer.Option("--manage-webhooks", help="Let the hub register webhooks.")] = False,
    report_statuses: Annotated[bool, typer.Option("--report-statuses", help="Let it report builds.")] = False,
    provisioning: Annotated[bool, typer.Option("--provisioning", help="Let it change access, by plans.")] = False,
    oauth_app: Annotated[
        str | None, typer.Option("--oauth-app", metavar="CLIENT_ID", help="Connect with an OAuth application instead.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try the token, and keep nothing.")] = False,
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the token, or the application's secret, from standard input.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Connect a GitLab with an access token, or the secret of an OAuth application, which is asked for without an echo.

    The token is tried step by step; where it does not suffice nothing is kept, and the steps say why. The scope
    read_api is enough to read; the features want api, see docs/tokens.md.
    """
    invocation = Invocation.of(context, output)
    hub = invocation.hub
    if oauth_app is None:
        how = {
            "auth_mode": "personal_token",
            "access_token": secret("GitLab token", "--token-stdin", from_stdin=token_stdin),
        }
    else:
        kept = secret("Secret of the application", "--token-stdin", from_stdin=token_stdin)
        how = {"auth_mode": "oauth_app", "client_id": oauth_app, "client_secret": kept}
    features = {"manage_webhooks": manage_webhooks, "report_statuses": report_statuses, "provisioning": provisioning}
    body = query_of(
        **how, host_url=url, display_name=name, group=group,
        features={feature: True for feature, is_on in features.items() if is_on} or None, dry_run=dry_run or None,
    )  # fmt: skip
    try:
        answer = hub.post(path("integrations", "gitlab", "start"), body)
    except Refused as refused:
        show_checks(invocation, refused.details.get("checks"))
        raise
    _show(invocation, answer)
    if oauth_app is not None and answer["integration"] is not None:
        _authorize(invocation, answer)


def _show(invocation: Invocation, answer: Row) -> None:
    out, integration, verification = invocation.out, answer["integration"], answer["verification"]
    if not out.is_for_people:
        out.exactly(answer, [integration] if integration else [], INTEGRATIONS)
        return
    out.draw(Group(out.table(verification["checks"], CHECKS), text("")))
    if verification["warnings"]:
        out.say(f"Warnings: {', '.join(verification['warnings'])}")
    if integration is None:
        out.say("It would do. Nothing was kept.")
        return
    out.thing(integration, INTEGRATIONS)
    if integration["status"] == "active":
        out.say(f"Its first syncs start by themselves; `hub sync --watch -i {integration['id']}` follows them.")


def _authorize(invocation: Invocation, answer: Row) -> None:
    """Say where to agree in a browser; the link is no data of the integration, so programs find it beside them."""
    begun = invocation.hub.post(
        path("integrations", "gitlab", "authorize"), {"integration_id": answer["integration"]["id"]}
    )
    out = invocation.out
    out.remark(f"The application needs the redirect URI {answer['redirect_uri']}")
    until = relative(begun["state_expires_at"], now=invocation.now)
    out.remark(f"To agree, open this in a browser; it ends {until}:", style="")
    out.remark(begun["connect_url"], style="", wraps=False)


def show_checks(invocation: Invocation, checks: Any) -> None:
    """Show people the steps of a verification, as far as the answer has some."""
    if isinstance(checks, list) and checks and invocation.out.is_for_people:
        invocation.out.draw(Group(invocation.out.table(checks, CHECKS), text("")))
