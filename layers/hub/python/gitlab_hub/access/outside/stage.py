"""The stage that reads groups which the integration does not cover, and which give access to what it covers.

Somebody may reach a project of the integration as a member of a group above it, or of a group that was invited. Such a
group is read where GitLab shows it to the token; where it does not, or fails to, that is noted beside the run, and the
others are read all the same.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

from gitlab_hub.access.accounts import AccountCollector
from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.keys import OUTSIDE_GROUPS
from gitlab_hub.access.outside.store import NamedGroup, OutsideStore, named_by
from gitlab_hub.access.transform import grant_of
from gitlab_hub.gitlab.errors import GitLabError, ResourceNotFound, UnexpectedResponse
from gitlab_hub.gitlab.fields import mapping, padded
from gitlab_hub.inventory.listing import collect
from gitlab_hub.inventory.model import Resource, ResourceType, group_of
from gitlab_hub.sync.asides import ENDS_SLICE, as_refusal, readable, status_of
from gitlab_hub.sync.ports import Scope, SingleScopeStage

AT_ONCE = 4
WITHOUT_PROJECTS = {"with_projects": "false"}
UNREADABLE = "Some of its members could not be parsed; those that are stored stay."


class Walk:
    """Which groups are still to be read, and which were; it survives a worker as JSON."""

    def __init__(self, covered: set[int], cursor: dict[str, Any] | None) -> None:
        self._covered = covered
        told = cursor or {"left": [], "taken": [], "gone": []}
        self._left = {one[0]: NamedGroup(*one) for one in told["left"]}
        self._taken: dict[int, bool] = dict(told["taken"])
        self._gone = set[int](told["gone"])

    @property
    def cursor(self) -> dict[str, Any]:
        """Where it has come to."""
        return {
            "left": [list(group) for group in self._left.values()],
            "taken": list(self._taken.items()),
            "gone": sorted(self._gone),
        }

    @property
    def kept(self) -> set[int]:
        """The ids of groups that give access, and that GitLab did not say it has not."""
        return self._taken.keys() - self._gone

    def want(self, named: Iterable[NamedGroup]) -> None:
        """Take in groups. One that was read for its members alone is read again where what is above it counts."""
        for group in named:
            taken, waiting = self._taken.get(group.id), self._left.get(group.id)
            if group.id in self._covered or (taken is not None and (taken or not group.counts_above)):
                continue
            if waiting is None or group.counts_above:
                self._left[group.id] = group

    def next(self) -> list[NamedGroup]:
        """The groups to read at once; none at the end."""
        return list(self._left.values())[:AT_ONCE]

    def done(self, group: NamedGroup, *, gone: bool) -> None:
        """A group was read, or cannot be."""
        self._left.pop(group.id, None)
        self._taken[group.id] = group.counts_above
        if gone:
            self._gone.add(group.id)


class OutsideGroupsStage(SingleScopeStage):
    """Reads them all, a few at once."""

    name = OUTSIDE_GROUPS

    def __init__(self, context: AccessContext, store: OutsideStore, collector: AccountCollector) -> None:
        self._context, self._store, self._collector = context, store, collector

    async def read(self, scope: Scope) -> None:
        """Read every group that gives access from outside, store it, and delete those that no longer do."""
        session = self._context.session
        covered, named = await session.io(self._store.covered_and_named)
        walk = Walk(covered, session.cursor(scope))
        walk.want(named)
        while some := walk.next():
            groups = await session.gather(*(partial(self._read, group) for group in some))
            for wanted, group in zip(some, groups, strict=True):
                walk.done(wanted, gone=group is None)
                if isinstance(group, Resource) and wanted.counts_above:
                    walk.want(named_by(ResourceType.GROUP, group.parent_id, group.shared_with))
            await session.checkpoint(scope, walk.cursor)
        await session.write(self._store.keep, walk.kept, at=session.now())

    async def _read(self, wanted: NamedGroup) -> Resource | GitLabError | None:
        """Read one group with its direct members, and store them.

        None: GitLab has none of this id for the token. An error: it did not show the group, and what is stored stays.
        """
        session, path = self._context.session, f"/groups/{wanted.id}"
        scope = Scope(padded(wanted.id), {"type": "group", "id": wanted.id, "path": wanted.full_path})
        try:
            page = await as_refusal(session, lambda: session.gitlab.get(path, WITHOUT_PROJECTS))
            group = group_of(mapping(page.body))
            rows = await as_refusal(session, lambda: collect(session.gitlab, f"{path}/members"))
        except ENDS_SLICE:
            raise
        except GitLabError as error:
            await session.aside(scope, status_of(error), error.code, _told(error))
            return None if isinstance(error, ResourceNotFound) else error
        read = partial(grant_of, resource_type=ResourceType.GROUP, resource_id=wanted.id)
        members, is_whole = readable(rows, read)
        if not is_whole:
            await session.aside(scope, "partial", UnexpectedResponse.code, UNREADABLE)
        await self._collector.add([row for row, _ in members])
        grants = {grant.account_id: grant for _, grant in members}
        await session.write(self._store.put, group, list(grants.values()), is_whole=is_whole, at=session.now())
        session.count(outside_groups=1)
        return group


def _told(error: GitLabError) -> str:
    return (
        "The group gives access to what the integration covers, and could not be read with its members: people who "
        f"come through it are missing, and answers that it may change say at_least. {error}"
    )
