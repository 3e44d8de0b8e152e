"""What a deployed stack has stored and queued stays good: rows, secrets and messages of the release before.

The file was written by that release itself: two integrations, an account, a webhook, its delivery, a trigger, its
build, and both syncs requested.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from gitlab_hub.builds.runs.feature import builder_of
from gitlab_hub.builds.runs.model import BuildStatus
from gitlab_hub.composition.adapters import IntegrationStates
from gitlab_hub.composition.routes import all_routes
from gitlab_hub.sync.message import work_message
from gitlab_hub.sync.ports import Kind
from gitlab_hub.web.api import Api
from tests.fakes.container import INDEXES, MemoryContainer
from tests.fakes.events import OWNER, Context, answered, http_event
from tests.fakes.gitlab import ScriptedConnector, ScriptedGitLab
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable
from tests.functional.builds.builds_hub import MemoryTarget

STORED = json.loads((Path(__file__).parents[2] / "data" / "releases" / "before_composition.json").read_text())
IDS: dict[str, str] = STORED["ids"]
NOW = 1_790_000_060.0


class NoHints:
    """A push hints at nothing."""

    def pipeline(self, integration_id: str, project_id: int, pipeline_id: int) -> None: ...
    def deployments(self, integration_id: str, project_id: int) -> None: ...
    def project(self, integration_id: str, project_id: int) -> None: ...
    def group(self, integration_id: str, group_id: int) -> None: ...


def revived(value: Any) -> Any:
    """Bytes as they were; JSON has none."""
    if isinstance(value, dict):
        return (
            base64.b64decode(value["base64"])
            if value.keys() == {"base64"}
            else {k: revived(v) for k, v in value.items()}
        )
    return [revived(one) for one in value] if isinstance(value, list) else value


@pytest.fixture
def container() -> MemoryContainer:
    secrets, tables = MemorySecrets(), {name: MemoryTable(INDEXES) for name in STORED["tables"]}
    for name, secret in STORED["secrets"].items():
        secrets.create(name, secret["value"], version=secret["version"])
    for name, rows in STORED["tables"].items():
        tables[name].write(revived(row) for row in rows)
    return MemoryContainer(ScriptedConnector(ScriptedGitLab()), tables=tables, secrets=secrets, now=lambda: NOW)


def test_every_row_is_read_as_it_was_meant(container: MemoryContainer) -> None:
    api = Api(list(all_routes(container)), guard=container.integration_store, idempotency=None, now=container.now)

    def get(path: str, **query: Any) -> Any:
        status, body = answered(api.resolve(http_event("GET", path, principal=OWNER, query=query), Context()))
        assert status == 200, (path, body)
        return body

    own = IDS["integration_id"]
    assert {one["id"] for one in get("/v1/integrations")["integrations"]} == {own, STORED["other"]}
    assert container.syncs.view(own)["access"]["sync_id"] == "s1"
    account = get(f"/v1/integrations/{own}/accounts/1")["account"]
    assert (account["username"], account["is_auditor"]) == ("user1", None)
    assert get(f"/v1/integrations/{own}/webhooks/{IDS['hook_id']}")["webhook"]["events"] == ["push"]
    assert get(f"/v1/deliveries/{IDS['delivery_id']}")["delivery"]["status"] == "pending"
    assert get(f"/v1/triggers/{IDS['trigger_id']}")["trigger"]["project_id"] == 3
    assert get(f"/v1/builds/{IDS['build_id']}")["build"]["sha"] == "a" * 40
    assert get("/v1/audit-log", since=1_789_990_000)["entries"]


def test_a_delivery_and_a_build_on_their_way_arrive(container: MemoryContainer) -> None:
    [delivery] = STORED["ordered"]["deliveries"]
    worker = container.deliveries.worker(
        scopes=container.hook_scopes(),
        builds=container.builds.builds,
        hints=NoHints(),
        states=IntegrationStates(container.integration_store),
    )
    worker(delivery, remaining=lambda: 60.0)
    target = MemoryTarget()
    builder = builder_of(container.builds, {"eventbridge": target}, draw=lambda: 0.0)
    for message in STORED["ordered"]["builds"]:
        builder(message, remaining=lambda: 60.0)
    assert target.calls == [("start", IDS["build_id"])]
    assert container.builds.store.require(IDS["build_id"]).status is BuildStatus.RUNNING


def test_messages_of_syncs_are_the_same(container: MemoryContainer) -> None:
    for kind in (Kind.ACCESS, Kind.PIPELINES):
        run = container.syncs.runs.load(IDS["integration_id"], kind)
        assert [work_message(run)] == STORED["queues"][kind]
