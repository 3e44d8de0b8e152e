"""The pipelines part of the hub's API over a synced table."""

from typing import Any

from gitlab_hub.pipelines.job_search import JobSearch
from gitlab_hub.pipelines.reader import PipelineReader
from gitlab_hub.pipelines.routes import PipelineRoutes
from gitlab_hub.pipelines.selection import ProjectSelection
from gitlab_hub.web.api import Api
from gitlab_hub.web.pagination import Cursors
from tests.fakes.events import Context, answered, http_event
from tests.fakes.table import MemoryTable
from tests.unit.pipelines.pipelines_sync import World


class TwoIntegrations:
    """Knows two integrations."""

    def exists(self, integration_id: str) -> bool:
        """Say whether it is one of them."""
        return integration_id in {"i1", "i2"}


class PipelinesApi:
    """A world and the API over its table."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.groups = MemoryTable()
        selection = ProjectSelection(world.table, self.groups)
        cursors = Cursors(lambda: b"key")
        routes = PipelineRoutes(PipelineReader(world.table), JobSearch(world.table), selection, cursors)
        self.api = Api(routes.routes(), guard=TwoIntegrations(), idempotency=None, now=lambda: 0.0)

    def get(self, path: str, *, integration: str = "i1", **query: Any) -> tuple[int, Any]:
        """Ask for something of an integration."""
        event = http_event("GET", f"/v1/integrations/{integration}/{path}", query=query)
        return answered(self.api.resolve(event, Context()))

    def ids(self, path: str, plural: str = "pipelines", **query: Any) -> list[int]:
        """Read a whole list, page by page; the answer is the ids."""
        found: list[int] = []
        while True:
            status, body = self.get(path, **query)
            assert status == 200, body
            found += [row["id"] for row in body[plural]]
            if body["next_cursor"] is None:
                return found
            query["cursor"] = body["next_cursor"]
