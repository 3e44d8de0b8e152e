"""How Lambda counts what one event leads to, and ends it.

The count travels in the trace header of every message (botocore sets it from the environment of the function); each
invocation of a function adds one to that function's. After 16 the next one does not happen, and the message goes to
the dead letters (Lambda developer guide, "Use Lambda recursive loop detection"). A schedule, or a call from outside, is
an event of its own: nothing is counted yet.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

MOST_INVOCATIONS = 16

Lineage = Mapping[str, int]
"""Function → how often it was invoked for what one event led to."""

_NONE: Lineage = {}
_current: ContextVar[Lineage] = ContextVar("lineage", default=_NONE)


class ChainStopped(AssertionError):
    """Lambda invokes the function no more; its message is dead."""


@contextmanager
def invoked(function: str, lineage: Lineage = _NONE) -> Iterator[None]:
    """Run a function on behalf of a message; what it sends meanwhile carries the count on."""
    invocations = lineage.get(function, 0) + 1
    if invocations > MOST_INVOCATIONS:
        raise ChainStopped(f"{function} was invoked {MOST_INVOCATIONS} times for one event")
    token = _current.set({**lineage, function: invocations})
    try:
        yield
    finally:
        _current.reset(token)


def carried() -> Lineage:
    """What a message that is sent now carries."""
    return _current.get()
