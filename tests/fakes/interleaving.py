"""Workers in threads that take turns step by step: a schedule says whose call goes next.

A step is one call to anything outside: table, secret store, GitLab, clock. Between two steps nobody else runs. A worker
that sleeps lets another one take at least one step.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, cast

T = TypeVar("T")
PATIENCE_SECONDS = 60


class Turns:
    """One run of some workers under a schedule of their numbers; what the schedule leaves open goes round."""

    def __init__(self, schedule: Iterable[int]) -> None:
        self._schedule: Iterator[int] = iter(schedule)
        self._changed = threading.Condition()
        self._alive: set[int] = set()
        self._asleep: set[int] = set()
        self._turn: int | None = None
        self._own = threading.local()
        self.taken: list[int] = []

    def run(self, *works: Callable[[], T]) -> list[T | BaseException]:
        """Run all works to their ends; gives results and exceptions."""
        results: list[T | BaseException] = [AssertionError("not run")] * len(works)
        self._alive = set(range(len(works)))
        threads = [threading.Thread(target=self._work, args=(n, work, results)) for n, work in enumerate(works)]
        for thread in threads:
            thread.start()
        with self._changed:
            self._choose()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive(), "the workers wait for each other"
        return results

    def step(self) -> None:
        """Wait for the next turn; calls from outside the workers pass."""
        number = getattr(self._own, "number", None)
        if number is None:
            return
        with self._changed:
            self._choose()
            self._await(number)

    def sleep(self, _seconds: float) -> None:
        """Let others go first."""
        with self._changed:
            self._asleep.add(self._own.number)
        self.step()

    def wrapped(self, port: T) -> T:
        """The same port, every call of which is a step."""
        return cast("T", _Stepping(port, self.step))

    def _work(self, number: int, work: Callable[[], T], results: list[T | BaseException]) -> None:
        self._own.number = number
        with self._changed:
            self._await(number)
        try:
            results[number] = work()
        except BaseException as error:  # noqa: BLE001 - a result like any other here, a crash too
            results[number] = error
        with self._changed:
            self._alive.discard(number)
            self._asleep.discard(number)
            self._choose()

    def _await(self, number: int) -> None:
        assert self._changed.wait_for(lambda: self._turn == number, PATIENCE_SECONDS), "no turn ever came"

    def _choose(self) -> None:
        awake = self._alive - self._asleep or self._alive
        if not awake:
            self._turn = None
        else:
            wanted = next(self._schedule, None)
            behind = sorted(awake, key=lambda number: (number <= (self._turn or 0), number))
            self._turn = wanted if wanted in awake else behind[0]
            self.taken.append(self._turn)
            self._asleep.clear()
        self._changed.notify_all()


class _Stepping:
    def __init__(self, port: Any, step: Callable[[], None]) -> None:
        self._port, self._step = port, step

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if not callable(member):
            return member

        def call(*args: Any, **kwargs: Any) -> Any:
            self._step()
            return member(*args, **kwargs)

        return call
