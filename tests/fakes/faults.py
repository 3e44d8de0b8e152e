"""Faults at a chosen call: for tests that let every single call fail, or the process end there."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Crash(BaseException):
    """The process ends here: no handler of ordinary exceptions may see it."""


@dataclass(slots=True)
class Plan:
    """Which call fails, counted over every port that is wrapped with this plan.

    `at` counts from 1; 0 = none fails, which tells how many calls there are. `applied`: the call has its effect, and
    only its answer is lost. `repeat`: every call from that one on fails, until `heal`.
    """

    at: int = 0
    error: Callable[[], BaseException] = Crash
    applied: bool = False
    repeat: bool = False
    calls: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_due(self, name: str) -> bool:
        """Count one call, and say whether it is to fail."""
        with self._lock:
            self.calls.append(name)
            number = len(self.calls)
        return self.at > 0 and (number == self.at or (self.repeat and number > self.at))

    def heal(self) -> None:
        """Let every later call work."""
        self.at = 0


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
            if not self._plan.is_due(name):
                return member(*args, **kwargs)
            if self._plan.applied:
                member(*args, **kwargs)
            raise self._plan.error()

        return call

    def _async(self, name: str, member: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(0)
            if not self._plan.is_due(name):
                return await member(*args, **kwargs)
            if self._plan.applied:
                await member(*args, **kwargs)
            raise self._plan.error()

        return call
