"""A GitLab with pipelines, whose hints are worked on."""

import asyncio
from typing import Any

from gitlab_hub.sync.ports import Kind, SyncTarget
from tests.fakes.hints import HintWorker
from tests.unit.pipelines.pipelines_sync import SECOND, World


class HintedWorld(World):
    """A world with two projects and somewhere to give hints to; both have one clock."""

    def __init__(self) -> None:
        super().__init__(page=4)
        self.project(1)
        self.project(2)
        self.hint_worker = HintWorker(Kind.PIPELINES, self.table, self.gitlab, self.target, now=self.now / SECOND)

    def later(self, seconds: float) -> None:
        """Let time pass for both."""
        super().later(seconds)
        self.hint_worker.now = self.now / SECOND

    def hint(self, number: int, project: int = 1) -> int:
        """Give a hint and process whatever waits; the answer is how many messages that took."""
        self.hint_worker.pipelines.pipeline("i1", project, number)
        return self.process()

    def process(self) -> int:
        """Work on what waits."""
        done = self.hint_worker.work()
        self.now = int(self.hint_worker.now * SECOND)
        return done

    def aim(self, **changes: Any) -> None:
        """Make the integration another one."""
        fields: dict[str, Any] = {"integration_id": "i1", "credential_id": "c1", "user_id": 7, "is_admin": False}
        self.target = SyncTarget(base_url="https://gitlab.example", **fields | changes)
        self.hint_worker.targets.only = self.target


async def world_processes(world: HintedWorld) -> None:
    """Work on hints from inside a loop, as the handler has one of its own."""
    await asyncio.to_thread(world.process)


async def world_hints(world: HintedWorld, number: int, project: int = 1) -> None:
    world.hint_worker.pipelines.pipeline("i1", project, number)
    await world_processes(world)
