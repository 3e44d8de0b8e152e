"""Running one stage: many scopes at once, each failing on its own, the checkpoint behind the slowest of them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.errors import (
    CiDisabled,
    Forbidden,
    GitLabError,
    HostNotAllowed,
    IncompleteList,
    InsufficientScope,
    InvalidUrl,
    RateLimited,
    ResourceNotFound,
    TlsError,
    Unauthorized,
)
from gitlab_hub.storage.ports import StorageRefused
from gitlab_hub.sync.errors import CredentialRefused, Parked, RunFailed
from gitlab_hub.sync.ports import Scope, Stage
from gitlab_hub.sync.rate_limit import SHORT_WAIT_SECONDS
from gitlab_hub.sync.run import REFUSED, Checkpoint
from gitlab_hub.sync.scope_notes import FAILED, ScopeNote, ScopeNotes
from gitlab_hub.sync.session import RunSession

WINDOW = 32
"""Scopes in flight. More than the client's connections, so that one slow scope does not leave them idle."""

RETRY_AFTER_SECONDS = (1.0, 4.0, 20.0)
"""Waits before the failed scopes of a stage are tried again."""

DEAD_AFTER = 16
"""So many scopes failing in a row mean that GitLab, not a scope, is in trouble."""

CLOSED = frozenset({"gone", "forbidden", "disabled"})
"""What became of a scope that was not read, and that no second try would open."""

BEHIND_LIST = "behind_list"
"""Marks a refusal of what a list that was shown has in it."""

ErrorNote = dict[str, str]
"""`{"code", "hint"}` as shown in `last_error`."""


