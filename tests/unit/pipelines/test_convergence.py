"""After quiescence, stored == source: random histories of a GitLab that never stands still while it is read."""

import pytest

from tests.unit.pipelines.random_history import History, HubCursor, at_rest, live_through, world_of


@pytest.mark.parametrize("seed", range(60))
async def test_after_quiescence_stored_equals_source(seed: int) -> None:
    world = world_of(seed)
    history = History(world, seed)
    await live_through(history, HubCursor(history).sync)
    left = {number: at_rest(row) for number, row in world.source().items()}
    assert {number: at_rest(row) for number, row in world.stored().items() if number in left} == left
