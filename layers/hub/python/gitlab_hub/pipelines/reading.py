"""Reading one project's pipelines: whatever changed since its watermarks, durable page by page."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from gitlab_hub.gitlab.client import Page
from gitlab_hub.gitlab.errors import Missing, UnexpectedResponse
from gitlab_hub.pipelines import seek
from gitlab_hub.pipelines.copying import Copier
from gitlab_hub.pipelines.model import identity
from gitlab_hub.pipelines.project_store import ReadState, ReadStates
from gitlab_hub.pipelines.seek import Step, Stream, Window
from gitlab_hub.pipelines.settling import Known, must_read
from gitlab_hub.pipelines.source import ProjectSource
from gitlab_hub.pipelines.store import PipelineStore
from gitlab_hub.pipelines.times import from_datetime
from gitlab_hub.sync.ports import Scope, Session

BATCH = 8
"""Pipelines of one project between two checkpoints."""

Rows = Sequence[Mapping[str, Any]]


class ProjectReading:
    """One scope of a run: a project, read stream by stream from the checkpoint or the watermarks."""

    def __init__(
        self,
        session: Session,
        scope: Scope,
        source: ProjectSource,
        store: PipelineStore,
        states: ReadStates,
        making: asyncio.Semaphore,
    ) -> None:
        self._session, self._scope, self._source = session, scope, source
        self._store, self._states, self._making = store, states, making
        self._copier = Copier(session, source, store)

    async def run(self) -> None:
        """Read what is due, to the end."""
        state = await self._session.io(self._states.load, self._source.project_id)
        cursor = self._session.cursor(self._scope)
        window = Window.from_json(cursor) if cursor else self._opened(Stream.DEFAULT, state)
        if window.stream is Stream.DEFAULT:
            window = await self._read(window)
            state = await self._keep(state, window)
            if not (self._session.full or window.children or state.wants_children(self._now() // 1000)):
                return
            window = self._opened(Stream.CHILD, state)
            await self._checkpoint(window)
        await self._keep(state, await self._read(window))

    def _opened(self, stream: Stream, state: ReadState) -> Window:
        return Window.opened(stream, None if self._session.full else state.watermark(stream))

    async def _keep(self, before: ReadState, window: Window) -> ReadState:
        """Move the watermark of a stream that was read to its end."""
        stream, now = window.stream, self._now()
        after = before.moved(stream, seek.watermark(window, before.watermark(stream), now=now))
        if stream is Stream.CHILD:
            after = after.probed(seen=window.last is not None, now=now // 1000)
        if after != before:
            await self._session.write(self._states.save, self._source.project_id, after)
        return after

    async def _read(self, window: Window) -> Window:
        step = Step.SEEK
        while step is not Step.DONE and window.walk is None:
            if window.drain is not None:
                window = await self._drain(window, window.drain.position)
                await self._checkpoint(window)
                continue
            page = await anext(self._pages(seek.seek_params(window)))
            window = _with_page(window, page)
            if not seek.has_right_source(window, page.rows):
                return window
            if not seek.is_seekable(window, page.rows):
                break
            window = await self._take(window, page.rows)
            more = page.next is not None or len(page.rows) >= seek.PER_PAGE
            step, window = seek.next_step(window, page.rows, more=more)
            await self._checkpoint(window)
        return window if step is Step.DONE else await self._walk(window)

    async def _drain(self, window: Window, position: str | None) -> Window:
        """Read one page of a millisecond that holds too many rows for one."""
        page = await anext(self._pages(seek.drain_params(window), position))
        window = _with_page(window, page)
        if not seek.is_drainable(window, page.rows):
            raise UnexpectedResponse("GitLab's pipeline list ignores a filter that it honoured before.")
        return (await self._take(window, page.rows)).drained(page.rows, page.next)

    async def _walk(self, window: Window) -> Window:
        """Read the whole list by pages: all that a server leaves us which ignores the filter."""
        async for page in self._pages(seek.base_params(window), cursor=window.walk):
            window = replace(await self._take(_with_page(window, page), page.rows), walk=page.next)
            if page.next is not None:
                await self._checkpoint(window)
        return window

    async def _take(self, window: Window, rows: Rows) -> Window:
        """Make every listed pipeline that changed durable."""
        at = self._now() if window.hi is None else window.hi
        numbers = [identity(row) for row in rows]
        known = await self._session.io(self._store.known, self._source.project_id, numbers)
        due = [n for n, row in zip(numbers, rows, strict=True) if must_read(row, known.get(n), at=at)]
        # What a hint has stored already may have started children all the same.
        started = any(one.bridge_chunks for n, one in known.items() if one.hinted and n not in due)
        window = replace(window, children=window.children or started)
        vanished = 0
        for start in range(0, len(due), BATCH):
            batch = due[start : start + BATCH]
            outcomes = await self._session.gather(*(partial(self._copy, n, known.get(n)) for n in batch))
            vanished += outcomes.count(None)
            window = replace(window, children=window.children or True in outcomes, copied=window.copied + len(batch))
            await self._checkpoint(window)
        if vanished:
            # All of them 404 could also mean that the project was hidden from us: then nothing may count as read.
            await self._source.confirm()
        self._session.count(rows_read=len(rows), pipelines_vanished=vanished)
        return window.saw(rows)

    async def _copy(self, number: int, known: Known | None) -> bool | None:
        """Copy one pipeline; the answer says whether it has children, None that it was deleted meanwhile."""
        async with self._making:
            try:
                copy = await self._copier.copy(number, known)
            except Missing:
                return None
        return copy.has_children

    def _pages(self, params: Mapping[str, str | int | bool], cursor: str | None = None) -> AsyncIterator[Page]:
        return self._session.gitlab.pages(self._source.path, params, cursor=cursor, per_page=seek.PER_PAGE)

    async def _checkpoint(self, window: Window) -> None:
        await self._session.checkpoint(self._scope, window.to_json())

    def _now(self) -> int:
        return from_datetime(self._session.now())


def _with_page(window: Window, page: Page) -> Window:
    return window.with_page(None if page.server_time is None else from_datetime(page.server_time))
