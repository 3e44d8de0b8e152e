"""Each dataset in each format equals what the API's own lists show of the stored rows, column by column."""

import json
from pathlib import Path
from typing import Any

import pytest

from gitlab_hub.access.changes.feed import ChangeFeed, Step
from gitlab_hub.access.changes.model import Change, ChangeKind, Place
from gitlab_hub.access.changes.reader import ChangeReader
from gitlab_hub.access.changes.routes import ChangeRoutes
from gitlab_hub.access.credentials.model import Credential
from gitlab_hub.exports.columns import COLUMNS, Type
from gitlab_hub.exports.model import BEGINNING, Asked, Dataset, Format
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.inventory.model import Resource, ResourceType
from gitlab_hub.pipelines.deployments.reader import DeploymentReader
from gitlab_hub.pipelines.deployments.routes import DeploymentRoutes
from gitlab_hub.pipelines.job_search import JobSearch
from gitlab_hub.pipelines.reader import PipelineReader
from gitlab_hub.pipelines.routes import PipelineRoutes
from gitlab_hub.pipelines.selection import ProjectSelection
from gitlab_hub.storage.ports import Put
from gitlab_hub.web.api import Api
from gitlab_hub.web.pagination import Cursors
from tests.fakes.events import Context, answered, http_event
from tests.functional.access.access_api import ACME, BOT, GRANTS, JANE, NOW, OLE, STORE, Client
from tests.functional.exports.export_hub import ExportHub

HOSTILE = [
    "=1+1",
    "a\r\nb",
    '"q", ',
    "nul\x00nul",
    "ünï 😀",
    "'",
    "\\",
    "NULL",
    "\u2028",
    "@x",
    "\t",
    '{"a": 1}',
    "\uff1dx",
]
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
NESTED = {
    "user_id": ("user", "id"), "user_username": ("user", "username"), "user_name": ("user", "name"),
    "runner_id": ("runner", "id"), "runner_description": ("runner", "description"),
    "runner_type": ("runner", "runner_type"), "resource_type": ("resource", "type"), "resource_id": ("resource", "id"),
    "resource_path": ("resource", "full_path"), "member_role_id": ("member_role", "id"),
    "member_role_name": ("member_role", "name"),
}  # fmt: skip
"""The columns that lie deeper in an answer of the API."""


@pytest.fixture(scope="module")
def hub() -> ExportHub:
    hub = ExportHub()
    hub.now = float(NOW)
    hub.project(15, "acme/=shop")
    for number, text in enumerate(HOSTILE, 1):
        hub.pipeline(
            number, "2026-02-20T10:00:00.5Z", name=text, ref=text, coverage="98.5", sha="a" * 40, tag=number % 2 == 0,
            user={"id": 3, "username": text, "name": text}, updated_at="2026-02-20T11:00:00Z", queued_duration=2,
        )  # fmt: skip
    for number, text in enumerate(HOSTILE, 1):
        hub.deployment(number, environment=text, ref=text, username=text, sha="b" * 40)
    client = Client(hub.access)
    client.store(JANE, OLE, BOT, ACME, *GRANTS)
    client.store(Resource(id=8, full_path="acme/store", name="Store"), STORE, kind=ResourceType.PROJECT)
    client.store_credentials(
        *(Credential(kind=CredentialKind.PERSONAL_TOKEN, id=n, name=text, account_id=5, scopes=["api", text],
                     created_at=NOW) for n, text in enumerate(HOSTILE, 1)),
        Credential(kind=CredentialKind.PROJECT_TOKEN, id=99, name="ci", resource_type=ResourceType.PROJECT,
                   resource_id=8, access_level=30, ends_at=NOW + 5, last_used_at=NOW - 5),
    )  # fmt: skip
    feed = ChangeFeed(hub.access, "i1", sync_id="s1", now=hub.clock, beside_runs=False)
    feed.begin([])
    for number, text in enumerate(HOSTILE):
        place = Place(type=ResourceType.PROJECT, id=8 if number % 2 else 9, full_path=text)
        change = Change(kind=ChangeKind.GRANT_ADDED, account_id=5, resource=place, before=None, after={"name": text})
        feed.write([Step(Put({"pk": "i1#x", "sk": str(number)}), [change])])
    return hub


def listed(hub: ExportHub, dataset: str) -> list[Any]:
    """What the API's own list shows."""
    cursors = Cursors(lambda: b"key")
    if dataset in {"accounts", "grants"}:
        return Client(hub.access).every(dataset)
    if dataset == "gitlab_credentials":
        return Client(hub.access).every("gitlab-credentials")
    if dataset == "changes":
        routes = ChangeRoutes(ChangeReader(hub.access), cursors).routes()
    elif dataset == "deployments":
        selection = ProjectSelection(hub.pipelines, hub.access)
        routes = list(DeploymentRoutes(DeploymentReader(hub.pipelines), selection, cursors).routes())
    else:
        selection = ProjectSelection(hub.pipelines, hub.access)
        routes = list(
            PipelineRoutes(PipelineReader(hub.pipelines), JobSearch(hub.pipelines), selection, cursors).routes()
        )
    api = Api(routes, guard=hub.known, idempotency=None, now=hub.clock)
    query = {"limit": 200, **({"project_id": 15} if dataset in {"pipelines", "jobs", "deployments"} else {})}
    status, body = answered(api.resolve(http_event("GET", f"/v1/integrations/i1/{dataset}", query=query), Context()))
    assert (status, body["next_cursor"]) == (200, None)
    rows: list[Any] = body[dataset]
    return rows


