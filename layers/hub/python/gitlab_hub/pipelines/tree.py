"""A pipeline with everything that it started, across projects of one integration."""

from collections.abc import Sequence

from gitlab_hub.pipelines.reader import PipelineReader
from gitlab_hub.storage.table import Item

MAX_DEPTH = 5
"""Levels below the pipeline asked for; GitLab itself allows two of child pipelines."""

MAX_PIPELINES = 200
MAX_BRIDGES = 1_000
"""Trigger jobs of the whole tree: an answer has to fit a response of Lambda."""

Id = tuple[int, int]


class TreeBuilder:
    """Builds one tree, level by level, within a fixed number of reads."""

    def __init__(self, reader: PipelineReader, integration_id: str) -> None:
        self._reader, self._integration_id = reader, integration_id
        self._met: set[Id] = set()
        self._room = MAX_BRIDGES

    def build(self, project_id: int, pipeline_id: int) -> Item:
        """The tree below a pipeline. Raises NotFound."""
        pipeline = self._reader.pipeline(self._integration_id, project_id, pipeline_id)
        root = {**pipeline, "stored": True, "bridges": []}
        self._met.add((project_id, pipeline_id))
        level = [root]
        for _ in range(MAX_DEPTH):
            level = self._grow(level)
        for node in level:
            node["truncated"] = node["bridge_count"] > 0
        return root

    def _grow(self, level: Sequence[Item]) -> list[Item]:
        """Hang the trigger jobs below the pipelines of a level; the answer is the level below."""
        for node in level:
            bridges = self._reader.bridges(self._integration_id, node) if self._room else []
            node["bridges"] = bridges[: self._room]
            self._room -= len(node["bridges"])
            node["truncated"] = len(node["bridges"]) < node["bridge_count"]
        started = [bridge for node in level for bridge in node["bridges"] if bridge["downstream_pipeline"]]
        wanted = [(bridge, found) for bridge in started if (found := self._downstream(bridge)) is not None]
        stored = self._reader.some(self._integration_id, [number for _, number in wanted])
        below = []
        for bridge, number in wanted:
            if number in stored:
                bridge["downstream_pipeline"] = {**stored[number], "stored": True, "bridges": []}
                below.append(bridge["downstream_pipeline"])
        return below

    def _downstream(self, bridge: Item) -> Id | None:
        """The pipeline to look up; none that was met before (a damaged tree may be a ring), none beyond the bound."""
        pipeline = bridge["downstream_pipeline"] = {**bridge["downstream_pipeline"], "stored": False}
        number = (int(pipeline["project_id"]), int(pipeline["id"]))
        if number in self._met:
            return None
        if len(self._met) >= MAX_PIPELINES:
            pipeline["truncated"] = True
            return None
        self._met.add(number)
        return number
