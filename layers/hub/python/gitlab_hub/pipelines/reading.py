"""Reading one project's pipelines: whatever changed since its watermarks, durable page by page."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gitlab_hub.gitlab.client import Page
from gitlab_hub.gitlab.errors import GitLabError, ResourceNotFound, UnexpectedResponse
from gitlab_hub.gitlab.fields import from_datetime
from gitlab_hub.pipelines import window as windows
from gitlab_hub.pipelines.batches import Batches
from gitlab_hub.pipelines.deleted import AT_ONCE, DeletedPipelines
from gitlab_hub.pipelines.freshness import must_read
from gitlab_hub.pipelines.model import identity
from gitlab_hub.pipelines.notes import HIDDEN, NO_BRIDGES, NOT_WALKED
from gitlab_hub.pipelines.owed import OF_ONE_PIPELINE, are_hidden
from gitlab_hub.pipelines.owed_pipelines import OwedPipelines
from gitlab_hub.pipelines.read_states import ReadState, ReadStates
from gitlab_hub.pipelines.source import ProjectSource
from gitlab_hub.pipelines.store import PipelineStore
from gitlab_hub.pipelines.window import SeekStep, Stream, Window
from gitlab_hub.sync.ports import Scope, Session
from gitlab_hub.sync.unreadable_rows import read_skipping_unreadable

Rows = Sequence[Mapping[str, Any]]


class ProjectReading:
    """One scope of a run: a project, read stream by stream from the checkpoint or the watermarks."""

    def __init__(
        self, session: Session, scope: Scope, source: ProjectSource, store: PipelineStore, states: ReadStates,
        owed_pipelines: OwedPipelines, making: asyncio.Semaphore,
    ) -> None:  # fmt: skip
        self._session, self._scope, self._source = session, scope, source
        self._store, self._states, self._owed_pipelines = store, states, owed_pipelines
        self._deleted = DeletedPipelines(session, source, store)
        self._batches = Batches(session, source, store, owed_pipelines, self._deleted, making)
        self._newest_before: dict[Stream, int | None] = {}

    async def run(self, *, resting: bool = False) -> bool:
        """Read what is due, to the end; the answer is whether the project has shown any pipeline, now or before.

        `resting`: its lists are not asked for, single pipelines are.
        """
        state = await self._session.io(self._states.load, self._source.project_id)
        self._newest_before = {stream: state.newest(stream) for stream in Stream}
        cursor = self._session.cursor(self._scope)
        await self._owed_pipelines.load(state, self._store, resumed=bool(cursor))
        window = Window.from_json(cursor) if cursor else self._opened(Stream.DEFAULT, state)
        if not resting:
            state = await self._read_streams(window, state)
        await self._batches.try_again(self._owed_pipelines.due(self._now() // 1000, full=self._session.full))
        await self._report(state)
        return any(state.newest(stream) is not None for stream in Stream)

    async def _read_streams(self, window: Window, state: ReadState) -> ReadState:
        if window.stream is Stream.DEFAULT:
            state, window = await self._keep(state, await self._read(window))
            if self._session.full or window.children or state.wants_children(self._now() // 1000):
                window = self._opened(Stream.CHILD, state)
                await self._checkpoint(window)
        if window.stream is Stream.CHILD:
            state, _ = await self._keep(state, await self._read(window))
        return state

    def _opened(self, stream: Stream, state: ReadState) -> Window:
        full = self._session.full
        return Window.opened(stream, None if full else state.watermark(stream), again=full)

    async def _keep(self, before: ReadState, window: Window) -> tuple[ReadState, Window]:
        """Move the watermark of a stream that was read to its end, and compare GitLab's count with ours."""
        window, state = await self._reconcile(await self._newest(window, before), before)
        window = replace(window, again=False, reread=[])
        stream, now = window.stream, self._now()
        after = state.with_watermark(stream, windows.watermark(window, before.watermark(stream), now=now))
        after = after.with_newest(stream, window.top).with_bridges(window.bridges)
        if self._checks(window, before):
            after = after.with_checked(stream, now // 1000 if self._source.may_rest else None)
        if stream is Stream.CHILD:
            after = after.with_children_read(seen=window.seen, now=now // 1000)
        after = after.with_look(window.last, now // 1000, may_rest=self._source.may_rest)
        counted = self._owed_pipelines.counted(after)
        after = replace(counted, owed=counted.owed or before.owed)
        if after != before:
            await self._session.write(self._states.save, self._source.project_id, after)
        return after, window

    def _checks(self, window: Window, state: ReadState) -> bool:
        """Whether a list is known from its newest end in this run."""
        is_done = window.fresh or window.walked or not self._source.may_rest
        return is_done or state.wants_check(window.stream, self._now() // 1000)

    async def _newest(self, window: Window, before: ReadState) -> Window:
        """Read the pipelines that are new by their ids, and that the seek does not show."""
        if window.fresh or window.walked or not self._checks(window, before):
            return window
        known, since = before.checked(window.stream), before.watermark(window.stream)
        since = None if since is None else since - windows.OVERLAP_MS
        async for page in self._pages(windows.newest_params(window), per_page=windows.FEW):
            if not windows.has_right_source(window, page.rows):
                break
            found = await read_skipping_unreadable(self._session, self._scope, page.rows, identity)
            new = [row for row, number in found if known is None or number > known]
            if hidden := [row for row in new if windows.is_hidden(row, since)]:
                window = await self._take(window, hidden)
            window = replace(window, top=max((window.top or 0, *(number for _, number in found))) or None)
            # A row that nobody can read says nothing of those below it.
            if known is None or len(new) < len(found):
                break
        return window

    async def _report(self, state: ReadState) -> None:
        """Say what was not shown, and note how many pipelines are owed. Raises ResourceNotFound where all is hidden."""
        owed_pipelines, bridges = self._owed_pipelines, state.bridges
        hides = bool(owed_pipelines.owed) and are_hidden(owed_pipelines.owed.values())
        if hides and not await self._session.io(self._store.has_any, self._source.project_id):
            await self._forget()
            hidden = ResourceNotFound(HIDDEN, http_status=404)
            hidden.behind_list = True
            raise hidden
        await owed_pipelines.report(self._scope)
        notes = [note for note in (owed_pipelines.scope_note(), bridges and (bridges, NO_BRIDGES)) if note]
        if notes:
            await self._session.partial(self._scope, notes[0][0], " ".join(text for _, text in notes))
        after = replace(owed_pipelines.counted(state), error=None)
        if after != state:
            await self._session.write(self._states.save, self._source.project_id, after)

    async def _reconcile(self, window: Window, before: ReadState) -> tuple[Window, ReadState]:
        """Read the whole list where the seek has not shown all of it, and count again: with what came meanwhile."""
        now, stream, full = self._now() // 1000, window.stream, self._session.full
        state = before.with_added(stream, listed=window.listed, stored=window.stored)
        begun = window.fresh and (window.seen or before.newest(stream) is not None)
        if not (window.walked or begun or state.wants_count(stream, now)):
            return window, state
        listed, dated = await self._counted_by_gitlab(window)
        walked_before = state.walked(stream) is not None and not window.fresh
        if state.counts_match(stream, listed, now) and (dated or walked_before) and not window.fresh:
            return window, state.with_reconciled(stream, now)
        had = len({*await self._here(stream), *self._owed_pipelines.ids(stream)})
        if listed != had and self._source.told is not None:
            # What GraphQL has told may be minutes old, and hints store more meanwhile.
            listed, dated = await self._counted_by_gitlab(window, by_rest=True)
        gap = windows.has_gap(listed=listed, had=had, dated=dated, walked_before=walked_before)
        # What was just read from its beginning is compared by counts alone, where there are any.
        walked_at = now if window.fresh and listed is None and not full else state.walked(stream)
        gone = windows.has_deleted(listed=listed, had=had, walked_at=walked_at, now=now, full=full)
        if not window.walked and (gap or (gone and not window.given_up)):
            window = await self._walk(replace(window, checking=not gap))
            listed = None if listed is None else (await self._counted_by_gitlab(window, by_rest=True))[0]
        stored = len(await self._here(stream))
        counted = state.with_counts(stream, listed=listed, stored=stored).with_reconciled(stream, now)
        return window, counted.with_walked(stream, windows.walked_at(window, walked_at, listed=listed, now=now))

    async def _counted_by_gitlab(self, window: Window, *, by_rest: bool = False) -> tuple[int | None, bool]:
        """How many pipelines GitLab counts, and whether the row that would show it has a date."""
        if window.fresh and window.total is not None and not self._session.full and not by_rest:
            return window.total, True
        params = windows.undated_params(window)
        page = await anext(self._listed(params, per_page=1) if by_rest else self._pages(params, per_page=1))
        return page.total, windows.is_dated(page.rows)

    async def _forget(self) -> None:
        """Count nothing of the project as read, as after a 403: the next run begins anew."""
        owed = list(self._owed_pipelines.owed)
        await self._session.write(self._states.save, self._source.project_id, ReadState(owed=len(owed)))
        for number in owed:
            await self._owed_pipelines.resolve(number)
        await self._owed_pipelines.report(self._scope)

    async def _here(self, stream: Stream) -> list[int]:
        return await self._session.io(self._store.here, self._source.project_id, children=stream is Stream.CHILD)

    async def _read(self, window: Window) -> Window:
        step = SeekStep.SEEK
        while step is not SeekStep.DONE and window.walk is None and not window.walked:
            if window.same_timestamp is not None:
                window = await self._read_same_timestamp(window, window.same_timestamp.position)
                await self._checkpoint(window)
                continue
            page = await anext(self._pages(windows.seek_params(window)))
            window = _with_page(window, page)
            if not windows.has_right_source(window, page.rows):
                return window
            if not windows.is_seekable(window, page.rows) or not windows.is_dated(page.rows):
                break
            window = await self._take(window, page.rows)
            more = page.next is not None or len(page.rows) >= windows.PER_PAGE
            step, window = windows.next_step(window, page.rows, more=more)
            await self._checkpoint(window)
        return window if step is SeekStep.DONE or window.walked else await self._walk(window)

    async def _read_same_timestamp(self, window: Window, position: str | None) -> Window:
        """Read one page of a millisecond that holds too many rows for one."""
        page = await anext(self._pages(windows.same_timestamp_params(window), position))
        window = _with_page(window, page)
        if not windows.has_same_timestamp(window, page.rows):
            raise UnexpectedResponse("GitLab's pipeline list ignores a filter that it honoured before.")
        return (await self._take(window, page.rows)).after_same_timestamp_page(page.rows, page.next)

    async def _walk(self, window: Window) -> Window:
        """Read the whole list by pages, and compare it with what is stored.

        That is all that helps where a server ignores the filter, rows have no date, or some are gone.
        """
        if window.walk is None and window.walked_to is None:
            window = replace(window, walked_to=0)
        try:
            async for page in self._listed(windows.walk_params(window), window.walk):
                window = await self._take(_with_page(window, page), page.rows)
                window = replace(await self._mark_deleted(window, page), walk=page.next, reread=[])
                if page.next is not None:
                    await self._checkpoint(window)
        except OF_ONE_PIPELINE as error:
            if not window.checking:
                raise
            window = await self._give_up(window, error)
        else:
            window = replace(window, walked=True)
        await self._checkpoint(window)
        return window

    async def _give_up(self, window: Window, error: GitLabError) -> Window:
        """Read no further what only tells of deleted pipelines: so far down, GitLab may never answer in time."""
        await self._source.confirm()
        await self._session.partial(self._scope, error.code, NOT_WALKED)
        return replace(window, walk=None, walked_to=None, given_up=True)

    async def _mark_deleted(self, window: Window, page: Page) -> Window:
        """Mark what is stored, and gone where a page of the whole list does not show it."""
        ids = windows.ids_in_order(window, page.rows, is_last=page.next is None)
        if ids is None:
            return replace(window, walked_to=None)
        until = None if page.next is None or not ids else ids[-1]
        children = window.stream is Stream.CHILD
        missing = await self._deleted.missing(ids, children=children, after=window.walked_to, until=until)
        for start in range(0, len(missing), AT_ONCE):
            some = missing[start : start + AT_ONCE]
            doubtful = not await self._deleted.mark(some) or window.doubtful
            window = replace(window, walked_to=some[-1], copied=window.copied + len(some), doubtful=doubtful)
            await self._checkpoint(window)
        return window if until is None else replace(window, walked_to=until)

    async def _take(self, window: Window, listed: Rows) -> Window:
        """Make every listed pipeline that changed durable."""
        now = self._now()
        at = now if window.hi is None else window.hi
        found = await read_skipping_unreadable(self._session, self._scope, listed, identity)
        known = await self._session.io(self._store.known, self._source.project_id, [number for _, number in found])
        due = [
            (number, row)
            for row, number in found
            if (must_read(row, known.get(number), at=at) or window.reads_again(row))
            and not self._owed_pipelines.is_waiting(row, now // 1000)
        ]
        # What a hint has stored already may have started children all the same.
        numbers = {number for number, _ in due}
        for row, number in found:
            if number in known and number not in numbers:
                await self._owed_pipelines.note(row, known[number])
        hinted = {number for number, one in known.items() if one.hinted}
        started = any(known[number].bridge_chunks for number in hinted - numbers)
        newest = self._newest_before[window.stream]
        met = sum(newest is not None and number > newest for number in known)  # by hints, or a worker that died
        window = replace(window, children=window.children or started)
        async for outcome in self._batches.copy(due, known):
            window = outcome.apply_to(window)
            await self._checkpoint(window)
        self._session.count(rows_read=len(listed))
        window = replace(window, listed=window.listed + met, stored=window.stored + met)
        return window.after_rows([row for row, _ in found])

    async def _pages(
        self, params: windows.Params, cursor: str | None = None, *, per_page: int = windows.PER_PAGE
    ) -> AsyncIterator[Page]:
        """Pages of a list, from what has been told of it where that is enough."""
        if cursor is None and (page := self._source.told_page(params)) is not None:
            yield page
            return
        async for page in self._listed(params, cursor, per_page=per_page):
            yield page

    def _listed(
        self, params: windows.Params, cursor: str | None = None, *, per_page: int = windows.PER_PAGE
    ) -> AsyncIterator[Page]:
        """Pages of a list, from REST."""
        return self._session.gitlab.pages(self._source.path, params, cursor=cursor, per_page=per_page)

    async def _checkpoint(self, window: Window) -> None:
        await self._session.checkpoint(self._scope, window.to_json())

    def _now(self) -> int:
        return from_datetime(self._session.now())


def _with_page(window: Window, page: Page) -> Window:
    return window.with_page(None if page.server_time is None else from_datetime(page.server_time), page.total)
