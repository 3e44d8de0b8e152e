"""Running one stage: many scopes at once, each failing on its own, the checkpoint behind the slowest of them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from gitlab_hub.gitlab.errors import (
    CiDisabled,
    Forbidden,
    GitLabError,
    HostNotAllowed,
    InsufficientScope,
    InvalidUrl,
    Missing,
    NotWhole,
    RateLimited,
    TlsError,
    Unauthorized,
)
from gitlab_hub.sync.errors import CredentialRefused, Parked, RunFailed
from gitlab_hub.sync.limiter import SHORT_WAIT_SECONDS
from gitlab_hub.sync.ports import Scope, Stage
from gitlab_hub.sync.run import Checkpoint
from gitlab_hub.sync.session import RunSession

WINDOW = 32
"""Scopes in flight. More than the client's connections, so that one slow scope does not leave them idle."""

RETRY_AFTER_SECONDS = (1.0, 4.0, 20.0)
"""Waits before the failed scopes of a stage are tried again."""

DEAD_AFTER = 16
"""So many scopes failing in a row mean that GitLab, not a scope, is in trouble."""

ErrorNote = dict[str, str]
"""`{"code", "hint"}` as shown in `last_error`."""

Note = Callable[[str, str, str, str], None]
"""(stage, scope key, status, code): remembers a scope that is not complete."""


class StageRunner:
    """Runs the scopes of one stage from the run's checkpoint on."""

    def __init__(
        self,
        stage: Stage,
        session: RunSession,
        note: Note,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._stage, self._session, self._note, self._sleep = stage, session, note, sleep
        self._failures_in_a_row = 0

    async def run(self) -> ErrorNote | None:
        """Read every scope; the answer is the error of one that still failed in the end."""
        await self._enter()
        await self._pass(self._stage.scopes(self._session.checkpointed.after))
        while self._session.checkpointed.retry and self._session.checkpointed.passes < len(RETRY_AFTER_SECONDS):
            await self._retry()
        return await self._give_up()

    async def _enter(self) -> None:
        session = self._session
        if session.checkpointed.stage != self._stage.name:
            size = await self._stage.size() or 1
            session.total += size
            session.advance(Checkpoint(stage=self._stage.name))

    async def _retry(self) -> None:
        session = self._session
        seconds = RETRY_AFTER_SECONDS[session.checkpointed.passes]
        failed = [Scope(key, payload) for key, (payload, _, _) in sorted(session.checkpointed.retry.items())]
        session.advance(replace(session.checkpointed, passes=session.checkpointed.passes + 1))
        if seconds > SHORT_WAIT_SECONDS:
            raise session.stop(Parked(seconds))
        await self._sleep(seconds)
        await self._pass(_each(failed))

    async def _give_up(self) -> ErrorNote | None:
        session = self._session
        failed = session.checkpointed.retry
        for key, (_, code, _) in failed.items():
            await session.write(self._note, self._stage.name, key, "failed", code)
        # Without a pause from here on: what is counted and that it is done become durable together.
        session.incomplete += len(failed)
        session.count(scopes_failed=len(failed))
        session.advance(replace(session.checkpointed, retry={}))
        return next(({"code": code, "hint": hint} for _, code, hint in failed.values()), None)

    async def _pass(self, scopes: AsyncIterator[Scope]) -> None:
        flying: deque[tuple[Scope, asyncio.Task[GitLabError | None]]] = deque()
        try:
            async for scope in scopes:
                flying.append((scope, asyncio.create_task(self._read(scope))))
                if len(flying) >= self._session.width(WINDOW):
                    await self._settle(*flying.popleft())
            while flying:
                await self._settle(*flying.popleft())
        finally:
            tasks = [task for _, task in flying]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _settle(self, scope: Scope, task: "asyncio.Task[GitLabError | None]") -> None:
        """Wait for the oldest scope in flight, then move the checkpoint past it."""
        error = await task
        again = error is not None and not isinstance(error, Forbidden | Missing)
        if error is not None and not again:
            await self._record_closed(scope, error)
        session, checkpoint = self._session, self._session.checkpointed
        retry = {key: failed for key, failed in checkpoint.retry.items() if key != scope.key}
        if error is not None and again:
            retry[scope.key] = [dict(scope.payload), error.code, str(error)]
        else:
            session.done += 1
        # Of a list that was not whole it is unknown where rows are missing: it is read again from its beginning.
        goes_on = again and not isinstance(error, NotWhole)
        cursors = {key: cursor for key, cursor in checkpoint.cursors.items() if key != scope.key or goes_on}
        session.advance(replace(checkpoint, after=max(checkpoint.after or "", scope.key), cursors=cursors, retry=retry))
        await session.flush_if_due()

    async def _record_closed(self, scope: Scope, error: GitLabError) -> None:
        """Note a scope that is closed to us. Nothing may pause between its being counted and its being done."""
        status = _status_of(error)
        await self._session.write(self._note, self._stage.name, scope.key, status, error.code)
        # Where there is nothing to read, nothing is missing.
        self._session.incomplete += status != "disabled"
        self._session.count(**{f"scopes_{status}": 1})

    async def _read(self, scope: Scope) -> GitLabError | None:
        """Read one scope; what ends only this scope is returned, what ends the slice is raised."""
        session = self._session
        session.check()
        try:
            await self._stage.read(scope)
        except RateLimited as error:
            raise session.stop(Parked(error.retry_after or 60)) from error
        except Unauthorized as error:
            raise session.stop(CredentialRefused(str(error))) from error
        except (HostNotAllowed, InvalidUrl, TlsError, InsufficientScope) as error:
            raise session.stop(RunFailed(error)) from error
        except (Forbidden, Missing) as error:
            return error
        except GitLabError as error:
            return self._failed(error)
        self._failures_in_a_row = 0
        return None

    def _failed(self, error: GitLabError) -> GitLabError:
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= DEAD_AFTER:
            raise self._session.stop(RunFailed(error)) from error
        return error


def _status_of(error: GitLabError) -> str:
    if isinstance(error, Missing):
        return "gone"
    return "disabled" if isinstance(error, CiDisabled) else "forbidden"


async def _each(scopes: list[Scope]) -> AsyncIterator[Scope]:
    for scope in scopes:
        yield scope
