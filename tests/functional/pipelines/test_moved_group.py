"""The group of the integration is renamed between two syncs: its projects and pipelines are read as before."""

from dataclasses import replace
from typing import Any, cast

from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.sync.run import RunStatus
from tests.fakes.engine import Driver
from tests.unit.pipelines.hinted_world import HintedWorld
from tests.unit.pipelines.source_model import GROUP


def test_a_renamed_group_is_synced_and_hinted_at_as_before() -> None:
    world = HintedWorld()
    world.aim(group="g")
    driver = Driver(world.table, PipelinesFeature(world.table), cast("Any", world.gitlab))
    driver.targets = world.hint_worker.targets
    assert driver.work(driver.start()).status is RunStatus.IDLE
    world.gitlab.group = "renamed"
    world.gitlab.projects.pop(2)
    world.add(1, status="success")
    world.hint(1)
    assert set(world.stored()) == {1}
    world.add(2, status="success")
    assert driver.work(driver.start("s2")).status is RunStatus.IDLE
    assert set(world.stored()) == {1, 2}
    rows = {row["id"]: row for row in world.table.query("i1#projects").items}
    assert [number for number, row in rows.items() if "gone_at" in row] == [2]
    assert rows[1]["path_with_namespace"] == "renamed/p1"
    assert world.hint_worker.targets.only == replace(world.target, group="renamed", group_id=GROUP)
