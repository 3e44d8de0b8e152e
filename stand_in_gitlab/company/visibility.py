"""What one account may see and do, computed from direct memberships and shares."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property

from stand_in_gitlab.company.model import GUEST, MINIMAL, OWNER, Group, Project, Share, SourceKind, User
from stand_in_gitlab.company.state import Company


class Visibility:
    """The reach of one user. It equals the definition in `authorizations.py`, and is quick enough for every request."""

    def __init__(self, company: Company, user: User) -> None:
        self._company, self.user = company, user

    def group_level(self, group_id: int) -> int:
        """The effective level in a group; 0 for none. Administrators are Owners everywhere."""
        return 50 if self.user.is_admin else self.group_levels.get(group_id, 0)

    def membership_level(self, group_id: int) -> int:
        """The level as a member of the group or of one above it; invitations of groups do not count. 0 for none."""
        return self._inherited[group_id]

    def project_level(self, project_id: int) -> int:
        """The effective level in a project; 0 for none."""
        return 50 if self.user.is_admin else self.project_levels.get(project_id, 0)

    def sees_group(self, group_id: int) -> bool:
        """Whether the group exists for this user."""
        visibility = self._company.groups[group_id].visibility
        return self._open(visibility) or group_id in self._groups_on_the_way or self.user.is_admin

    def sees_project(self, project_id: int) -> bool:
        """Whether the project exists for this user."""
        visibility = self._company.projects[project_id].visibility
        return self._open(visibility) or self.project_level(project_id) >= GUEST

    def shown_shares(self, source: Group | Project) -> list[Share]:
        """The invited groups that one can see anyway, whoever one is in what they are invited into.

        `shared_with_group_links_visible_to_user` in app/models/group.rb; its projects' lists are taken for the same.
        """
        return [share for share in source.shares if self.sees_group(share.group_id)]

    def _open(self, visibility: str) -> bool:
        return visibility == "public" or (visibility == "internal" and not self.user.external)

    @cached_property
    def group_levels(self) -> dict[int, int]:
        """Level by group, from the group's own members, its ancestors' and those of groups invited into the line."""
        own = {
            group_id: max(self._direct["group"].get(group_id, 0), self._shared(group.shares, self._direct["group"]))
            for group_id, group in self._company.groups.items()
        }
        return self._down_the_tree(own)

    @cached_property
    def project_levels(self) -> dict[int, int]:
        """Level by project."""
        found = {}
        for project in self._company.projects.values():
            from_group = self.group_levels.get(project.group_id, 0) if project.group_id else 0
            inherited = from_group if from_group > MINIMAL else 0
            direct = self._direct["project"].get(project.id, 0)
            owned = OWNER if project.group_id is None and project.creator_id == self.user.id else 0
            level = max(inherited, direct, owned, self._shared(self._open_shares(project), self.group_levels))
            if level:
                found[project.id] = level
        return found

    def _open_shares(self, project: Project) -> list[Share]:
        """Shares of a project count where its own group has no lock (lib/gitlab/project_authorizations.rb)."""
        group = self._company.groups.get(project.group_id or 0)
        return [] if group and group.share_with_group_lock else project.shares

    @cached_property
    def _direct(self) -> dict[SourceKind, dict[int, int]]:
        levels: dict[SourceKind, dict[int, int]] = {"group": {}, "project": {}}
        for (kind, source_id), members in self._company.members.items():
            member = members.get(self.user.id)
            if member and not member.awaiting:
                levels[kind][source_id] = member.level
        return levels

    @cached_property
    def _inherited(self) -> defaultdict[int, int]:
        return defaultdict(int, self._down_the_tree(dict(self._direct["group"])))

    def _down_the_tree(self, own: dict[int, int]) -> dict[int, int]:
        """Minimal access stays where it was given; every other level flows to the groups below."""
        found = {}
        for group_id in self._company.groups:
            above = [own.get(group.id, 0) for group in self._company.ancestors(group_id)[1:]]
            level = max([own.get(group_id, 0), *(each for each in above if each > MINIMAL)])
            if level:
                found[group_id] = level
        return found

    def _shared(self, shares: list[Share], levels: Mapping[int, int]) -> int:
        """What invitations give: to a group they carry direct members, to a project all who have access."""
        carried = ((share.level, levels.get(share.group_id, 0)) for share in shares)
        return max((min(cap, level) for cap, level in carried if min(cap, level) > MINIMAL), default=0)

    @cached_property
    def _groups_on_the_way(self) -> set[int]:
        """Groups with a level, and every ancestor of a group or project with one: one cannot get there blindfolded."""
        homes = {self._company.projects[project_id].group_id for project_id in self.project_levels}
        return {group.id for start in homes | set(self.group_levels) for group in self._company.ancestors(start)}


class Visibilities:
    """Remembers what users see until something changes."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._known: dict[int, Visibility] = {}
        self._valid = -1

    def of(self, user: User) -> Visibility:
        """What this user sees, computed at most once per change."""
        if self._valid != self._company.generation:
            self._known.clear()
            self._valid = self._company.generation
        if user.id not in self._known:
            self._known[user.id] = Visibility(self._company, user)
        return self._known[user.id]
