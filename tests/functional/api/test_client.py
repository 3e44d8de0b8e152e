"""A client made from the document by a generator of others, used against the hub over a socket."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from gitlab_hub.web.openapi import document
from tests.functional.api.api_hub import ApiHub
from tests.functional.api.test_description import Gateway

PACKAGE = "generated_hub_client"


class Quiet(WSGIRequestHandler):
    """Writes no line per request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


@pytest.fixture(scope="module")
def hub() -> ApiHub:
    return ApiHub()


@pytest.fixture(scope="module")
def client(hub: ApiHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Client"]:
    """The generated client, signed in at the hub; the generator needs no network and runs no other program."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(document(hub.routes)))
    (folder / "config.json").write_text(json.dumps({"post_hooks": []}))
    made = subprocess.run(  # noqa: S603 - our own interpreter and files
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning",
            "--path", folder / "openapi.json", "--config", folder / "config.json", "--output-path", folder / PACKAGE,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    server = make_server("127.0.0.1", 0, Gateway(hub), handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Client(f"http://127.0.0.1:{server.server_port}", folder / PACKAGE)
    server.shutdown()
    server.server_close()
    thread.join(10)
    sys.path.remove(str(folder))


class Client:
    """The generated package."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.models: Any = import_module(f"{PACKAGE}.models")
        package: Any = import_module(PACKAGE)
        self.signed_in = package.AuthenticatedClient(base_url=url, token="ghub_owner_secret")
        self.stranger = package.Client(base_url=url)

    def operation(self, tag: str, name: str) -> ModuleType:
        """The module of one operation."""
        return import_module(f"{PACKAGE}.api.{tag}.{name}")

    def call(self, tag: str, name: str, *args: Any, **named: Any) -> Any:
        """Call an operation and give what it was parsed into."""
        return self.operation(tag, name).sync(*args, client=self.signed_in, **named)


def test_every_route_is_a_function_with_a_short_name(hub: ApiHub, client: Client) -> None:
    functions = [path.stem for path in client.folder.glob("api/*/*.py") if path.stem != "__init__"]
    assert sorted(functions) == sorted(route.name for route in hub.routes)
    assert len(set(functions)) == len(functions)
    assert {"list_jobs", "get_account", "start_integration", "list_audit_log", "whoami"} <= set(functions)
    assert max(map(len, functions)) < 26


def test_lists_come_as_objects_and_go_on(hub: ApiHub, client: Client) -> None:
    found, cursor = [], None
    for _ in range(3):
        more: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        page = client.call("integrations", "list_integrations", limit=1, **more)
        found += [one.id for one in page.integrations]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(found) == sorted([hub.own, hub.other])


def test_one_thing_comes_as_an_object(hub: ApiHub, client: Client) -> None:
    account = client.call("access", "get_account", hub.own, 1).account
    assert (account.id, account.username, account.kind) == (1, "user1", client.models.AccountKind.UNKNOWN)


def test_filters_are_named_and_their_values_listed(hub: ApiHub, client: Client) -> None:
    kinds = client.models.AccountKind
    assert set(kinds) == {"human", "service_account", "project_bot", "group_bot", "internal", "unknown"}
    assert client.call("access", "list_accounts", hub.own, kind=kinds.HUMAN).accounts == []
    status = client.models.ListPipelinesStatusType0
    assert client.call("pipelines", "list_pipelines", hub.own, status=status.FAILED).pipelines == []


def test_things_are_made_and_the_answer_can_be_used(client: Client) -> None:
    wanted = client.models.TokenCreateRequest(role=client.models.Role.VIEWER, label="made by a client")
    made = client.call("operations", "create_token", body=wanted)
    assert made.token.startswith(f"ghub_{made.id}_")
    listed = client.call("operations", "list_tokens").tokens
    assert [one.label for one in listed if one.id == made.id] == ["made by a client"]
    actions = client.models.AuditAction
    (entry,) = client.call("operations", "list_audit_log", action=actions.TOKEN_CREATE).entries
    assert entry.target == made.id


def test_a_body_that_may_be_missing_is_left_out(hub: ApiHub, client: Client) -> None:
    assert client.call("syncs", "sync_integration", hub.own).sync_id
    assert client.call("syncs", "get_sync", hub.own).kinds["access"].status == "queued"


def test_refusals_come_as_errors_with_their_codes(hub: ApiHub, client: Client) -> None:
    error = client.call("access", "get_account", hub.own, 999)
    assert (type(error).__name__, error.code) == ("Error", "not_found")
    error = client.call("integrations", "list_integrations", limit=500)
    assert error.code == "invalid_input"
    assert error.details["fields"][0]["field"] == "query.limit"
    whoami = client.operation("operations", "whoami")
    assert whoami.sync(client=client.stranger).code == "unauthorized"
    create = client.models.CredentialCreateRequest(secrets=client.models.SecretsRequest(api_token="glpat-x"))
    refused = client.call("credentials", "create_credential", "int_unknown", body=create)
    assert (type(refused).__name__, refused.error) == ("CredentialsError", "connection_not_found")
