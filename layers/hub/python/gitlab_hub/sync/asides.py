"""What stages beside the purpose of a run have in common: what is refused to them is noted, and ends nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from gitlab_hub.gitlab.errors import (
    CiDisabled,
    Forbidden,
    GitLabError,
    HostNotAllowed,
    InvalidUrl,
    RateLimited,
    ResourceNotFound,
    TlsError,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.sync.ports import ALL, Scope, Session

T = TypeVar("T")

SHOWN = -1
"""How GitLab answers where it has shown one: the value of `Attempts.answers`."""

MOST_REFUSED = 10
"""So many groups (projects, users) may refuse before the others are not asked."""

ENDS_SLICE = (RateLimited, Unauthorized, HostNotAllowed, InvalidUrl, TlsError)
"""What concerns every request of the run, and is the engine's to judge."""


def status_of(error: GitLabError) -> str:
    """The status of a scope that was not read for this reason, as `Session.aside` takes it."""
    match error:
        case CiDisabled():
            return "disabled"
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


NOT_FOR_THIS_USER = "GitLab takes the token, and does not show this to its user."


async def as_refusal(session: Session, call: Callable[[], Awaitable[T]]) -> T:
    """Make a call about what is beside a run: a 401 is a refusal of this, where the token is good elsewhere.

    So GitLab answers for access tokens of groups and projects (lib/api/resource_access_tokens.rb, `unauthorized!`), and
    a proxy may for a single list; taken for a refusal of the token it would set the run back until it fails. Raises
    Forbidden instead, and Unauthorized where the token is no good anywhere.
    """
    try:
        return await call()
    except Unauthorized as error:
        if await _is_good(session):
            raise Forbidden(NOT_FOR_THIS_USER, http_status=error.http_status) from None
        raise


async def _is_good(session: Session) -> bool:
    try:
        await session.gitlab.get("/user")
    except Unauthorized:
        return False
    except (RateLimited, Unavailable):
        raise
    except GitLabError:
        return True  # A fine-grained token that may not read its user; to say so, GitLab has to know it.
    return True


class Attempts:
    """How GitLab answers for one sort of scopes: only the first few are asked until it has shown one."""

    def __init__(self, *, counts_gone: bool = True, answers: int = 0) -> None:
        """`counts_gone`: whether "there is none" (404) is a refusal, and not what is true of this one scope.

        `answers`: how GitLab has answered before.
        """
        self._turn, self._counts_gone = asyncio.Lock(), counts_gone
        self._refused, self._shown = max(0, answers), answers == SHOWN

    @property
    def answers(self) -> int:
        """How GitLab has answered so far: `SHOWN`, or how often it has refused and shown nothing."""
        return SHOWN if self._shown else self._refused

    async def read(
        self, session: Session, scope: Scope, read: Callable[[Scope], Awaitable[None]], *, given_up: str
    ) -> None:
        """Read a scope, or note why not; `given_up` says of the others why they are not asked any more.

        Raises what concerns every request of the run.
        """
        async with self._turn:
            if self.has_given_up:
                return
            if not self._shown:
                await self._attempt(session, scope, read, given_up)
                return
        await self._attempt(session, scope, read, given_up)

    @property
    def has_given_up(self) -> bool:
        """Whether it has refused so many, and shown none, that the others need not be asked."""
        return not self._shown and self._refused >= MOST_REFUSED

    async def _attempt(
        self, session: Session, scope: Scope, read: Callable[[Scope], Awaitable[None]], given_up: str
    ) -> None:
        try:
            await as_refusal(session, lambda: read(scope))
        except ENDS_SLICE:
            raise
        except GitLabError as error:
            self._refused += self._is_refusal(error)
            await session.aside(scope, status_of(error), error.code, str(error))
            if self.has_given_up:
                await session.aside(Scope(ALL), status_of(error), error.code, given_up)
        else:
            self._shown = True

    def _is_refusal(self, error: GitLabError) -> bool:
        """Whether an error may be one of all scopes: a project without the feature has it for nobody."""
        return not isinstance(error, CiDisabled) and (self._counts_gone or not isinstance(error, ResourceNotFound))
