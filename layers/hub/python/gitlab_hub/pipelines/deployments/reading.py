"""Reading the deployments of one project: what changed since its watermark, and what has to be known to count it.

Whatever follows from stored deployments (which environments are unknown, whose merge requests, which days) follows
from what is stored: whoever carries on for a worker that died finds it all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound, UnexpectedResponse
from gitlab_hub.gitlab.fields import from_datetime
from gitlab_hub.pipelines import window as windows
from gitlab_hub.pipelines.deployments import counting
from gitlab_hub.pipelines.deployments.changes import Change, Ended
from gitlab_hub.pipelines.deployments.environments import KnownEnvironments
from gitlab_hub.pipelines.deployments.history import History, is_open
from gitlab_hub.pipelines.deployments.model import deployment_of, merged_at_of
from gitlab_hub.pipelines.deployments.state import DAY, DeploymentState, DeploymentStates
from gitlab_hub.pipelines.deployments.store import MOST_MERGED, DeploymentStore
from gitlab_hub.pipelines.owed import OF_ONE_PIPELINE
from gitlab_hub.pipelines.window import SeekStep, Stream, Window
from gitlab_hub.storage.ports import Item
from gitlab_hub.sync.asides import status_of
from gitlab_hub.sync.ports import Scope, Session
from gitlab_hub.sync.unreadable_rows import read_skipping_unreadable

HISTORY_DAYS = 400
"""How far back deployments are read at first: as far as figures are told."""

MERGED_DAYS = 90
"""Of which deployments the merge requests are asked for: a request each."""

MOST_ASKED = 100
"""Of so many deployments one run asks for them; a later one for the others."""

MOST_TRIES = 5
"""So often a deployment is asked that GitLab cannot tell of; after so many in a row the others wait for a later run."""

LINKED_AFTER = 120
"""So many seconds after a deployment its merge requests are linked: GitLab does it in the background."""


class DeploymentReading:
    """One scope of a run: the deployments of a project."""

    def __init__(self, session: Session, scope: Scope, project_id: int, store: DeploymentStore,
                 states: DeploymentStates) -> None:  # fmt: skip
        self._session, self._scope, self._project_id = session, scope, project_id
        self._store, self._states = store, states
        self._path = f"/projects/{project_id}/deployments"
        self._environments = KnownEnvironments(session, project_id, store)
        self._state = DeploymentState()

    async def run(self) -> bool:
        """Read what is due, to the end; the answer is whether all is done that can be done without another change."""
        self._state = await self._session.io(self._states.load, self._project_id)
        cursor, now = self._session.cursor(self._scope), self._now()
        window = Window.from_json(cursor) if cursor else self._opened(now)
        window = await self._read(window)
        waits = await self._complete(now // 1000)
        seen_at = now // 1000 if window.seen else self._state.seen_at
        watermark = windows.watermark(window, self._state.watermark, now=self._now())
        read = {"read_at": now // 1000, "seen_at": seen_at, "error": None, "failed_at": None}
        await self._keep(watermark=watermark, waits=waits, **read)
        return not waits

    def _opened(self, now: int) -> Window:
        window = Window.opened(Stream.DEFAULT, None if self._session.full else self._state.watermark)
        return window if window.lo is not None else replace(window, lo=now - HISTORY_DAYS * DAY * 1000)

    async def _read(self, window: Window) -> Window:
        """Seek through the list, as that of pipelines is read; `updated_after` wants its own order.

        docs.gitlab.com/api/deployments, app/finders/deployments_finder.rb: within one `updated_at` the newest come
        first.
        """
        step = SeekStep.SEEK
        while step is not SeekStep.DONE:
            params, position = _params(window), window.same_timestamp.position if window.same_timestamp else None
            page = await anext(self._session.gitlab.pages(self._path, params, cursor=position))
            window = window.with_page(None if page.server_time is None else from_datetime(page.server_time))
            if not windows.is_seekable(window, page.rows) or not windows.is_dated(page.rows):
                raise UnexpectedResponse("GitLab's list of deployments is not in the order that was asked for.")
            await self._take(page.rows)
            window = window.after_rows(page.rows)
            if window.same_timestamp is not None:
                window = window.after_same_timestamp_page(page.rows, page.next)
            else:
                step, window = windows.next_step(window, page.rows, more=page.next is not None)
            await self._session.checkpoint(self._scope, window.to_json())
        return window

    async def _take(self, listed: Sequence[Mapping[str, object]]) -> None:
        """Make every listed deployment that changed durable."""
        found = await read_skipping_unreadable(
            self._session, self._scope, listed, lambda row: deployment_of(row, self._project_id)
        )
        rows = [row for _, row in found]
        changed = await self._session.io(self._store.changed, self._project_id, rows, now=self._now())
        # Before anything is stored, so that whoever comes next knows of it.
        waits = self._state.waits or any(is_open(row, self._now() // 1000) for row in rows)
        noted = self._state.counting_from(changed.since).with_late(changed.late)
        await self._keep(recount_from=noted.recount_from, late=noted.late, waits=waits)
        if changed.rows:
            await self._session.write(self._store.put, changed.rows)
        self._session.count(deployments_read=len(listed), rows_written=len(changed.rows))

    async def _complete(self, now: int) -> bool:
        """Read what is missing to count what has ended, and count it; whether something is to be waited for."""
        if self._state.recount_from is None and not (self._state.waits or self._session.full):
            return False
        since = self._state.recount_from or now
        await self._environments.load()
        history = await self._history(since, now)
        if not history.names:
            await self._keep(recount_from=None, has_more=False)
            return False
        if await self._environments.read(history.names, self._state, now=now, full=self._session.full):
            # Where the tier of an environment has changed, all that ever went there counts otherwise.
            since = now - HISTORY_DAYS * DAY
            history = await self._history(since, now)
            await self._keep(recount_from=since)
        await self._keep(environments_read_at=self._environments.read_at or self._state.environments_read_at)
        waits = await self._ask_for_merge_requests(history, now)
        if self._state.recount_from is not None:
            await self._count(history.in_production(self._environments.known), self._state.recount_from)
        return waits or history.is_open

    async def _history(self, since: int, now: int) -> History:
        """What has ended since so long before a moment that all from there on can be counted."""
        history = History(self._environments.known, merged_from=min(since, now - MERGED_DAYS * DAY))
        pages = self._store.since(self._project_id, counting.reach(since), self._state.late)
        while (page := await self._session.io(next, pages, None)) is not None:
            history.add(page, now=now)
        return history

    async def _ask_for_merge_requests(self, history: History, now: int) -> bool:
        """Ask what came along with changes of which that is not known; whether some are left to ask later."""
        wanted = await self._without_merge_requests(history, now)
        ripe = sorted(
            (one for one in wanted if now - one.at >= LINKED_AFTER),
            key=lambda one: (history.tries.get(one.id, 0), -one.at),
        )
        asked = ripe[:MOST_ASKED]
        rows = await self._session.io(self._store.rows, self._project_id, [one.id for one in asked]) if asked else {}
        failures, known = 0, dict[int, Sequence[int]]()
        for one in asked:
            row = rows[one.id]
            try:
                row |= await self._merged(one.id)
            except OF_ONE_PIPELINE:
                # What GitLab cannot tell of one deployment must not hold up the figures of all.
                await self._session.gitlab.get(self._path, {"per_page": 1})
                failures, tries = failures + 1, row.get("merged_tries", 0) + 1
                row |= {"merged_tries": tries, **({"merged_unknown": True} if tries >= MOST_TRIES else {})}
            except Forbidden as error:
                await self._session.aside(self._scope, status_of(error), error.code, str(error))
                break
            else:
                failures = 0
                if "merged" in row:
                    known[one.id] = row["merged"]
                await self._keep(recount_from=self._state.counting_from(one.at).recount_from)
            await self._session.write(self._store.put, [row])
            await self._session.note_progress()
            if failures >= MOST_TRIES:
                break
        await self._keep(has_more=len(ripe) > MOST_ASKED)
        history.take_merged(known)
        told = {number for number, row in rows.items() if row.keys() & {"merged", "merged_unknown"}}
        return any(one.id not in told for one in wanted)

    async def _without_merge_requests(self, history: History, now: int) -> list[Change]:
        """The changes of which it is not known what came along with them, and may be asked."""
        known = self._environments.known
        by_environment = history.in_production(known)
        await self._environments.note_first(by_environment)
        return [
            one for one in counting.changes_of(by_environment, known)
            if one.lead_times is None and not one.is_first and one.at >= now - MERGED_DAYS * DAY
            and one.id not in history.unknown
        ]  # fmt: skip

    async def _merged(self, deployment_id: int) -> Item:
        """When the merge requests of a deployment were merged, as what its row keeps of it."""
        merged: list[int] = []
        path = f"{self._path}/{deployment_id}/merge_requests"
        try:
            async for page in self._session.gitlab.pages(path):
                merged += [moment for row in page.rows if (moment := merged_at_of(row)) is not None]
                if len(merged) >= MOST_MERGED:
                    break
        except ResourceNotFound:
            return {"merged_unknown": True}  # Deleted meanwhile.
        return {"merged": merged[:MOST_MERGED]}

    async def _count(self, by_environment: Mapping[int, Sequence[Ended]], since: int) -> None:
        count = counting.counted(by_environment, self._environments.known, since)
        before = [day for day in self._state.days if day >= count.since]
        gone = [day for day in before if day not in count.days]
        await self._session.write(self._store.put_days, self._project_id, count.days, gone)
        kept = [day for day in self._state.days if day < count.since]
        await self._keep(recount_from=None, days=sorted({*kept, *count.days}))
        self._session.count(deployment_days_counted=len(count.days))

    async def _keep(self, **changed: object) -> None:
        state = replace(self._state, **changed)  # type: ignore[arg-type]  # names and types are the state's own
        if state != self._state:
            self._state = state
            await self._session.write(self._states.save, self._project_id, state)

    def _now(self) -> int:
        return from_datetime(self._session.now())


def _params(window: Window) -> windows.Params:
    if window.same_timestamp is None:
        return windows.seek_params(window)
    # The same millisecond page by page; no other order goes with the filter.
    return {**windows.same_timestamp_params(window), "order_by": "updated_at"}
