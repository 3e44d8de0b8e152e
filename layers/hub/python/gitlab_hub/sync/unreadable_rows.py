"""Rows of GitLab's that cannot be understood: the other rows are stored, and these are named instead of dropped."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.sync.ports import Scope, Session

T = TypeVar("T")
R = TypeVar("R", bound=Mapping[str, Any])


async def read_skipping_unreadable(
    session: Session, scope: Scope, rows: Sequence[R], read: Callable[[R], T]
) -> list[tuple[R, T]]:
    """Every row that `read` can read, with what it made of it; of the others the scope's note tells.

    Raises UnexpectedResponse where `read` can read none: that is no list of such rows.

    A row that is stored already stays: before anything is removed GitLab is asked for it by its id.
    """
    good: list[tuple[R, T]] = []
    odd: list[str] = []
    for row in rows:
        try:
            good.append((row, read(row)))
        except UnexpectedResponse:
            odd.append(str(row.get("id", "without an id")))
    if odd and not good:
        raise UnexpectedResponse("None of the rows that GitLab sent can be understood; nothing of them was taken.")
    if odd:
        await session.partial(scope, UnexpectedResponse.code, rows=odd)
    return good
