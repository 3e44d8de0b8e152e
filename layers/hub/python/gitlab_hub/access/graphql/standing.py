"""How far GraphQL may stand in for REST in a run: found out by asking, never told from a host's name or a version.

It may where the token is a classic one, where the schema has what is asked for, and where a list read both ways is the
same. A fine-grained token gets null fields and silently shortened lists (lib/gitlab/graphql/authz in GitLab), so it
asks REST only. An Enterprise Edition tells REST more of a membership: whether it waits for approval, and of its account
what only Owners see. The first is told by `pendingMembers` of the group at the top; where accounts are taken from the
rows of members, the second has no substitute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitlab_hub.access.context import AccessContext
from gitlab_hub.access.graphql.queries import (
    OUTLINES,
    PENDING_BY_PATH,
    SCHEMA,
    SCHEMA_VALUES,
    MembersQuery,
    Schema,
    invited_into,
    nobody_waits,
    nodes_of,
    outline_query,
    shows_minimal_access,
    values_of,
)
from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound
from gitlab_hub.gitlab.graphql import PAGE
from gitlab_hub.gitlab.graphql_batches import may_be_cut_short
from gitlab_hub.inventory.listing import Rows, collect
from gitlab_hub.inventory.model import ResourceType

ACTIVE = "active"
"""What REST says of a membership that waits for nobody (`human_state_name` in ee/lib/ee/api/entities/member.rb)."""

SAMPLES = 8
"""Lists that REST is asked for at most until one has a member in it."""

Place = tuple[ResourceType, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What GraphQL may tell in a run; nothing by default."""

    schema: Schema = field(default_factory=Schema)
    is_enterprise: bool = False
    wants_accounts: bool = False
    """Whether accounts are taken from the rows of members."""
    roots: frozenset[str] = frozenset()
    """Paths of groups at the top, in lower case."""
    quiet: frozenset[str] = frozenset()
    """Those of them in and below which nobody waits for approval."""
    is_limited: bool = False
    """Whether the integration is limited to a group, so that not all roots are known."""
    leaves_tops: bool = False
    """Whether groups at the top are for REST: only they can have members with Minimal Access, which not every release
    of an Enterprise Edition shows in GraphQL (`non_minimal_access` in app/finders/group_members_finder.rb, which
    ee/app/finders/ee/group_members_finder.rb lifts by now). Where one such member is shown, none is hidden."""
    invited_into: frozenset[int] | None = None
    """The groups into which any group was invited; None where GraphQL does not tell all of them."""

    @property
    def state(self) -> str | None:
        """What REST says of each membership that GraphQL is taken for."""
        return ACTIVE if self.is_enterprise else None

    def members(self, kind: ResourceType) -> MembersQuery:
        """How members are asked for."""
        return MembersQuery(kind, self.schema.roles, self.wants_accounts)

    def takes(self, kind: ResourceType, path: str) -> bool:
        """Whether the members of this group or project may be taken from GraphQL."""
        if kind not in self.schema.kinds:
            return False
        if not self.is_enterprise:
            return True
        if self.leaves_tops and kind is ResourceType.GROUP and "/" not in path:
            return False
        root = path.partition("/")[0].lower()
        if root in self.quiet:
            return True
        # A project in a personal namespace has no group, and so nobody who could have to approve
        # (`set_membership_activation` in ee/app/models/ee/member.rb).
        return kind is ResourceType.PROJECT and not self.is_limited and root not in self.roots


class Probe:
    """Finds it out, once in a slice.

    `read`: the lists that REST has told meanwhile; `sample`: the one of them in which there are members.
    """

    def __init__(self, context: AccessContext) -> None:
        self._context, self._gitlab = context, context.session.gitlab
        self.read: dict[Place, Rows] = {}
        self.sample: Place | None = None

    async def standing(self, kind: ResourceType, some: Sequence[int], *, leaves_tops: bool) -> Standing:
        """Ask GitLab; `some`: groups or projects whose lists may be read to compare. Raises GitLabError.

        `leaves_tops`: whether groups at the top are to be read by REST in this run, unless GraphQL tells all of them.
        """
        schema = Schema.of(await self._gitlab.query(SCHEMA, SCHEMA_VALUES))
        if kind not in schema.kinds or await may_be_cut_short(self._gitlab) or not await self._finds_sample(kind, some):
            return Standing()
        is_enterprise = any("membership_state" in row for row in self.read[self.sample or (kind, 0)])
        collects, target = await self._context.visibility.collects_accounts(), self._context.session.target
        # Whoever cannot list accounts is shown some groups only, and groups that they do not see may be invited.
        wants_shared = schema.shared and not collects
        if is_enterprise and (collects or not (schema.roles and schema.pending)):
            return Standing()
        groups = dict(await self._groups())
        roots = {number: path.lower() for number, path in groups.items() if "/" not in path}
        asked = list(groups) if wants_shared else list(roots) if is_enterprise else []
        minimal = is_enterprise and leaves_tops and schema.levels
        told = await self._outlines(asked, shared=wants_shared, pending=is_enterprise, minimal=minimal)
        quiet = {path for number, path in roots.items() if nobody_waits(told.get(number))}
        if is_enterprise and target.group is not None and "/" in target.group:
            quiet |= await self._quiet_root(target.group.partition("/")[0])
        return Standing(
            schema=schema,
            is_enterprise=is_enterprise,
            wants_accounts=collects,
            roots=frozenset(roots.values()),
            quiet=frozenset(quiet),
            is_limited=target.group is not None,
            leaves_tops=leaves_tops and not shows_minimal_access(told.values()),
            invited_into=_all_invited(told, asked) if wants_shared else None,
        )

    async def _finds_sample(self, kind: ResourceType, some: Sequence[int]) -> bool:
        """Read lists until one has a member; each of them is read with that."""
        for number in some[:SAMPLES]:
            try:
                rows = await collect(self._gitlab, f"/{kind.collection}/{number}/members")
            except (Forbidden, ResourceNotFound):
                continue
            self.read[kind, number] = rows
            if rows:
                self.sample = (kind, number)
                return True
        return False

    async def _outlines(
        self, groups: Sequence[int], *, shared: bool, pending: bool, minimal: bool
    ) -> dict[int, Mapping[str, Any]]:
        told: dict[int, Mapping[str, Any]] = {}
        for start in range(0, len(groups), OUTLINES):
            some = groups[start : start + OUTLINES]
            query = outline_query(len(some), shared=shared, pending=pending, minimal=minimal)
            told |= nodes_of(await self._gitlab.query(query, values_of(ResourceType.GROUP, some)), ResourceType.GROUP)
        return told

    async def _quiet_root(self, path: str) -> set[str]:
        """The group at the top, which the integration does not cover, where it tells that nobody waits."""
        reply = await self._gitlab.query(PENDING_BY_PATH, {"path": path, "size": PAGE})
        return {path.lower()} if not reply.errors and nobody_waits(reply.data.get("group")) else set()

    async def _groups(self) -> list[tuple[int, str]]:
        session, store = self._context.session, self._context.inventory.store
        found: list[tuple[int, str]] = []
        after: str | None = None
        while some := await session.io(store.paths_after, ResourceType.GROUP, after):
            found += [(int(key), path) for key, path in some]
            after = some[-1][0]
        return found


def _all_invited(told: Mapping[int, Mapping[str, Any]], asked: Sequence[int]) -> frozenset[int] | None:
    invited = invited_into(told.values()) if told.keys() >= set(asked) else None
    return None if invited is None else frozenset(invited)
