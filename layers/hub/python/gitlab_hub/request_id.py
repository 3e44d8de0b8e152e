"""The id of the HTTP request that is being answered, for those deep inside who write down what it did."""

from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def begin(request_id: str) -> None:
    """Note the request that is answered from now on."""
    _current.set(request_id)


def current() -> str | None:
    """Give its id; None where nobody asked, as on a schedule."""
    return _current.get()