def shown(row: Any, name: str) -> Any:
    for part in NESTED.get(name, (name,)):
        row = None if row is None else row[part]
    return row


def wanted(dataset: str, row: Any) -> dict[str, Any]:
    """A row of the API as an export has it."""
    beside = {"project_path": "acme/=shop", "username": {5: "jane", 6: "ole"}.get(row.get("account_id"))}
    found = {}
    for column in COLUMNS[Dataset(dataset)]:
        name = column.name
        found[name] = shown(row, name) if name in row or name in NESTED else beside[name]
    if dataset == "accounts":
        found["told_by"] = [one["list"] for one in row["told_by"]]
    return found


def as_csv(dataset: str, row: dict[str, Any]) -> dict[str, str]:
    """The same as cells."""
    cells = {}
    for column in COLUMNS[Dataset(dataset)]:
        value = row[column.name]
        if value is not None and column.type is Type.JSON:
            value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        cells[column.name] = f"'{text}" if text.startswith(FORMULAS) else text
    return cells


def as_parquet(dataset: str, row: dict[str, Any]) -> dict[str, Any]:
    """The same as values of a table; lists and objects are JSON texts."""
    is_json = {column.name for column in COLUMNS[Dataset(dataset)] if column.type is Type.JSON}
    texts = {
        name: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for name, value in row.items()
        if name in is_json and value is not None
    }
    return {**row, **texts}


@pytest.mark.parametrize("how", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("dataset", list(Dataset))
def test_an_export_equals_what_is_stored(hub: ExportHub, dataset: str, how: str, tmp_path: Path) -> None:
    rows = [wanted(dataset, row) for row in listed(hub, dataset)]
    spelled = {"csv": as_csv, "jsonl": lambda _, row: row, "parquet": as_parquet}[how]
    exported = hub.read(hub.made(dataset, how), tmp_path)
    assert len(exported) == len(rows) > 2
    key = "kind" if dataset == "gitlab_credentials" else "resource_type" if dataset == "grants" else "id"

    def place(row: dict[str, Any]) -> str:
        return json.dumps([row[key], row.get("id"), row.get("account_id"), row.get("resource_id")], default=str)

    expected = [spelled(dataset, row) for row in rows]
    assert sorted(exported, key=place) == sorted(expected, key=place)
    assert [list(row) for row in exported] == [[column.name for column in COLUMNS[Dataset(dataset)]]] * len(rows)


def test_deployments_of_a_time_and_a_project_are_told_across_pages(tmp_path: Path) -> None:
    """A file holds several projects; a worker that goes on behind a page finds what is left."""
    hub = ExportHub()
    for project in (15, 16):
        hub.project(project)
        for number in range(1, 251):
            hub.deployment(project * 1_000 + number, project, created_at=NOW - number)
    export = hub.made("deployments", "jsonl")
    rows = hub.read(export, tmp_path)
    assert ({row["tier"] for row in rows}, len({row["id"] for row in rows}), len(rows)) == ({"production"}, 500, 500)
    assert (len(export["files"]), export["progress"]) == (1, {"done": 2, "total": 2})
    source, asked = (
        hub.source("deployments"),
        Asked(integration_id="i1", dataset=Dataset.DEPLOYMENTS, format=Format.CSV),
    )
    for batch in source.batches(asked, BEGINNING):
        left = [row["id"] for one in source.batches(asked, batch.place) for row in one.rows]
        assert not {row["id"] for row in batch.rows} & set(left)
    some = hub.read(hub.made("deployments", "jsonl", project_id=16, **{"from": NOW - 10, "to": NOW}), tmp_path)
    assert [row["id"] for row in some] == [16_000 + number for number in range(10, 0, -1)]


@pytest.mark.parametrize("dataset", ["grants", "changes", "gitlab_credentials"])
def test_of_one_project_there_is_nothing_of_others(hub: ExportHub, dataset: str, tmp_path: Path) -> None:
    rows = hub.read(hub.made(dataset, "jsonl", project_id=8), tmp_path)
    assert rows
    assert {(row["resource_type"], row["resource_id"]) for row in rows} == {("project", 8)}


@pytest.mark.parametrize("how", ["csv", "jsonl", "parquet"])
def test_a_list_with_nothing_in_it_is_a_file_with_columns(how: str, tmp_path: Path) -> None:
    hub = ExportHub()
    export = hub.made("accounts", how)
    (file,) = export["files"]
    assert (file["rows"], hub.read(export, tmp_path)) == (0, [])
    if how == "csv":
        assert hub.content(export, file).startswith(b"id,username,name,kind,")


def test_no_cell_of_a_spreadsheet_is_calculated(hub: ExportHub, tmp_path: Path) -> None:
    for row in hub.read(hub.made("pipelines", "csv"), tmp_path):
        assert not [cell for cell in row.values() if cell.startswith(FORMULAS)]
    assert hub.read(hub.made("pipelines", "csv"), tmp_path)[0]["ref"] == "'=1+1"
