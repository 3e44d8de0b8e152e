"""`sync`: asking for one, and following it; `sync accept` and `reject` removals that are suspect, `sync history`."""

from typing import Annotated

import typer

from hub_cli.answers import Row
from hub_cli.choices import SyncKind
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation, query_of
from hub_cli.options import Integration, Limit, Output, Yes
from hub_cli.problems import ExitCode, Refused
from hub_cli.watching import follow

PANEL = "This hub"


STATES = (
    Column("sync", field("kind")),
    Column("status"),
    Column("done", field("progress", "done"), Kind.NUMBER),
    Column("of", field("progress", "total"), Kind.NUMBER),
    Column("requests", field("counts", "requests"), Kind.NUMBER),
    Column("read", field("counts", "rows_read"), Kind.NUMBER),
    Column("removed", field("counts", "rows_removed"), Kind.NUMBER),
    Column("finished", field("finished_at"), Kind.TIME),
    Column("complete", field("completeness", "complete")),
    Column("error", field("last_error", "code")),
    Column("what to do", field("last_error", "hint")),
)
HISTORY = (
    Column("sync", field("kind")),
    Column("status"),
    Column("full"),
    Column("started", field("started_at"), Kind.TIME),
    Column("finished", field("finished_at"), Kind.TIME),
    *STATES[2:7],
    Column("held back", lambda row: _removals(row["suspected"])),
    Column("error", field("last_error", "code")),
    Column("id", field("sync_id")),
)

OfKind = Annotated[SyncKind, typer.Argument(metavar="KIND", help="access, pipelines or credentials.")]

app = typer.Typer(invoke_without_command=True)


def add_to(hub: typer.Typer) -> None:
    """Add the commands."""
    hub.add_typer(app, name="sync", rich_help_panel=PANEL)


@app.callback()
def sync(
    context: typer.Context,
    *,
    kind: Annotated[
        list[SyncKind] | None,
        typer.Option(help="What to read; may be given several times. Usually access and pipelines."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything again, even what looks unchanged.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow the syncs to their end.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Start nothing, show how far the syncs are.")] = False,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Read GitLab now, instead of when the schedule says so.

    With --watch it ends with exit code 4 where a sync failed, or is suspect: it would remove too much, and waits for
    `hub sync accept` or `hub sync reject`. Ctrl-C ends the watching, the sync goes on.
    """
    if context.invoked_subcommand:
        return
    invocation = Invocation.of(context, output, integration)
    kinds = [str(one) for one in kind or ()]
    if not status:
        _start(invocation, kinds, full=full, may_be_under_way=watch)
    if watch:
        _show(invocation, follow(invocation, kinds or ["access", "pipelines"]))
    else:
        _show(invocation, invocation.hub.get(invocation.at("sync"))["kinds"], is_the_end=False)


@app.command()
def accept(context: typer.Context, kind: OfKind, *, yes: Yes = False, integration: Integration = None) -> None:
    """Accept the removals that a suspect sync holds back; another sync carries them out."""
    _decide(Invocation.of(context, integration=integration), kind, "accept", "Remove {held}?", is_sure=yes)


@app.command()
def reject(context: typer.Context, kind: OfKind, *, yes: Yes = False, integration: Integration = None) -> None:
    """Reject the removals that a suspect sync holds back: nothing is removed, and the next sync decides again."""
    _decide(Invocation.of(context, integration=integration), kind, "reject", "Keep {held}?", is_sure=yes)


@app.command()
def history(
    context: typer.Context, *, limit: Limit = None, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """List the syncs that have ended, the newest first."""
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(invocation.at("sync", "history"), "syncs")
    invocation.out.rows(found, HISTORY, empty="No sync has ended yet.", asked=limit)


def _decide(invocation: Invocation, kind: SyncKind, what: str, question: str, *, is_sure: bool) -> None:
    state = invocation.hub.get(invocation.at("sync"))["kinds"][kind]
    held = _removals(state["suspected"]) if state["status"] == "suspect" else ""
    if held:
        invocation.confirm(question.format(held=held), is_sure=is_sure)
    # Where nothing is held back the hub says so, in its own words.
    answer = invocation.hub.post(invocation.at("sync", what), {"kind": kind})
    invocation.out.say(f"Sync {answer['sync_id']} is queued." if what == "accept" else "Rejected; nothing was removed.")


def _removals(suspected: Row) -> str:
    return ", ".join(f"{count:,} {dataset.replace('_', ' ')}" for dataset, count in suspected.items())


def _start(invocation: Invocation, kinds: list[str], *, full: bool, may_be_under_way: bool) -> None:
    body = query_of(kinds=kinds or None, full=True if full else None)
    try:
        answer = invocation.hub.post(invocation.at("sync"), body)
    except Refused as refused:
        if refused.code != "sync_in_progress" or not may_be_under_way:
            raise
        invocation.out.remark("A sync is under way already; this follows it.")
    else:
        invocation.out.remark(f"Sync {answer['sync_id']} is queued.")


def _show(invocation: Invocation, kinds: dict[str, Row], *, is_the_end: bool = True) -> None:
    rows = [{"kind": kind, **state} for kind, state in kinds.items()]
    if invocation.out.is_for_people:
        invocation.out.rows(rows, STATES, asked=len(rows))
    else:
        invocation.out.exactly({"kinds": kinds}, rows, STATES)
    if is_the_end and any(state["status"] in {"failed", "suspect"} for state in kinds.values()):
        raise typer.Exit(ExitCode.ATTENTION)
