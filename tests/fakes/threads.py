"""Threads that begin at the same moment, for tests of who wins."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def together(count: int, work: Callable[[int], T]) -> list[T | Exception]:
    """Run `work` in threads that start at the same moment; gives results and exceptions."""
    barrier = threading.Barrier(count)
    results: list[T | Exception] = [AssertionError("not run")] * count

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = work(number)
        except Exception as error:  # noqa: BLE001 a result like any other here
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
