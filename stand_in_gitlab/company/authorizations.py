"""Everybody's access as GitLab's SQL computes it, table by table: the definition that all else is compared with.

lib/gitlab/project_authorizations.rb for projects; `members_with_parents` of app/models/group.rb for groups. No line of
it asks for `expires_at`: what is over is access until a nightly job removes it. It is slow, and written to be compared
with that SQL.
"""

from dataclasses import dataclass, field

from stand_in_gitlab.company.model import MINIMAL
from stand_in_gitlab.company.state import Company


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

    @classmethod
    def of(cls, company: Company) -> "Database":
        """The tables of a company. A project in a personal namespace belongs to whoever made it."""
        groups, projects = company.groups.values(), company.projects.values()
        sources = [
            *(("group", one.id, one.shares) for one in groups),
            *(("project", one.id, one.shares) for one in projects),
        ]
        return cls(
            groups={group.id: group.parent_id for group in groups},
            projects={project.id: project.group_id for project in projects},
            owners={project.id: project.creator_id for project in projects if project.group_id is None},
            locked={group.id for group in groups if group.share_with_group_lock},
            members=[
                Member(source, user_id, row.level, awaiting=row.awaiting)
                for source, rows in company.members.items()
                for user_id, row in rows.items()
            ],
            links=[
                Link((kind, number), share.group_id, share.level)
                for kind, number, shares in sources
                for share in shares
            ],
        )

    def levels(self, user: int) -> dict[tuple[str, int], int]:
        """What a user has in every group and project where that is something."""
        found = {("group", number): self.group_level(user, number) for number in self.groups}
        found |= {("project", number): self.project_level(user, number) for number in self.projects}
        return {place: level for place, level in found.items() if level}

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
                if link.source == ("project", project) and link.level > MINIMAL:
                    levels += [min(level, link.level) for there, level in namespaces if there == link.group]
        return max(levels, default=0)

    def _rows(self, user: int) -> list[Member]:
        return [row for row in self.members if row.user == user and not row.awaiting]

    def _namespaces(self, user: int) -> set[tuple[int, int]]:
        """The recursive query `namespaces_cte`: (group, level) until nothing is added."""
        direct = {
            row.source[1]: row.level for row in self._rows(user) if row.source[0] == "group" and row.level > MINIMAL
        }
        found = set(direct.items())
        for link in self.links:
            if link.source[0] == "group" and link.group in direct and link.level > MINIMAL:
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
