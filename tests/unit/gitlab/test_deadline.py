import asyncio
from itertools import count

import pytest

from gitlab_hub.gitlab.calls import Deadline
from gitlab_hub.gitlab.errors import HostUnreachable


async def test_what_runs_uses_the_time_up() -> None:
    ticks = count(0, 3)
    deadline = Deadline(10.0, lambda: next(ticks))
    async with deadline.running():
        pass
    assert deadline.left == 7.0
    with pytest.raises(ZeroDivisionError):
        async with deadline.running():
            raise ZeroDivisionError
    assert deadline.left == 4.0
    deadline.spend(5.0)
    assert deadline.left == -1.0


@pytest.mark.parametrize("seconds", [0.01, 0.0, -1.0])
async def test_what_is_not_done_in_time_is_ended(seconds: float) -> None:
    with pytest.raises(HostUnreachable):
        async with Deadline(seconds, lambda: 0.0).running():
            await asyncio.sleep(10)


async def test_a_cancelled_call_stays_cancelled() -> None:
    async def call() -> None:
        async with Deadline(10.0, lambda: 0.0).running():
            await asyncio.sleep(10)

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
