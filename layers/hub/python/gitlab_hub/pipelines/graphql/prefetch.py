"""Asks GraphQL about many projects at once, and says which of them REST has to be asked about.

A project is told only where everything says that its answer is whole: no error lies on it, nothing in it is null that
must not be, its lists have no further page and as many rows as they count, and it shows the pipelines that are known.
Whatever else comes back is for REST to tell, project by project.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gitlab_hub.gitlab.errors import CiDisabled, GitLabError
from gitlab_hub.gitlab.fields import from_datetime, millis
from gitlab_hub.gitlab.graphql import GraphQLReply
from gitlab_hub.gitlab.graphql_batches import ENDS_SLICE, TOO_MUCH, BatchSize, nodes_of
from gitlab_hub.pipelines.freshness import must_read
from gitlab_hub.pipelines.graphql import queries
from gitlab_hub.pipelines.graphql.queries import Since
from gitlab_hub.pipelines.graphql.standing import WORTH_IT, Standing
from gitlab_hub.pipelines.graphql.told import Told
from gitlab_hub.pipelines.read_states import ReadState
from gitlab_hub.pipelines.store import PipelineStore
from gitlab_hub.pipelines.window import Stream, Window
from gitlab_hub.sync.ports import Session

LOOKED_AT, READ = 200, 20
"""Projects that the first batches ask for: what has changed, and all of it."""

ROWS_AT_ONCE = 50
"""Listed pipelines that are asked for at once, with others that changed in the same seconds as the first and last."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A project that is read next, and how far it was read before."""

    state: ReadState

    def since(self, stream: Stream = Stream.DEFAULT) -> int | None:
        """Where a stream's next window begins; None = at the beginning."""
        return Window.opened(stream, self.state.watermark(stream)).lo

    @property
    def was_read(self) -> bool:
        """Whether it was read before, if only to find nothing."""
        return self.since() is not None or self.state.reconciled_at is not None or self.state.error is not None


