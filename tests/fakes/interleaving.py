"""Workers in threads that take turns step by step: a schedule says whose call goes next.

A step is one call to anything outside: table, secret store, GitLab, clock. Between two steps nobody else runs. A worker
that sleeps lets another one take at least one step.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from itertools import groupby
from typing import Any, TypeVar, cast

T = TypeVar("T")
PATIENCE_SECONDS = 60

_worker: ContextVar[int | None] = ContextVar("worker", default=None)
"""Whose step it is: also in the threads and tasks that a worker starts for its blocking calls."""


class Interleaving:
    """One run of some workers under a schedule of their numbers; what the schedule leaves open goes round.

    `history` has the number of the worker that each turn went to.
    """

    def __init__(self, schedule: Iterable[int]) -> None:
        self._schedule: Iterator[int] = iter(schedule)
        self._changed = threading.Condition()
        self._alive: set[int] = set()
        self._asleep: set[int] = set()
        self._turn: int | None = None
        self.history: list[int] = []

    def __repr__(self) -> str:
        """The turns so far, such as `5 of 0, 3 of 1`."""
        return ", ".join(f"{len(list(turns))} of {worker}" for worker, turns in groupby(self.history))

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
            assert not thread.is_alive(), f"the workers wait for each other after {self}"
        return results

    def step(self) -> None:
        """Wait for the next turn; calls from outside the workers pass."""
        number = _worker.get()
        if number is None:
            return
        with self._changed:
            self._choose()
            self._await(number)

    def sleep(self, _seconds: float) -> None:
        """Let others go first."""
        number = _worker.get()
        assert number is not None, "only a worker sleeps"
        with self._changed:
            self._asleep.add(number)
        self.step()

    def wrapped(self, port: T) -> T:
        """The same port, every call of which is a step."""
        return cast("T", _Stepping(port, self.step))

    def _work(self, number: int, work: Callable[[], T], results: list[T | BaseException]) -> None:
        _worker.set(number)
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
        assert self._changed.wait_for(lambda: self._turn == number, PATIENCE_SECONDS), f"no turn came after {self}"

    def _choose(self) -> None:
        awake = self._alive - self._asleep or self._alive
        if not awake:
            self._turn = None
        else:
            wanted = next(self._schedule, None)
            behind = sorted(awake, key=lambda number: (number <= (self._turn or 0), number))
            self._turn = wanted if wanted in awake else behind[0]
            self.history.append(self._turn)
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
