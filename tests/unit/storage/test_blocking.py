"""A blocking call that is cancelled comes to its end first."""

import asyncio
import threading

import pytest

from gitlab_hub.storage.blocking import run_uncancelled


async def test_the_answer_of_a_call_comes_back() -> None:
    assert await run_uncancelled(lambda a, *, b: a + b, 1, b=2) == 3


async def test_what_a_call_raises_comes_back() -> None:
    with pytest.raises(ZeroDivisionError):
        await run_uncancelled(lambda: 1 / 0)


@pytest.mark.parametrize("error", [None, ValueError("too late")])
async def test_whoever_is_cancelled_waits_for_the_call(error: Exception | None) -> None:
    begun, go, done = threading.Event(), threading.Event(), threading.Event()

    def write() -> None:
        begun.set()
        go.wait(60)
        done.set()
        if error is not None:
            raise error

    task = asyncio.create_task(run_uncancelled(write))
    await asyncio.to_thread(begun.wait, 60)
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0.01)
    assert not task.done(), "the write is still under way"
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()


async def test_a_deadline_ends_after_the_call_and_is_still_a_deadline() -> None:
    done = threading.Event()

    def write() -> None:
        threading.Event().wait(0.05)
        done.set()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await run_uncancelled(write)
    assert done.is_set()