class Prefetch:
    """The projects of one slice. Whoever reads one of which nothing is known here is told so, and asks REST."""

    def __init__(self, session: Session, store: PipelineStore, *, worth_it: int = WORTH_IT) -> None:
        self._session, self._store, self._standing = session, store, Standing(session, worth_it)
        self._one_at_a_time = asyncio.Lock()
        self._planned: dict[int, Plan] = {}
        self._wanted = 0
        self._found: dict[int, Told | None] = {}
        self._changed: dict[int, Told] = {}
        """What a look has told of projects that have more to tell."""
        self._sizes = {False: BatchSize(LOOKED_AT), True: BatchSize(READ)}
        self._rows_at_once = BatchSize(ROWS_AT_ONCE)

    def plan(self, states: Mapping[int, ReadState], *, at_least: int = 0) -> None:
        """Hear of projects that are read next; `at_least`: so many are read in the run, by this worker and others."""
        self._planned |= {number: Plan(state) for number, state in states.items()}
        self._wanted = max(self._wanted, len(self._planned), at_least)

    def is_first(self, number: int) -> bool:
        """Whether a project that is read next was never read before."""
        return number in self._planned and not self._planned[number].was_read

    @property
    def is_refused(self) -> bool:
        """Whether GraphQL was asked in this slice, and REST has to tell everything."""
        return self._standing.is_refused

    async def told_of(self, number: int) -> Told | None:
        """What is known of a project; None where REST has to tell it."""
        async with self._one_at_a_time:
            if number in self._planned and number not in self._found and await self._standing.may(self._wanted):
                await self._fetch(number)
            self._planned.pop(number, None)
            told = self._found.pop(number, None)
        self._session.count(**{"projects_by_rest" if told is None else "projects_by_graphql": 1})
        return told

    async def told_of_rows(self, number: int, rows: Sequence[Mapping[str, Any]]) -> list[Told]:
        """Ask for the pipelines of some rows of a project's list, as far as GraphQL tells them whole."""
        moments = sorted((moment, row["id"]) for row in rows if (moment := millis(row.get("updated_at"))) is not None)
        found: list[Told] = []
        async with self._one_at_a_time:
            while moments and await self._standing.may(len(rows)):
                some = moments[: self._rows_at_once.within(ROWS_AT_ONCE)]
                told, too_much = await self._ask_for_rows(number, some[0][0], some[-1][0])
                if not too_much:
                    moments = moments[len(some) :]
                    self._rows_at_once.worked(0)
                else:
                    self._rows_at_once.was_too_much(brought_any=False)
                if told is not None:
                    found.append(told)
                    await self._prove([told])
                if self._rows_at_once.is_hopeless:
                    self._standing.give_up()
        return found

    async def _ask_for_rows(self, number: int, since: int, until: int) -> tuple[Told | None, bool]:
        """Ask for what has changed between two moments; whether less at once may work."""
        asked_at = self._now()
        bounds = dict.fromkeys(Stream, since // 1000 * 1000)
        values = queries.detail_values([number], bounds, until=until // 1000 * 1000 + 1000)
        try:
            reply = await self._session.gitlab.query(queries.detail_query(1), values)
        except ENDS_SLICE:
            raise
        except TOO_MUCH:
            return None, True
        except GitLabError:
            self._standing.give_up()
            return None, False
        node = nodes_of(reply, queries.TYPE).get(number)
        if node is None or reply.server_time is None:
            return None, reply.is_too_much
        at = from_datetime(reply.server_time)
        details = queries.details_of(node, number, at=at)
        told = Told(
            project_id=number, asked_at=asked_at, answered_at=reply.server_time, since=bounds, rows={}, details=details
        )  # fmt: skip
        return told, False

    async def _fetch(self, number: int) -> None:
        """Ask about a batch of projects with this one among them, in smaller ones where it is too much."""
        while number not in self._found and await self._standing.may(self._wanted):
            whole = number in self._changed or not self._planned[number].was_read
            batch, begun = self._batch(number, whole=whole), self._session.now()
            try:
                reply = await self._ask(batch, whole=whole)
            except ENDS_SLICE:
                raise
            except TOO_MUCH:
                reply = GraphQLReply({})
            except GitLabError:
                self._standing.give_up()
                return
            nodes = nodes_of(reply, queries.TYPE) if reply.server_time else {}
            too_much = reply.is_too_much or not nodes
            for one in batch:
                if one in nodes:
                    await self._take(one, nodes[one], reply, asked_at=from_datetime(begun), batch=batch, whole=whole)
                elif not too_much or len(batch) == 1:
                    self._found[one] = None
            await self._prove(self._found.values())
            self._learn(seconds=(self._session.now() - begun).total_seconds(), whole=whole, brought=bool(nodes),
                        too_much=too_much)  # fmt: skip

    def _learn(self, *, seconds: float, whole: bool, brought: bool, too_much: bool) -> None:
        size = self._sizes[whole]
        if too_much:
            size.was_too_much(brought_any=brought)
        else:
            size.worked(seconds)
        if size.is_hopeless:
            self._standing.give_up()

    def _batch(self, first: int, *, whole: bool) -> list[int]:
        """This project and those nearest to it in how far they were read: they share one moment to look back to."""
        limit = self._standing.limit
        most = queries.most_read(limit) if whole else queries.most_looked_at(limit, counts=True)
        open_ones = [
            one for one, plan in self._planned.items()
            if one not in self._found and whole is (one in self._changed or not plan.was_read)
        ]  # fmt: skip
        since, mine = {one: self._planned[one].since() for one in open_ones}, self._planned[first].since()
        # Those of which all is asked look back to no moment; to others that have shown no pipeline any will do.
        near = [one for one in open_ones if not whole or (since[one] is None) is (mine is None)]
        near.sort(key=lambda one: (one != first, abs((since[one] or 0) - (mine or 0)), one))
        return near[: self._sizes[whole].within(most)]

    def _since(self, batch: Sequence[int], *, whole: bool) -> Since:
        """The earliest moments that any of them has to look back to; for new ones, the beginning."""
        if whole and self._planned[batch[0]].since() is None:
            return dict.fromkeys(Stream, None)
        bounds = {stream: [self._planned[one].since(stream) for one in batch] for stream in Stream}
        now = self._now()
        return {stream: min((one for one in each if one is not None), default=now) for stream, each in bounds.items()}

    async def _ask(self, batch: Sequence[int], *, whole: bool) -> GraphQLReply:
        gitlab, since = self._session.gitlab, self._since(batch, whole=whole)
        if whole:
            return await gitlab.query(queries.detail_query(len(batch)), queries.detail_values(batch, since))
        now, states = self._now() // 1000, [self._planned[one].state for one in batch]
        counts = any(state.wants_count(stream, now) for state in states for stream in Stream)
        values = queries.look_values(batch, since, counts=counts)
        return await gitlab.query(queries.look_query(len(batch), counts=counts), values)

    async def _take(
        self,
        one: int,
        node: Mapping[str, Any],
        reply: GraphQLReply,
        *,
        asked_at: int,
        batch: Sequence[int],
        whole: bool,
    ) -> None:
        if reply.server_time is None:
            return
        at, plan, before = from_datetime(reply.server_time), self._planned[one], self._changed.get(one)
        rows = {stream: found for stream in Stream if (found := queries.recent_of(node, stream, at=at)) is not None}
        newest = {stream: ids for stream in Stream if (ids := queries.newest_of(node, stream)) is not None}
        if any(row["source"] != queries.CHILD_SOURCE for row in rows.get(Stream.CHILD, ())):
            rows.pop(Stream.CHILD)
        told = Told(
            project_id=one,
            asked_at=asked_at if before is None else before.asked_at,
            answered_at=reply.server_time,
            since=self._since(batch, whole=whole),
            rows=rows,
            newest=newest if before is None else before.newest,
            known_newest={stream: plan.state.newest(stream) for stream in Stream},
            counts=_told_counts(node) if before is None else before.counts,
            details=queries.details_of(node, one, at=at) if whole else {},
        )
        if whole:
            # Without a look, nothing says that an empty list is one.
            is_shown = bool(rows.get(Stream.DEFAULT)) or (before is not None and Stream.DEFAULT in rows)
            self._found[one] = told if is_shown else None
        elif not _shows_what_is_known(told, plan.state):
            self._found[one] = self._empty(told, plan.state, node)
        elif Stream.DEFAULT not in rows or plan.since() is None or await self._is_due(told, plan):
            self._changed[one] = told
        else:
            self._found[one] = told

    def _empty(self, told: Told, state: ReadState, node: Mapping[str, Any]) -> Told | None:
        """A project that shows no pipelines: believed only where REST has said the same within a day."""
        newest = told.newest.get(Stream.DEFAULT)
        if newest is None or newest.ids or state.newest(Stream.DEFAULT) is not None:
            return None
        if state.error == CiDisabled.code and node.get("jobsEnabled") is False:
            return replace(told, is_off=True)
        if state.error is not None or state.wants_count(Stream.DEFAULT, self._now() // 1000):
            return None
        children = told.newest.get(Stream.CHILD)
        nothing = [
            stream for stream in Stream if stream is Stream.DEFAULT or (children is not None and not children.ids)
        ]
        return replace(told, since=dict.fromkeys(Stream, None), rows={stream: [] for stream in nothing})

    async def _is_due(self, told: Told, plan: Plan) -> bool:
        """Whether anything that was listed has to be read."""
        bounds = {stream: plan.since(stream) for stream in Stream}
        rows = [
            row for stream, found in told.rows.items() for row in found
            if (millis(row["updated_at"]) or 0) >= (bounds[stream] or 0)
        ]  # fmt: skip
        if not rows:
            return False
        known = await self._session.io(self._store.known, told.project_id, [row["id"] for row in rows])
        return any(must_read(row, known.get(row["id"]), at=told.at) for row in rows)

    async def _prove(self, told: Iterable[Told | None]) -> None:
        """Leave everything to REST where a pipeline is not the same both ways."""
        if not await self._standing.prove([one for one in told if one is not None and one.details]):
            self._found = dict.fromkeys(self._found)

    def _now(self) -> int:
        return from_datetime(self._session.now())


def _told_counts(node: Mapping[str, Any]) -> dict[Stream, tuple[int, bool]]:
    return {stream: counts for stream in Stream if (counts := queries.counts_of(node, stream)) is not None}


def _shows_what_is_known(told: Told, state: ReadState) -> bool:
    """Whether the newest pipelines reach up to the newest one that is known, so that the list is surely shown."""
    newest, known = told.newest.get(Stream.DEFAULT), state.newest(Stream.DEFAULT)
    return newest is not None and bool(newest.ids) and (known is None or max(newest.ids) >= known)
