"""What stages beside the purpose of a run have in common: what is refused to them is noted, and ends nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.rounds import SHOWN
from gitlab_hub.gitlab.errors import (
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
from gitlab_hub.inventory.model import ALL
from gitlab_hub.sync.ports import Scope, Session

T = TypeVar("T")

READ_EVERY_SECONDS = 86_400
"""How often what costs many requests, and seldom changes, is read."""

MOST_REFUSED = 10
"""So many groups (projects, users) are asked in vain before the others are not asked."""

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


async def is_due(context: AccessContext, stage: str) -> bool:
    """Whether a stage that reads once a day reads in this run: also where this run has begun to."""
    session = context.session
    last = await session.io(context.store.readings.last, stage)
    if session.full or last is None:
        return True
    sync_id, at = last
    return sync_id == session.sync_id or at + READ_EVERY_SECONDS <= now_of(context)


async def note_reading(context: AccessContext, stage: str) -> None:
    """Note that a stage which reads once a day has been gone through in this run."""
    await context.session.write(context.store.readings.note, stage, sync_id=context.session.sync_id, at=now_of(context))


def now_of(context: AccessContext) -> int:
    """The hub's clock in unix seconds."""
    return int(context.session.now().timestamp())


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
        self, session: Session, scope: Scope, read: Callable[[Scope], Awaitable[None]], *, in_vain: str
    ) -> None:
        """Read a scope, or note why not; `in_vain` says of the others why they are not asked any more.

        Raises what concerns every request of the run.
        """
        async with self._turn:
            if self.are_vain:
                return
            if not self._shown:
                await self._attempt(session, scope, read, in_vain)
                return
        await self._attempt(session, scope, read, in_vain)

    @property
    def are_vain(self) -> bool:
        """Whether it has refused so many, and shown none, that the others need not be asked."""
        return not self._shown and self._refused >= MOST_REFUSED

    async def _attempt(
        self, session: Session, scope: Scope, read: Callable[[Scope], Awaitable[None]], in_vain: str
    ) -> None:
        try:
            await as_refusal(session, lambda: read(scope))
        except ENDS_SLICE:
            raise
        except GitLabError as error:
            self._refused += self._counts_gone or not isinstance(error, ResourceNotFound)
            await session.aside(scope, status_of(error), error.code, str(error))
            if self.are_vain:
                await session.aside(Scope(ALL), status_of(error), error.code, in_vain)
        else:
            self._shown = True
