"""The stage that reads groups which the integration does not cover, and which give access to what it covers.

Somebody may reach a project of the integration as a member of a group above it, or of a group that was invited. Such a
group is read where GitLab shows it to the token; where it does not, that is said by name.
"""

from collections.abc import Iterable
from functools import partial

from gitlab_hub.access.accounts import AccountCollector
from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.members import collect
from gitlab_hub.access.outside.store import NamedGroup, OutsideStore, named_by
from gitlab_hub.access.transform import grant_of
from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound
from gitlab_hub.gitlab.fields import mapping
from gitlab_hub.inventory.coverage import is_member
from gitlab_hub.inventory.model import Resource, ResourceType, group_of
from gitlab_hub.sync.ports import Scope, SingleScopeStage
from gitlab_hub.sync.scope_notes import PARTIAL
from gitlab_hub.sync.unreadable_rows import read_skipping_unreadable

AT_ONCE = 8
MOST_NAMED = 20
HIDDEN = "hidden_groups"
WITHOUT_PROJECTS = {"with_projects": "false"}


class _Walk:
    """Which groups are still to be read, and what became of the others."""

    def __init__(self, covered: set[int]) -> None:
        self._covered = covered
        self._left: dict[int, NamedGroup] = {}
        self._taken: dict[int, NamedGroup] = {}
        self.hidden: dict[int, NamedGroup] = {}

    @property
    def read(self) -> set[int]:
        """The ids of those that were read."""
        return self._taken.keys() - self.hidden.keys()

    def want(self, named: Iterable[NamedGroup]) -> None:
        """Take in groups. One that was read for its members alone is read again where what is above it counts."""
        for group in named:
            taken, waiting = self._taken.get(group.id), self._left.get(group.id)
            if group.id in self._covered or (taken and (taken.counts_above or not group.counts_above)):
                continue
            if waiting is None or group.counts_above:
                self._left[group.id] = group

    def take(self) -> list[NamedGroup]:
        """Give the next groups to read at once."""
        some = list(self._left.values())[:AT_ONCE]
        for group in some:
            self._taken[group.id] = self._left.pop(group.id)
        return some


class OutsideGroupsStage(SingleScopeStage):
    """Reads them all, a few at once."""

    name = "outside_groups"

    def __init__(self, context: AccessContext, store: OutsideStore, collector: AccountCollector) -> None:
        self._context, self._store, self._collector = context, store, collector

    async def read(self, scope: Scope) -> None:
        """Read every group that gives access from outside, store it, and forget those that no longer do."""
        session = self._context.session
        covered, named = await session.io(self._store.covered_and_named)
        walk = _Walk(covered)
        walk.want(named)
        while some := walk.take():
            groups = await session.gather(*(partial(self._read, scope, group) for group in some))
            for wanted, group in zip(some, groups, strict=True):
                if group is None:
                    walk.hidden[wanted.id] = wanted
                elif wanted.counts_above:
                    walk.want(named_by(ResourceType.GROUP, group.parent_id, group.shared_with))
        await session.write(self._store.keep, walk.read, at=session.now())
        if walk.hidden:
            await session.aside(scope, PARTIAL, HIDDEN, _told(walk.hidden.values()))

    async def _read(self, scope: Scope, wanted: NamedGroup) -> Resource | None:
        """Read one group with its direct members, and store them; None where GitLab does not show them."""
        session, path = self._context.session, f"/groups/{wanted.id}"
        try:
            group = group_of(mapping((await session.gitlab.get(path, WITHOUT_PROJECTS)).body))
            rows = await collect(session.gitlab, f"{path}/members")
        except (Forbidden, ResourceNotFound):
            return None
        shows_invited = not wanted.counts_above or await self._shows_invited(path)
        read = partial(grant_of, resource_type=ResourceType.GROUP, resource_id=wanted.id)
        found = await read_skipping_unreadable(session, scope, rows, read)
        await self._collector.add([row for row, _ in found])
        members = {grant.account_id: grant for _, grant in found}
        await session.write(
            self._store.put, group, list(members.values()), shows_invited=shows_invited, at=session.now()
        )
        session.count(outside_groups=1)
        return group

    async def _shows_invited(self, path: str) -> bool:
        """Whether the token is shown every group that was invited into this one.

        Others are shown those that they can see (app/policies/group_group_link_policy.rb, `read_shared_with_group`).
        """
        session = self._context.session
        return session.target.is_admin or await is_member(session.gitlab, session.target, path) is True


def _told(hidden: Iterable[NamedGroup]) -> str:
    names = [group.full_path or f"group {group.id}" for group in hidden]
    more = f" and {len(names) - MOST_NAMED} more" if names[MOST_NAMED:] else ""
    return (
        f"GitLab does not show these groups, or their members, to the token: {', '.join(names[:MOST_NAMED])}{more}. "
        "People who have access through them are missing, and every answer that they may change says at_least."
    )
