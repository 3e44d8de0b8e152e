"""What GitLab has sent, and what became of it: `deliveries`, and `deliveries tail`, `show`, `replay`."""

from itertools import islice
from typing import Annotated, Any

import typer

from hub_cli.answers import Row
from hub_cli.choices import DeliveryStatus
from hub_cli.client import path
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation
from hub_cli.options import Id, Integration, Limit, Output, Since
from hub_cli.output import text
from hub_cli.watching import EVERY, Watch, until_interrupted

PANEL = "Builds"
DELIVERIES = (
    Column("id"),
    Column("received", field("received_at"), Kind.TIME),
    Column("event"),
    Column("project", field("project_path")),
    Column("ref"),
    Column("by", field("actor")),
    Column("status"),
    Column("builds", lambda row: len(row["build_ids"]), Kind.NUMBER),
    Column("why not", lambda row: [told(reason) for reason in row["reasons"]]),
)
DELIVERY = (
    *DELIVERIES[:7],
    Column("sha"),
    Column("action"),
    Column("verified by", field("verification")),
    Column("attempts", kind=Kind.NUMBER),
    Column("replays", kind=Kind.NUMBER),
    Column(
        "worked on for", lambda row: None if row["milliseconds"] is None else row["milliseconds"] / 1000, Kind.DURATION
    ),
    Column("builds", field("build_ids")),
)
_AT_ONCE = 1000
_BEHIND = 60
"""Seconds that a tail looks back, so that what was stored late is not missed."""
_LONGEST = 3600
"""Seconds after which it waits no longer for a delivery that nobody is done with."""

app = typer.Typer(
    help="Show what GitLab has sent, the newest first, and why it built nothing.", invoke_without_command=True
)


def add_to(hub: typer.Typer) -> None:
    """Add the commands."""
    hub.add_typer(app, name="deliveries", rich_help_panel=PANEL)


@app.callback()
def deliveries(
    context: typer.Context,
    *,
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only what became this.")] = None,
    event: Annotated[str | None, typer.Option(help="Only this kind of event, such as push.")] = None,
    since: Since = None,
    limit: Limit = None,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Show what GitLab has sent, the newest first, and why it built nothing."""
    if context.invoked_subcommand:
        return
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(
        path("deliveries"), "deliveries", integration_id=invocation.asked_integration_id, status=status, event=event,
        since=invocation.moment(since),
    )  # fmt: skip
    invocation.out.rows(found, DELIVERIES, empty="There is no such delivery.", asked=limit)


@app.command()
def tail(
    context: typer.Context,
    *,
    event: Annotated[str | None, typer.Option(help="Only this kind of event, such as push.")] = None,
    integration: Integration = None,
) -> None:
    """Show deliveries as they come, each once it is done with, until Ctrl-C. It survives a network that is away."""
    invocation = Invocation.of(context, integration=integration)
    news = _News(int(invocation.now))
    invocation.out.remark(f"Waiting for deliveries; it looks every {EVERY:.0f} seconds. Ctrl-C ends it.")

    def look() -> list[Row]:
        now = int(invocation.now)
        found = invocation.hub.rows(
            path("deliveries"), "deliveries", integration_id=invocation.asked_integration_id, event=event,
            since=news.since(now),
        )  # fmt: skip
        return news.of(list(islice(found, _AT_ONCE)), now)

    def show(found: list[Row]) -> None:
        for one in found:
            invocation.out.say(_line(one))

    watch = Watch(invocation, look, is_over=lambda _: False)
    until_interrupted(lambda: watch.run(show, invocation.out.remark), invocation, ended=None)


class _News:
    """What a tail has not shown yet: deliveries that came while the network was away, or that nobody is done with."""

    def __init__(self, now: int) -> None:
        self._began, self._whole_until = now, now
        self._shown: dict[str, None] = {}

    def since(self, now: int) -> int:
        """From when on there may be some."""
        return max(self._began, self._whole_until - _BEHIND, now - _LONGEST)

    def of(self, found: list[Row], now: int) -> list[Row]:
        """Those among what was found at this time (the newest first), the oldest first."""
        done = [one for one in reversed(found) if one["status"] != "pending" and one["id"] not in self._shown]
        self._shown |= dict.fromkeys(one["id"] for one in done)
        for old in list(islice(self._shown, max(0, len(self._shown) - 5 * _AT_ONCE))):
            del self._shown[old]
        self._whole_until = min([now, *(one["received_at"] for one in found if one["status"] == "pending")])
        return done


@app.command()
def show(
    context: typer.Context,
    delivery: Id,
    *,
    output: Output = Format.TABLE,
) -> None:
    """Show one delivery, and for each trigger why it built nothing."""
    invocation = Invocation.of(context, output)
    _show(invocation, invocation.hub.get(path("deliveries", delivery))["delivery"])


@app.command()
def replay(
    context: typer.Context,
    delivery: Id,
    *,
    output: Output = Format.TABLE,
) -> None:
    """Have a delivery worked on again, as if GitLab had sent it now. A commit that was built is not built again."""
    invocation = Invocation.of(context, output)
    _show(invocation, invocation.hub.post(path("deliveries", delivery, "replay"))["delivery"])


def told(reason: str) -> str:
    """A reason in words, without the trigger that it is of; docs/builds.md explains each."""
    return reason.rpartition(": ")[2].replace("_", " ")


def _show(invocation: Invocation, one: Row) -> None:
    reasons = [f"Not built: {_of_trigger(reason)}" for reason in one["reasons"]]
    invocation.out.thing(one, DELIVERY, more=text("\n".join(reasons)) if reasons else None)


def _of_trigger(reason: str) -> str:
    trigger, colon, _ = reason.rpartition(": ")
    return f"{told(reason)} ({trigger})" if colon else told(reason)


def _line(one: Row) -> str:
    parts: list[Any] = [one["event"], one["project_path"], one["ref"], one["status"]]
    told_of = f"{len(one['build_ids'])} builds" if one["build_ids"] else ", ".join(told(why) for why in one["reasons"])
    return "  ".join(str(part) for part in (one["id"], *parts, told_of) if part)
