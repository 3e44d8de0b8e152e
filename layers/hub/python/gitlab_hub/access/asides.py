"""What stages beside the purpose of a run have in common: what is refused to them is noted, and ends nothing."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    HostNotAllowed,
    InvalidUrl,
    RateLimited,
    ResourceNotFound,
    TlsError,
    Unauthorized,
    UnexpectedResponse,
)

T = TypeVar("T")

ENDS_SLICE = (RateLimited, Unauthorized, HostNotAllowed, InvalidUrl, TlsError)
"""What concerns every request of the run, and is the engine's to judge."""


def status_of(error: GitLabError) -> str:
    """The status of a scope that was not read for this reason, as `Session.aside` takes it."""
    match error:
        case Forbidden():
            return "forbidden"
        case ResourceNotFound():
            return "gone"
    return "failed"


def readable(
    rows: Iterable[dict[str, Any]], read: Callable[[dict[str, Any]], T]
) -> tuple[list[tuple[dict[str, Any], T]], bool]:
    """The rows that can be understood, each with its value, and whether these are all."""
    found: list[tuple[dict[str, Any], T]] = []
    is_whole = True
    for row in rows:
        try:
            found.append((row, read(row)))
        except UnexpectedResponse:
            is_whole = False
    return found, is_whole
