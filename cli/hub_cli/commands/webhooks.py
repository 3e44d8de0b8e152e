"""Webhooks in GitLab: `webhooks`, and `webhooks show`, `create`, `repair`, `rotate`, `test`, `resend`, `delete`."""

from typing import Annotated

import typer

from hub_cli.choices import HookEvent, HookScope, Verification
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation, query_of
from hub_cli.options import Id, Integration, Limit, Output, Yes
from hub_cli.problems import ExitCode
from hub_cli.times import duration

PANEL = "Builds"
WEBHOOKS = (
    Column("id"),
    Column("of", field("scope")),
    Column("target"),
    Column("events"),
    Column("status"),
    Column("differs in", field("drift")),
    Column("mode"),
    Column("verified by", field("verification")),
    Column("last delivery", field("last_delivery_at"), Kind.TIME),
    Column("looked at", field("checked_at"), Kind.TIME),
    Column("url"),
)
SECRETS = (
    *WEBHOOKS,
    Column("secret token", field("manual", "secret_token")),
    Column("signing token", field("manual", "signing_token")),
)
RESENT = tuple(Column(name, kind=Kind.NUMBER) for name in ("resent", "failed", "known"))

app = typer.Typer(help="Manage the webhooks by which GitLab notifies the hub.", invoke_without_command=True)


def add_to(hub: typer.Typer) -> None:
    """Add the commands."""
    hub.add_typer(app, name="webhooks", rich_help_panel=PANEL)


@app.callback()
def webhooks(
    context: typer.Context, *, limit: Limit = None, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Manage the webhooks by which GitLab notifies the hub; without a command it lists them."""
    if context.invoked_subcommand:
        return
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(invocation.at("webhooks"), "webhooks")
    invocation.out.rows(found, WEBHOOKS, empty="There are no webhooks: `hub webhooks create`.", asked=limit)


@app.command()
def show(
    context: typer.Context, webhook: Id, *, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Show a webhook, as it was when it was last compared with GitLab."""
    invocation = Invocation.of(context, output, integration)
    invocation.out.thing(invocation.hub.get(invocation.at("webhooks", webhook))["webhook"], WEBHOOKS)


@app.command()
def create(
    context: typer.Context,
    scope: Annotated[HookScope, typer.Argument(help="Where it is registered; system covers the whole GitLab.")],
    target: Annotated[str | None, typer.Argument(metavar="PATH", help="Full path of the project or group.")] = None,
    *,
    event: Annotated[list[HookEvent], typer.Option(help="Event to subscribe to; may be repeated.")],
    manual: Annotated[
        bool, typer.Option("--manual", help="You enter it in GitLab; its secrets are shown once.")
    ] = False,
    per_project: Annotated[
        bool, typer.Option("--per-project", help="Where GitLab has no group webhooks, one for each project.")
    ] = False,
    verification: Annotated[Verification | None, typer.Option(help="How a delivery proves itself.")] = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Register a webhook in GitLab, or prepare one that you enter there."""
    invocation = Invocation.of(context, output, integration)
    body = query_of(
        scope=scope, target=target, events=event, verification=verification,
        mode="manual" if manual else None, fallback="project" if per_project else None,
    )  # fmt: skip
    made = invocation.hub.post(invocation.at("webhooks"), body)
    invocation.out.thing({**made["webhook"], "manual": made.get("manual")}, SECRETS)


@app.command()
def repair(
    context: typer.Context, webhook: Id, *, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Repair a webhook: register it again where it is gone, replace it where GitLab disabled it."""
    invocation = Invocation.of(context, output, integration)
    repaired = invocation.hub.post(invocation.at("webhooks", webhook, "repair"))
    invocation.out.thing(repaired["webhook"], WEBHOOKS)


@app.command()
def rotate(
    context: typer.Context,
    webhook: Id,
    *,
    grace: Annotated[str, typer.Option(metavar="1h", help="How long the old secrets are accepted too.")] = "1h",
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Make new secrets for a webhook. Those that you have to enter yourself are shown only once."""
    invocation = Invocation.of(context, output, integration)
    made = invocation.hub.post(invocation.at("webhooks", webhook, "rotate"), {"grace_seconds": duration(grace)})
    invocation.out.thing({**made["webhook"], "manual": made.get("manual")}, SECRETS)


@app.command("test")
def send_sample(
    context: typer.Context, webhook: Id, *, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Have GitLab send a test delivery. Exit code 4: it was not delivered."""
    invocation = Invocation.of(context, output, integration)
    tested = invocation.hub.post(invocation.at("webhooks", webhook, "test"))
    invocation.out.thing(tested, (Column("ok"), Column("what to do", field("hint"))))
    if not tested["ok"]:
        raise typer.Exit(ExitCode.ATTENTION)


@app.command()
def resend(
    context: typer.Context, webhook: Id, *, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """Have GitLab resend what it could not deliver in the last seven days."""
    invocation = Invocation.of(context, output, integration)
    sent = invocation.hub.post(invocation.at("webhooks", webhook, "resend-failed"))
    invocation.out.thing(sent, RESENT)
    if not sent["complete"]:
        invocation.out.remark("There is more; call it again in a minute.")


@app.command()
def delete(context: typer.Context, webhook: Id, *, yes: Yes = False, integration: Integration = None) -> None:
    """Remove a webhook from GitLab and from the hub; its deliveries are refused from then on."""
    invocation = Invocation.of(context, integration=integration)
    invocation.confirm(f"Remove the webhook {webhook}?", is_sure=yes)
    invocation.hub.delete(invocation.at("webhooks", webhook))
    invocation.out.say("Removed.")
