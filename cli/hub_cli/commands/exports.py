"""Files of everything that is stored: `exports create`, `list`, `show`, `download`."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from hub_cli.answers import Row
from hub_cli.choices import Dataset, FileFormat
from hub_cli.downloads import Downloads
from hub_cli.formats import Column, Format, Kind, field
from hub_cli.invocation import Invocation, query_of
from hub_cli.names import place_named
from hub_cli.options import Integration, Limit, Output, ProjectPath
from hub_cli.output import SHOWN_ROWS
from hub_cli.problems import ExitCode, Problem
from hub_cli.times import moment_before
from hub_cli.watching import Bars, follow_export, until_interrupted

PANEL = "Pipelines"
EXPORTS = (
    Column("id"),
    Column("dataset"),
    Column("format"),
    Column("status"),
    Column("from", kind=Kind.TIME),
    Column("to", kind=Kind.TIME),
    Column("project", field("project_id")),
    Column("rows", kind=Kind.NUMBER),
    Column("files", field("file_count"), Kind.NUMBER),
    Column("bytes", kind=Kind.NUMBER),
    Column("made by", field("created_by")),
    Column("made", field("created_at"), Kind.TIME),
    Column("finished", field("finished_at"), Kind.TIME),
    Column("kept until", field("expires_at"), Kind.TIME),
    Column("error", field("error", "code")),
    Column("what to do", field("error", "hint")),
)
FILES = (
    Column("file", field("path")),
    Column("rows", kind=Kind.NUMBER),
    Column("bytes", kind=Kind.NUMBER),
    Column("sha256", is_for_programs=True),
)
MANIFEST = "manifest.json"
_AT_ONCE = 20
"""Files whose links are asked for together: they are good for a quarter of an hour."""
_STOPPED = "Stopped. Called again, it goes on with the files that are not here yet."

Export = Annotated[str, typer.Argument(metavar="EXPORT", help="Its id, exp_…")]
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Follow it until it is done.")]

app = typer.Typer(
    help="Write what the hub has stored into files, and download them (admins only).", invoke_without_command=True
)


def add_to(hub: typer.Typer) -> None:
    """Add the commands."""
    hub.add_typer(app, name="exports", rich_help_panel=PANEL)


@app.callback()
@app.command("list")
def exports(
    context: typer.Context, *, limit: Limit = None, output: Output = Format.TABLE, integration: Integration = None
) -> None:
    """List the exports that are kept, the newest first; without a command it does the same."""
    if context.invoked_subcommand:
        return
    invocation = Invocation.of(context, output, integration)
    found = invocation.hub.rows(invocation.at("exports"), "exports")
    invocation.out.rows(found, EXPORTS, empty="There are no exports: `hub exports create` makes one.", asked=limit)


@app.command()
def create(
    context: typer.Context,
    dataset: Annotated[Dataset, typer.Argument(help="What to export.")],
    *,
    format: Annotated[FileFormat, typer.Option("--format", "-f", help="How to write the files.")] = FileFormat.CSV,  # noqa: A002
    since: Annotated[
        str | None, typer.Option(metavar="7d", help="Only pipelines created, or changes noticed, since then.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DAY", help="Only those until then; a day is the last one.")
    ] = None,
    project: ProjectPath = None,
    wait: Wait = False,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Make an export of everything of one kind. With --wait, exit code 4 means that it failed."""
    invocation = Invocation.of(context, output, integration)
    of = place_named(invocation.hub, invocation.at(), project, kinds=["project"]) if project else {}
    bounds = {"from": _bound(since, invocation), "to": _bound(until, invocation)}
    body = query_of(dataset=dataset, format=format, project_id=of.get("id"), **bounds)
    made = invocation.hub.post(invocation.at("exports"), body)["export"]
    if wait:
        invocation.out.remark(f"Export {made['id']} is queued.")
        made = follow_export(invocation, made["id"])
    _tell(invocation, made)
    if made["status"] == "done":
        invocation.out.remark(f"`hub exports download {made['id']}` brings its files.")
    elif not wait:
        invocation.out.remark(f"`hub exports download {made['id']} --wait` brings its files once they are there.")


