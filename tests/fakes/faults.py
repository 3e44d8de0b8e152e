"""Faults at a chosen call: the process ends there, the store is away, the answer is lost, or somebody else comes first.

A test lets a plan strike at every single call: `for plan in every_call(...)`, or with `at` as a parameter.
"""

import asyncio
import inspect
import os
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, TypeVar, cast

import pytest

from gitlab_hub.storage.ports import StorageUnavailable

T = TypeVar("T")


class Crash(BaseException):
    """The process ends here: no handler of ordinary exceptions may see it."""


def unavailable() -> StorageUnavailable:
    """Make the error of a store that is away for now."""
    return StorageUnavailable("Try again.")


BEFORE_OR_AFTER = pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
"""The call fails before it had its effect, or after it."""

CRASH_OR_OUTAGE = pytest.mark.parametrize("error", [Crash, unavailable], ids=["crash", "outage"])
"""The process ends at the call, or the store is away and the process goes on."""


class Outcome(Enum):
    """What becomes of a call."""

    WORKS = auto()
    FAILS = auto()
    ANSWER_LOST = auto()


DENSE, SPARSE, THIRD = 12, 7, 3


@dataclass(slots=True)
class Plan:
    """Which call fails, counted over every port that is wrapped with this plan.

    `at` counts from 1; 0 = none fails, which tells how many calls there are. `applied`: the call has its effect, and
    only its answer is lost. `repeat`: every call from that one on fails, without effect, until `heal`. `only`: the
    names of the calls that count, where not all do. `meanwhile`: the call works, but this happens just before it, while
    no other plain call is under way: a process that is frozen is so in all its threads.
    """

    at: int = 0
    error: Callable[[], BaseException] = Crash
    applied: bool = False
    repeat: bool = False
    only: Collection[str] = ()
    meanwhile: Callable[[], object] | None = field(default=None, repr=False)
    calls: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _one_at_a_time: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def struck(self) -> bool:
        """Whether the chosen call was made."""
        return 0 < self.at <= len(self.calls)

    def outcome(self, name: str) -> Outcome:
        """Count one call, and say what becomes of it."""
        if self.only and name not in self.only:
            return Outcome.WORKS
        with self._lock:
            self.calls.append(name)
            number = len(self.calls)
        if not (0 < self.at == number or (self.repeat and 0 < self.at < number)):
            return Outcome.WORKS
        if self.meanwhile is not None:
            self.meanwhile()
            return Outcome.WORKS
        return Outcome.ANSWER_LOST if self.applied and number == self.at else Outcome.FAILS

    def call(self) -> AbstractContextManager[object]:
        """What a plain call is made within."""
        return nullcontext() if self.meanwhile is None else self._one_at_a_time

    def heal(self) -> None:
        """Let every later call work."""
        self.at = 0


def every_call(*, first: int = 1, step: int = 1, **options: Any) -> Iterator[Plan]:
    """Give a plan for the first call, one for the second, and so on; the last plan is one that no call came up to.

    Behind the first `DENSE` calls it is every seventh one, as most of a long run has calls alike; with EVERY_CALL in
    the environment it is every one. With a `step` more are passed over: where many tests go the same way, each from
    another `first` one.
    """
    at = first
    while True:
        plan = Plan(at=at, **options)
        yield plan
        if not plan.struck:
            return
        at += step if at < DENSE or "EVERY_CALL" in os.environ else max(step, SPARSE)


def a_third(count: int, *, first: int) -> range:
    """Every third of so many requests (from 0), from another `first` one in each test; with EVERY_CALL all of them."""
    return range(count) if "EVERY_CALL" in os.environ else range(first % THIRD, count, THIRD)


def faulty(port: T, plan: Plan) -> T:
    """Wrap a port; its methods (plain and async) fail as planned, everything else is untouched."""
    return cast("T", _Faulty(port, plan))


class _Faulty:
    def __init__(self, port: Any, plan: Plan) -> None:
        self._port, self._plan = port, plan

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if not callable(member):
            return member
        if inspect.iscoroutinefunction(member):
            return self._async(name, member)
        return self._plain(name, member)

    def _plain(self, name: str, member: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._plan.call():
                outcome = self._plan.outcome(name)
                answer = None if outcome is Outcome.FAILS else member(*args, **kwargs)
            if outcome is Outcome.WORKS:
                return answer
            raise self._plan.error()

        return call

    def _async(self, name: str, member: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(0)
            outcome = self._plan.outcome(name)
            answer = None if outcome is Outcome.FAILS else await member(*args, **kwargs)
            if outcome is Outcome.WORKS:
                return answer
            raise self._plan.error()

        return call
