"""GitLab's own computation of access, written down table by table as its SQL is, for tests to compare with.

lib/gitlab/project_authorizations.rb for projects; `members_with_parents` of app/models/group.rb for groups. It is slow,
and it shares no line with the hub.
"""

from dataclasses import dataclass, field

MINIMAL_ACCESS = 5


@dataclass(frozen=True, slots=True)
class Member:
    """A row of `members`: an active one unless it awaits approval. `source`: ("group" or "project", id)."""

    source: tuple[str, int]
    user: int
    level: int
    awaiting: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A row of `group_group_links` or `project_group_links`: a group invited into something."""

    source: tuple[str, int]
    group: int
    level: int


@dataclass(slots=True)
class Database:
    """What GitLab's database holds: groups (id → parent), projects (id → group or None), their owners, locks."""

    groups: dict[int, int | None] = field(default_factory=dict)
    projects: dict[int, int | None] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)
    locked: set[int] = field(default_factory=set)
    members: list[Member] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    def group_level(self, user: int, group: int) -> int:
        """`max_member_access_for_user`, and Minimal Access in the group itself (ee/app/models/ee/group.rb)."""
        levels = [row.level for row in self._rows(user) if row.source == ("group", group)]
        return max([*levels, *(level for there, level in self._namespaces(user) if there == group)], default=0)

    def project_level(self, user: int, project: int) -> int:
        """The highest of the union's rows for one project."""
        namespaces = self._namespaces(user)
        home = self.projects[project]
        levels = [row.level for row in self._rows(user) if row.source == ("project", project)]
        levels += [50] if self.owners.get(project) == user else []
        levels += [level for there, level in namespaces if there == home]
        if home not in self.locked:
            for link in self.links:
                if link.source == ("project", project) and link.level > MINIMAL_ACCESS:
                    levels += [min(level, link.level) for there, level in namespaces if there == link.group]
        return max(levels, default=0)

    def _rows(self, user: int) -> list[Member]:
        return [row for row in self.members if row.user == user and not row.awaiting]

    def _namespaces(self, user: int) -> set[tuple[int, int]]:
        """The recursive query `namespaces_cte`: (group, level) until nothing is added."""
        direct = {
            row.source[1]: row.level
            for row in self._rows(user)
            if row.source[0] == "group" and row.level > MINIMAL_ACCESS
        }
        found = set(direct.items())
        for link in self.links:
            if link.source[0] == "group" and link.group in direct and link.level > MINIMAL_ACCESS:
                found.add((link.source[1], min(direct[link.group], link.level)))
        while True:
            below = {
                (child, max(level, direct.get(child, 0)))
                for child, parent in self.groups.items()
                for there, level in found
                if parent == there
            }
            if below <= found:
                return found
            found |= below
