"""Exports from a terminal: asked for, followed, downloaded past a network that fails, and checked byte by byte."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.functional.cli.command_line import CommandLine, Fault, Network
from tests.functional.console.console_hub import START, ConsoleHub

BUCKET = "bucket.example"


class ExportNetwork(Network):
    """A hub, and a bucket that knows nobody but whoever has a link.

    `bucket_faults` stand in for answers of the bucket, `told` for those of the hub about one export.
    """

    bucket_faults: list[Fault]
    told: list[httpx.Response]

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Carry a request to whom it is for."""
        if request.url.host != BUCKET:
            return self.told.pop(0) if self.told and "/exports/" in request.url.path else super().answer(request)
        assert "authorization" not in request.headers
        if self.bucket_faults:
            fault = self.bucket_faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault if isinstance(fault, httpx.Response) else fault(request)
        return stored(self.hub.container.bucket.dump()[request.url.path.removeprefix("/")])


class ExportLine(CommandLine):
    """A shell at that hub; whenever a command waits, the exporter works."""

    network: ExportNetwork

    def __init__(self, hub: ConsoleHub, folder: Path) -> None:
        super().__init__(hub, folder)
        self.network = ExportNetwork(hub)
        self.network.bucket_faults, self.network.told = [], []
        self.when_slept = hub.export

    def made(self, *words: str) -> dict[str, Any]:
        """Have an export made, and give it as the command tells it."""
        ended = self("exports", "create", *words, "--wait", "-o", "json")
        assert ended.code == 0, ended.err
        return dict(json.loads(ended.out))


def stored(content: bytes) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(content))


def page(export: dict[str, Any], *files: dict[str, Any], **more: Any) -> httpx.Response:
    """What the hub tells of an export."""
    return httpx.Response(200, json={"export": {**export, "files": files, **more}, "next_cursor": None})


