"""Two workers, call by call in an order of the test's choice."""

import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar, cast

from gitlab_hub.storage.ports import Table

T = TypeVar("T")

PATIENCE_SECONDS = 60


class Killed(BaseException):
    """The process is gone: no handler runs any more."""


class Turns:
    """Lets calls happen in the order of `plan`, then those of each worker to its end, in the order they are named.

    A worker in `mortal` is killed at its first call that the plan does not provide for.
    """

    def __init__(self, plan: Sequence[str], *, then: Sequence[str], mortal: Sequence[str] = ()) -> None:
        self._plan, self._then, self._mortal = list(plan), list(then), set(mortal)
        self._changed = threading.Condition()
        self.taken: list[str] = []

    def call(self, who: str, effect: Callable[[], T]) -> T:
        """Make one call when it is this worker's turn."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._may(who), timeout=PATIENCE_SECONDS):
                raise AssertionError(f"{who} waits for ever after {self.story}")
            if who in self._mortal and who not in self._plan:
                raise Killed
            try:
                return effect()
            finally:
                self.taken.append(who)
                if self._plan:
                    self._plan.pop(0)
                self._changed.notify_all()

    def left(self, who: str) -> None:
        """This worker makes no call any more."""
        with self._changed:
            self._then.remove(who)
            self._plan = [other for other in self._plan if other != who]
            self._changed.notify_all()

    def table(self, who: str, table: Table) -> Table:
        """A table as this worker uses it."""
        return cast("Table", _Table(self, who, table))

    @property
    def story(self) -> str:
        """The calls so far, such as `5 sync, 3 hint`."""
        return ", ".join(f"{len(list(calls))} {who}" for who, calls in groupby(self.taken))

    def _may(self, who: str) -> bool:
        if who in self._mortal and who not in self._plan:
            return True
        return (self._plan or self._then)[0] == who


class _Table:
    def __init__(self, turns: Turns, who: str, table: Table) -> None:
        self._turns, self._who, self._table = turns, who, table

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._table, name)
        return lambda *args, **kwargs: self._turns.call(self._who, lambda: method(*args, **kwargs))


def run_together(turns: Turns, workers: Mapping[str, Callable[[], object]]) -> dict[str, BaseException | None]:
    """Run workers to their ends; the answer is what each of them died of."""
    ends: dict[str, BaseException | None] = {}

    def run(who: str, work: Callable[[], object]) -> None:
        try:
            work()
            ends[who] = None
        except (Killed, Exception) as error:  # noqa: BLE001 - told to the test
            ends[who] = error
        finally:
            turns.left(who)

    threads = [threading.Thread(target=run, args=worker) for worker in workers.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends
