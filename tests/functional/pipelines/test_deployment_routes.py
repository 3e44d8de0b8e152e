"""Deployments and environments as the API lists them, after a sync."""

from typing import Any

import pytest

from gitlab_hub.inventory.model import partition
from gitlab_hub.pipelines.deployments.reader import DeploymentReader
from gitlab_hub.pipelines.deployments.routes import DeploymentRoutes
from gitlab_hub.pipelines.selection import ProjectSelection
from gitlab_hub.web.api import Api
from gitlab_hub.web.pagination import Cursors
from tests.fakes.events import Context, answered, http_event
from tests.fakes.table import MemoryTable
from tests.unit.pipelines.deployments.deploying_world import EPOCH, PROJECT, Deploying
from tests.unit.pipelines.figures.figure_world import OneIntegration


class Listing:
    """A project that has deployed to production, staging and a review app, and the API over it."""

    def __init__(self) -> None:
        self.world = world = Deploying()
        world.deploy()
        for number, how in enumerate(
            ({"environment": "staging"}, {"environment": "review/a"}, {"status": "failed"}), 1
        ):
            world.later(600)
            world.deploy(files=f"{number}.py", **how)
        world.later(600)
        world.sync()
        groups = MemoryTable()
        groups.put({"pk": partition("i1", "groups"), "sk": f"{9:012d}", "id": 9, "full_path": "elsewhere"})
        selection = ProjectSelection(world.table, groups)
        routes = DeploymentRoutes(DeploymentReader(world.table), selection, Cursors(lambda: b"key"))
        self.api = Api(routes.routes(), guard=OneIntegration(), idempotency=None, now=lambda: 0.0)

    def get(self, path: str, **query: Any) -> tuple[int, Any]:
        event = http_event("GET", f"/v1/integrations/i1/{path}", query=query)
        return answered(self.api.resolve(event, Context()))

    def all(self, path: str, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            status, body = self.get(path, **query)
            assert status == 200, body
            found += body[path]
            if body["next_cursor"] is None:
                return found
            query["cursor"] = body["next_cursor"]


@pytest.fixture(scope="module")
def hub() -> Listing:
    return Listing()


@pytest.mark.parametrize("limit", [1, 200])
@pytest.mark.parametrize(("query", "expected"), [
    ({"project_id": PROJECT}, [4, 3, 2, 1]),
    ({}, [4, 3, 2, 1]),
    ({"tier": "production"}, [4, 1]),
    ({"tier": "production", "status": "success", "project_id": PROJECT}, [1]),
    ({"environment": "review/a"}, [3]),
    ({"tier": "development"}, [3]),
    ({"created_after": EPOCH + 1_200}, [4, 3]),
    ({"created_before": EPOCH + 600}, [2, 1]),
    ({"project_id": 99}, []),
    ({"group_id": 9}, []),
])  # fmt: skip
def test_deployments_are_listed_newest_first_and_filtered(
    hub: Listing, query: dict[str, Any], expected: list[int], limit: int
) -> None:
    found = [row["id"] for row in hub.all("deployments", limit=limit, **query)]
    assert sorted(found, reverse=True) == expected
    assert found == expected or "project_id" not in query  # Rows of one sync have one moment.


def test_a_deployment_is_shown_with_the_tier_of_its_environment(hub: Listing) -> None:
    row = hub.all("deployments", project_id=PROJECT)[-1]
    assert {name: row[name] for name in ("id", "iid", "project_id", "environment", "tier", "status", "ref")} == {
        "id": 1, "iid": 1, "project_id": PROJECT, "environment": "production", "tier": "production",
        "status": "success", "ref": "main",
    }  # fmt: skip
    assert (row["finished_at"], row["pipeline_id"], len(row["sha"])) == (EPOCH, None, 40)


@pytest.mark.parametrize("limit", [1, 200])
def test_environments_are_listed_by_project(hub: Listing, limit: int) -> None:
    found = hub.all("environments", limit=limit)
    assert [(row["name"], row["tier"], row["state"]) for row in found] == [
        ("production", "production", "available"), ("staging", "staging", "available"),
        ("review/a", "development", "available"),
    ]  # fmt: skip
    assert [row["name"] for row in hub.all("environments", tier="staging", limit=limit)] == ["staging"]
    assert hub.all("environments", state="stopped", limit=limit) == hub.all("environments", project_id=9) == []
    assert hub.all("environments", group_id=9) == []


@pytest.mark.parametrize("query", [{"tier": "prod"}, {"status": "done"}, {"project_id": 0}, {"cursor": "x"}])
def test_what_fits_nothing_is_refused(hub: Listing, query: dict[str, Any]) -> None:
    assert hub.get("deployments", **query)[0] in {400, 422}


def test_a_group_that_is_not_known_is_told(hub: Listing) -> None:
    assert [hub.get(path, group_id=5)[0] for path in ("deployments", "environments")] == [404, 404]