def manifest(*files: dict[str, Any]) -> tuple[httpx.Response, dict[str, Any]]:
    """A list of files, and what the hub tells of it."""
    content = json.dumps({"files": files}).encode()
    told = {"url": f"https://{BUCKET}/m", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return stored(content), told


@pytest.fixture(scope="module")
def exporting() -> ConsoleHub:
    hub = ConsoleHub()
    hub.export()
    return hub


@pytest.fixture
def hub(exporting: ConsoleHub, tmp_path: Path) -> ExportLine:
    return ExportLine(exporting, tmp_path)


def file_of(hub: ExportLine, export: dict[str, Any]) -> dict[str, Any]:
    """The one file that an export has."""
    [file] = hub.hub("GET", f"/v1/integrations/{hub.hub.own}/exports/{export['id']}")[1]["export"]["files"]
    return dict(file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


def test_an_export_is_made_followed_listed_and_shown(hub: ExportLine) -> None:
    made = hub("exports", "create", "pipelines", "--wait")
    assert (made.code, made.err.splitlines()[1:3]) == (0, ["export: queued", "export: done"])
    listed = {one["dataset"]: one for one in json.loads(hub("exports", "list", "-o", "json").out)}
    one = listed["pipelines"]
    assert (one["status"], listed["accounts"]["status"]) == ("done", "done")
    assert hub("exports").out == hub("exports", "list").out
    shown = hub("exports", "show", one["id"])
    assert ("dataset=pipelines/project=100/day=" in shown.out, "https://" in shown.out) == (True, False)
    told = json.loads(hub("exports", "show", one["id"], "-o", "json").out)
    assert {file["url"].partition("/exports/")[0] for file in told["files"]} == {f"https://{BUCKET}"}


def test_what_is_asked_for_is_what_the_options_say(hub: ExportLine) -> None:
    made = hub.made("jobs", "-f", "jsonl", "--since", "2d", "--until", "2026-09-21", "--project", "acme/shop-Ana")
    assert (made["format"], made["project_id"]) == ("jsonl", 100)
    assert (made["from"], made["to"]) == ("2026-09-19T14:13:20Z", "2026-09-22T00:00:00Z")
    assert START == 1_790_000_000


def test_files_are_downloaded_into_their_folders_and_checked(hub: ExportLine, folder: Path) -> None:
    made = hub.made("pipelines")
    ended = hub("exports", "download", made["id"], "--to", str(folder))
    assert (ended.code, f"{made['rows']} rows in {made['file_count']} files" in ended.out) == (0, True), ended
    for file in json.loads((folder / "manifest.json").read_bytes())["files"]:
        content = (folder / file["path"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
    rows = [row for path in folder.rglob("*.csv") for row in csv.DictReader(path.read_text().splitlines())]
    assert len(rows) == made["rows"] > 0


def test_called_again_only_what_is_missing_is_fetched(hub: ExportLine, folder: Path) -> None:
    made = hub.made("pipelines")
    call = ("exports", "download", made["id"], "--to", str(folder), "-o", "json")
    first = hub(*call)
    gone, kept, *_ = sorted(folder.rglob("*.csv"))
    gone.unlink()
    hub.network.requests.clear()
    assert (hub(*call).out, sorted(folder.rglob("*.csv"))[:2]) == (first.out, [gone, kept])
    assert len([one for one in hub.network.requests if one.url.host == BUCKET]) == 1
    assert [path for path in folder.rglob("*") if path.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["manifest.json", "*.csv"])
def test_a_file_that_is_another_is_left_alone(hub: ExportLine, folder: Path, name: str) -> None:
    """Somebody's own, that of another export, or one that was changed since: nobody knows here which."""
    call = ("exports", "download", hub.made("accounts")["id"], "--to", str(folder))
    assert hub(*call).code == 0
    [other] = folder.rglob(name)
    other.write_bytes(b"mine")
    ended = hub(*call)
    assert (ended.code, "is another file" in ended.err, other.read_bytes()) == (1, True, b"mine"), ended.err
    other.unlink()
    assert (hub(*call).code, other.read_bytes() == b"mine") == (0, False)


def test_a_hub_does_not_say_which_folder_files_go_into(
    hub: ExportLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    made = hub.made("accounts")
    content, told = manifest()
    hub.network.told = [page({**made, "id": "../elsewhere"}, manifest=told) for _ in range(2)]
    hub.network.bucket_faults = [content]
    assert hub("exports", "download", made["id"]).code == 0
    assert ([one.name for one in here.iterdir()], (tmp_path / "elsewhere").exists()) == ([made["id"]], False)


def test_more_files_than_links_are_asked_for_at_once_all_come(
    hub: ExportLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_cli.commands.exports._AT_ONCE", 2)
    made = hub.made("pipelines")
    assert made["file_count"] > 2
    ended = json.loads(hub("exports", "download", made["id"], "--to", str(folder), "-o", "json").out)
    assert len({file["path"] for file in ended["files"]}) == made["file_count"]


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.Response(503, text="<Code>SlowDown</Code>"),
        httpx.Response(429),
    ],
)
def test_a_download_is_tried_again_where_that_helps(hub: ExportLine, folder: Path, fault: Fault) -> None:
    made = hub.made("accounts")
    hub.network.bucket_faults = [fault]
    ended = hub("exports", "download", made["id"], "--to", str(folder))
    assert (ended.code, hub.slept[-1]) == (0, 0.5), ended.err


@pytest.mark.parametrize(
    ("faults", "code", "words"),
    [
        ([httpx.Response(403, text="<Code>AccessDenied</Code>")], 1, "a quarter of an hour"),
        ([stored(b"something else")], 1, "is not the file that the hub wrote"),
        ([stored(b"x" * 10_000_000)], 1, "is not the file that the hub wrote"),
        ([httpx.ConnectError("refused") for _ in range(4)], 3, "Nothing answers at bucket.example."),
        ([httpx.Response(302, headers={"location": "https://evil.example.com"})], 3, "HTTP 302"),
    ],
)
def test_what_is_not_whole_and_right_is_not_kept(
    hub: ExportLine, folder: Path, faults: list[Fault], code: int, words: str
) -> None:
    made = hub.made("accounts")
    hub.network.bucket_faults = faults
    ended = hub("exports", "download", made["id"], "--to", str(folder))
    assert (ended.code, words in ended.err) == (code, True), ended.err
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "path", ["../evil.csv", "/etc/evil.csv", "//{0}/evil.csv", "a/../../evil.csv", "a\\..\\evil", "C:evil", "", "a\nb"]
)
def test_a_name_leads_nowhere_but_into_the_folder(hub: ExportLine, folder: Path, path: str) -> None:
    made = hub.made("accounts")
    file = {**file_of(hub, made), "path": path.format(str(folder.parent).lstrip("/"))}
    content, told = manifest(file)
    hub.network.told = [page(made, file, manifest=told) for _ in range(2)]
    hub.network.bucket_faults = [content]
    ended = hub("exports", "download", made["id"], "--to", str(folder))
    assert (ended.code, "names a file that is none" in ended.err) == (1, True)
    assert [one.name for one in folder.parent.rglob("*evil*")] == []


def test_a_list_of_files_that_goes_in_circles_is_not_followed_for_ever(hub: ExportLine) -> None:
    export = hub.made("accounts")
    told = {"export": {**export, "files": []}, "next_cursor": "again"}
    hub.network.told = [httpx.Response(200, json=told) for _ in range(2)]
    ended = hub("exports", "show", export["id"], "-o", "json")
    assert (ended.code, "the same page again" in ended.err) == (3, True)


@pytest.mark.parametrize("change", ["another hash", "one more", "one less"])
def test_files_are_those_of_the_manifest(hub: ExportLine, folder: Path, change: str) -> None:
    made = hub.made("accounts")
    file = file_of(hub, made)
    listed = {"another hash": [{**file, "sha256": "0" * 64}], "one more": [file, {**file, "path": "more.csv"}]}
    content, told = manifest(*listed.get(change, []))
    hub.network.told, hub.network.bucket_faults = [page(made, file, manifest=told)], [content]
    ended = hub("exports", "download", made["id"], "--to", str(folder))
    assert (ended.code, "manifest" in ended.err) == (1, True)


def test_a_link_that_anybody_could_read_on_the_way_is_not_followed(hub: ExportLine, folder: Path) -> None:
    made = hub.made("accounts")
    told = {"url": f"http://{BUCKET}/m", "bytes": 1, "sha256": "0"}
    hub.network.told = [page(made, manifest=told)]
    ended = hub("exports", "download", made["id"], "--to", str(folder))
    assert (ended.code, "is not encrypted" in ended.err) == (1, True)
    assert {one.url.host for one in hub.network.requests} == {"hub.example.com"}


def test_what_is_not_done_says_how_to_wait_for_it(hub: ExportLine, folder: Path) -> None:
    made = json.loads(hub("exports", "create", "grants", "-o", "json").out)
    early = hub("exports", "download", made["id"], "--to", str(folder))
    assert (early.code, "--wait" in early.err, folder.exists()) == (1, True, False)
    late = hub("exports", "download", made["id"], "--to", str(folder), "--wait")
    assert (late.code, (folder / "manifest.json").exists()) == (0, True)


def test_an_export_that_fails_wants_attention(hub: ExportLine) -> None:
    export_id = hub.hub.ids["export_id"]
    export = hub.hub("GET", f"/v1/integrations/{hub.hub.own}/exports/{export_id}")[1]["export"]
    error = {"code": "export_too_large", "hint": "Name a project_id, or a shorter time."}
    for command in ("show", "download"):
        hub.network.told = [page(export, status="failed", error=error)]
        ended = hub("exports", command, export_id)
        assert (ended.code, "Name a project_id" in ended.out) == (4, True), ended.err


def test_it_is_refused_in_words(hub: ExportLine) -> None:
    timed = hub("exports", "create", "accounts", "--since", "7d")
    assert (timed.code, "leave out from and to" in timed.err) == (1, True)
    assert hub("exports", "create", "secrets").code == 2
    assert hub("exports", "create", "jobs", "--since", "yesterday").code == 2
    hub.limited(role="viewer")
    assert "permission_denied" in hub("exports").err


def test_a_folder_that_cannot_be_written_is_named(hub: ExportLine, folder: Path) -> None:
    made = hub.made("accounts")
    folder.write_text("I am a file")
    ended = hub("exports", "download", made["id"], "--to", str(folder))
    assert (ended.code, "cannot be written" in ended.err) == (1, True)


def test_a_terminal_sees_a_bar(hub: ExportLine, folder: Path) -> None:
    made = hub.made("pipelines")
    ended = hub("exports", "download", made["id"], "--to", str(folder), terminal={})
    assert (ended.code, f"/{made['file_count']}" in ended.everything) == (0, True)