class StageRunner:
    """Runs the scopes of one stage from the run's checkpoint on."""

    def __init__(
        self,
        stage: Stage,
        session: RunSession,
        notes: ScopeNotes,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._stage, self._session, self._notes, self._sleep = stage, session, notes, sleep
        self._failures_in_a_row, self._trying_again = 0, False

    async def run(self) -> ErrorNote | None:
        """Read every scope; the answer is the error of one that still failed in the end."""
        await self._enter()
        await self._pass(self._stage.scopes(self._session.checkpointed.after))
        while await self._failed(None) and self._session.checkpointed.passes < len(RETRY_AFTER_SECONDS):
            await self._retry()
        return await self._give_up()

    async def _enter(self) -> None:
        session = self._session
        if session.checkpointed.stage != self._stage.name:
            size = await self._stage.size() or 1
            session.total += size
            session.advance(Checkpoint(stage=self._stage.name))
        for key, (payload, code, hint) in session.checkpointed.retry.items():
            await self._note(ScopeNote(
                stage=self._stage.name, key=key, status=FAILED, code=code, hint=hint, payload=payload,
                cursor=session.checkpointed.cursors.get(key),
            ))  # fmt: skip
        retry = session.checkpointed.retry
        session.advance(replace(session.checkpointed, retry={}, failing=session.checkpointed.failing + len(retry)))

    async def _retry(self) -> None:
        session = self._session
        passes = session.checkpointed.passes
        if session.checkpointed.waited <= passes:
            seconds = RETRY_AFTER_SECONDS[passes]
            session.advance(replace(session.checkpointed, waited=passes + 1))
            if seconds > SHORT_WAIT_SECONDS:
                raise session.stop(Parked(seconds))
            await self._sleep(seconds)
        self._failures_in_a_row, self._trying_again = 0, True
        await self._pass(self._again(), again=True)
        # Counted at its end: a wait that GitLab asks for does not use it up.
        session.advance(replace(session.checkpointed, passes=passes + 1, tried=None))

    async def _again(self) -> AsyncIterator[Scope]:
        """Give the failed scopes that this pass has not tried yet, each from where its reading had come to."""
        after = self._session.checkpointed.tried
        while notes := await self._failed(after):
            for note in notes:
                if self._failures_in_a_row >= DEAD_AFTER:
                    return  # They fail as before, one and all: the rest of them would, too.
                self._session.resume(note.scope, note.cursor)
                yield note.scope
            after = notes[-1].key

    async def _failed(self, after: str | None) -> list[ScopeNote]:
        return await self._session.io(self._notes.failed, self._stage.name, after)

    async def _note(self, note: ScopeNote) -> None:
        await self._session.write(self._notes.note, note)

    async def _give_up(self) -> ErrorNote | None:
        session, failed, first = self._session, 0, None
        if session.checkpointed.given_up:
            return session.error
        after: str | None = None
        while notes := await self._failed(after):
            first, failed, after = first or notes[0], failed + len(notes), notes[-1].key
        # Without a pause from here on: what is counted and that it is done become durable together.
        session.incomplete += failed
        session.done += failed
        session.count(scopes_failed=failed)
        session.advance(replace(session.checkpointed, failing=0, given_up=True))
        return _named_failure(first) if first else self._refused_whole()

    def _refused_whole(self) -> ErrorNote | None:
        """The error of a stage of which nothing at all could be read: then this part of GitLab was not read."""
        at = self._session.checkpointed
        if at.refusal is None:
            return None
        # That a list is shown says nothing of what is in it where there is nothing in it.
        if at.read > (at.empty if BEHIND_LIST in at.refusal else 0):
            return None
        hint = f"Nothing of the {_words(self._stage.name)} could be read. {at.refusal['hint']}"
        return {"code": at.refusal["code"], "hint": hint, REFUSED: self._stage.name}

    async def _pass(self, scopes: AsyncIterator[Scope], *, again: bool = False) -> None:
        flying: deque[tuple[Scope, asyncio.Task[HubError | bool]]] = deque()
        try:
            async for scope in scopes:
                flying.append((scope, asyncio.create_task(self._read(scope))))
                if len(flying) >= self._session.concurrency(WINDOW):
                    await self._settle(*flying.popleft(), again=again)
            while flying:
                await self._settle(*flying.popleft(), again=again)
        finally:
            tasks = [task for _, task in flying]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _settle(self, scope: Scope, task: "asyncio.Task[HubError | bool]", *, again: bool) -> None:
        """Wait for the oldest scope in flight, then move the checkpoint past it."""
        outcome = await task
        error = outcome if isinstance(outcome, HubError) else None
        status = _status_of(error)
        await self._keep(scope, error, status, again=again)
        # Without a pause from here on: what is counted and that it is done become durable together.
        session, checkpoint = self._session, self._session.checkpointed
        if status != FAILED:
            session.done += 1
        if status in CLOSED:
            # Where there is nothing to read, nothing is missing.
            session.incomplete += status != "disabled"
            session.count(**{f"scopes_{status}": 1})
        failing = checkpoint.failing + (status == FAILED) - again
        cursors = {key: cursor for key, cursor in checkpoint.cursors.items() if key != scope.key}
        after = max(checkpoint.after or "", scope.key)
        refusal = _weightier(checkpoint.refusal, _refusal(error))
        read, empty = checkpoint.read + (error is None), checkpoint.empty + (outcome is False)
        done = replace(checkpoint, after=after, cursors=cursors, failing=max(0, failing))
        done = replace(done, read=read, empty=empty, refusal=refusal)
        session.advance(replace(done, tried=scope.key) if again else done)
        await session.flush_if_due()

    async def _keep(self, scope: Scope, error: HubError | None, status: str, *, again: bool) -> None:
        """Note why a scope is not complete, or that a further try has read it."""
        if error is not None:
            # Of a list that was not whole it is unknown where rows are missing: it is read again from its beginning.
            cursor = None if isinstance(error, IncompleteList) else self._session.cursor(scope)
            code, hint, payload = error.code, str(error), scope.payload
            await self._note(ScopeNote(
                stage=self._stage.name, key=scope.key, status=status, code=code, hint=hint, payload=payload,
                cursor=cursor, at=int(self._session.now().timestamp()),
            ))  # fmt: skip
        elif again:
            await self._session.write(self._notes.drop_failure, self._stage.name, scope.key)

    async def _read(self, scope: Scope) -> HubError | bool:
        """Read one scope: whether there was anything in it, or the error that ends only this scope.

        What ends the slice is raised.
        """
        session = self._session
        session.check()
        try:
            has_any = await self._stage.read(scope)
        except RateLimited as error:
            raise session.stop(Parked(error.retry_after or 60)) from error
        except Unauthorized as error:
            raise session.stop(CredentialRefused(str(error))) from error
        except (HostNotAllowed, InvalidUrl, TlsError, InsufficientScope) as error:
            raise session.stop(RunFailed(error)) from error
        except (Forbidden, ResourceNotFound) as error:
            return error
        except (GitLabError, StorageRefused) as error:
            return self._unlucky(error)
        self._failures_in_a_row = 0
        return has_any is not False

    def _unlucky(self, error: HubError) -> HubError:
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= DEAD_AFTER and not self._trying_again:
            raise self._session.stop(RunFailed(error)) from error
        return error


def _refusal(error: HubError | None) -> dict[str, str] | None:
    """What a closed scope says of the token; a feature that is switched off says nothing of it."""
    if not isinstance(error, Forbidden | ResourceNotFound) or isinstance(error, CiDisabled):
        return None
    return {"code": error.code, "hint": str(error), **({BEHIND_LIST: "yes"} if error.behind_list else {})}


def _weightier(first: dict[str, str] | None, other: dict[str, str] | None) -> dict[str, str] | None:
    if first is None or (other is not None and BEHIND_LIST in other and BEHIND_LIST not in first):
        return other
    return first


def _named_failure(note: ScopeNote) -> ErrorNote:
    """The error of a scope that failed to the end, with its name where it has one."""
    path = note.payload.get("path")
    return {"code": note.code, "hint": f"{path}: {note.hint}" if path else note.hint}


def _words(name: str) -> str:
    return f"list of {name}" if "_" not in name else f"lists of {name.replace('_', ' ')}"


def _status_of(error: HubError | None) -> str:
    match error:
        case None:
            return "complete"
        case ResourceNotFound():
            return "gone"
        case CiDisabled():
            return "disabled"
        case Forbidden():
            return "forbidden"
    return FAILED