@app.command()
def show(
    context: typer.Context,
    export: Export,
    *,
    wait: Wait = False,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Show how far an export is, and once it is done its files; as JSON with a link to each."""
    invocation = Invocation.of(context, output, integration)
    if wait:
        follow_export(invocation, export)
    _tell(invocation, _whole(invocation, export))


@app.command()
def download(
    context: typer.Context,
    export: Export,
    *,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help="Where to; usually a folder of its name, here.")
    ] = None,
    wait: Wait = False,
    output: Output = Format.TABLE,
    integration: Integration = None,
) -> None:
    """Download the files of an export, in the folders that DuckDB and others read, and check the SHA-256 of each.

    Called again, it brings only what is not here yet, and checks the rest. It replaces no file.
    """
    invocation = Invocation.of(context, output, integration)
    found = follow_export(invocation, export) if wait else _head(invocation, export)
    if found["status"] == "failed":
        _tell(invocation, found)
    if found["status"] != "done":
        raise Problem(f"The export {export} is not done yet: {found['status']}.", hint="--wait follows it to its end.")
    folder = to or Path(export)  # As it was typed: where files go is nothing that a hub may say.
    downloads = Downloads(folder, transport=invocation.world.transport, sleep=invocation.world.sleep)
    files: list[Row] = until_interrupted(lambda: _bring(invocation, found, downloads), invocation, ended=_STOPPED)
    if invocation.out.is_for_people:
        size = sum(file["bytes"] for file in files)
        invocation.out.say(f"{found['rows']:,} rows in {len(files):,} files, {size:,} bytes: {folder}", wraps=False)
    else:
        invocation.out.exactly({"id": found["id"], "folder": str(folder), "files": files}, files, FILES)


def _bring(invocation: Invocation, export: Row, downloads: Downloads) -> list[Row]:
    """Download everything, the list of the files first; gives the files. Raises Problem."""
    downloads.keep(MANIFEST, export["manifest"])
    listed = {file["path"]: file["sha256"] for file in json.loads(downloads.path(MANIFEST).read_bytes())["files"]}
    found: list[Row] = []
    with Bars() as bars:
        total = len(listed)
        for file in _files(invocation, export["id"]):
            bars.show("files", len(found), total, "downloading")
            if listed.pop(file["path"], None) != file["sha256"]:
                raise Problem(f"{file['path']} is not in the export's manifest.", hint="Make the export anew.")
            downloads.keep(file["path"], file)
            found.append({name: file[name] for name in ("path", "rows", "bytes", "sha256")})
        bars.show("files", len(found), total, "downloaded")
    if listed:
        raise Problem(f"{len(listed)} files of the manifest are missing.", hint="Make the export anew.")
    return found


def _files(invocation: Invocation, export_id: str) -> Iterator[Row]:
    """All files of an export, each with a link that was just made."""
    for page in invocation.hub.pages(invocation.at("exports", export_id), limit=_AT_ONCE):
        yield from page["export"]["files"]


def _whole(invocation: Invocation, export_id: str) -> Row:
    """An export with as many of its files as are to be told of."""
    if invocation.out.is_for_people:
        return _head(invocation, export_id, limit=SHOWN_ROWS)
    # Without a limit a page has as many files as the hub gives at once.
    first, *more = invocation.hub.pages(invocation.at("exports", export_id), limit=None)
    export: Row = first["export"]
    return {**export, "files": [file for page in (first, *more) for file in page["export"]["files"]]}


def _head(invocation: Invocation, export_id: str, *, limit: int = 1) -> Row:
    export: Row = invocation.hub.get(invocation.at("exports", export_id), limit=limit)["export"]
    return export


def _tell(invocation: Invocation, export: Row) -> None:
    files = export["files"] if invocation.out.is_for_people else []
    invocation.out.thing(export, EXPORTS, more=invocation.out.table(files, FILES) if files else None)
    if len(files) < export["file_count"] and files:
        invocation.out.remark(f"These are the first {len(files)} files; -o json gives all.")
    if export["status"] == "failed":
        raise typer.Exit(ExitCode.ATTENTION)


def _bound(text: str | None, invocation: Invocation) -> int | str | None:
    """Read a bound; a day stays one, because the API knows whether it is included. Raises WrongUsage."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return moment_before(text, now=invocation.now)
