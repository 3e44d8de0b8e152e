"""How long the running function may still run, for those deep inside who are not handed its context."""

from contextvars import ContextVar
from math import inf
from typing import Any

_context: ContextVar[Any] = ContextVar("lambda_context", default=None)


def set_context(context: Any) -> None:
    """Note the context of the invocation that begins."""
    _context.set(context)


def time_left() -> float:
    """Give the seconds until Lambda ends the function; outside of one there is no end."""
    context = _context.get()
    return inf if context is None else float(context.get_remaining_time_in_millis()) / 1000
