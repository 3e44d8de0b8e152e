"""/groups: lists, one group, what is below it."""

from collections.abc import Callable, Iterable
from typing import Any

from stand_in_gitlab.company.model import OWNER, Group, Project
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.paging import keyset_by_cursor, keyset_by_id, numbered
from stand_in_gitlab.rest.project_shapes import ProjectShapes
from stand_in_gitlab.rest.projects import chosen, in_order
from stand_in_gitlab.rest.shapes import Json, Shapes

ORDERS = frozenset({"name", "path", "id", "similarity"})
SORTS = frozenset({"asc", "desc"})


class GroupsApi:
    """Lists groups and their projects."""

    def __init__(self, company: Company, shapes: Shapes, projects: ProjectShapes) -> None:
        self._company, self._shapes, self._projects = company, shapes, projects
        self._find = Finder(company)

    def many(self, ask: Ask) -> Answer:
        """GET /groups."""
        everything = (
            ask.flag("all_available", default=True) and not ask.flag("owned") and not ask.params.get("min_access_level")
        )
        groups = [group for group in self._company.groups.values() if self._reached(ask, group, open_too=everything)]
        return self._page(ask, groups)

    def _reached(self, ask: Ask, group: Group, *, open_too: bool) -> bool:
        level = ask.visibility.group_level(group.id)
        if ask.flag("owned"):
            level = ask.visibility.group_levels.get(group.id, 0)
            return level >= OWNER
        if ask.params.get("min_access_level"):
            return level >= ask.number("min_access_level", 0)
        return ask.visibility.sees_group(group.id) if open_too or ask.user.is_admin else level > 0

    def _page(self, ask: Ask, groups: Iterable[Group]) -> Answer:
        order, sort = ask.choice("order_by", ORDERS, "name"), ask.choice("sort", SORTS, "asc")
        kept = [group for group in groups if self._wanted(ask, group)]
        if ask.params.get("pagination") == "keyset":
            return keyset_by_cursor(
                ask, sorted(kept, key=_id), self._shapes.group, descending=sort == "desc" and order == "id"
            )
        kept.sort(key=_KEYS.get(order, _KEYS["name"]), reverse=sort == "desc")
        return numbered(ask, kept, self._shapes.group, keyset_type="Group")

    @staticmethod
    def _wanted(ask: Ask, group: Group) -> bool:
        if ask.flag("top_level_only") and group.parent_id is not None:
            return False
        if str(group.id) in (ask.params.get("skip_groups[]") or ask.params.get("skip_groups") or "").split(","):
            return False
        visibility, search = ask.params.get("visibility"), (ask.params.get("search") or "").lower()
        return (not visibility or group.visibility == visibility) and search in f"{group.name} {group.path}".lower()

    def one(self, ask: Ask) -> Answer:
        """GET /groups/:id."""
        group = self._find.group(ask)
        row = self._shapes.group_detail(group, ask.visibility)
        if ask.flag("with_projects", default=True):
            visible = [
                project for project in self._company.projects_of({group.id}) if ask.visibility.sees_project(project.id)
            ]
            row["projects"] = [self._projects.full(project, ask.visibility) for project in visible[:100]]
            guests = [each for each in self._shared_projects({group.id}) if ask.visibility.sees_project(each.id)]
            row["shared_projects"] = [self._projects.full(project, ask.visibility) for project in guests[:100]]
        return reply(row)

    def subgroups(self, ask: Ask) -> Answer:
        """GET /groups/:id/subgroups."""
        parent = self._find.group(ask)
        children = [group for group in self._company.groups.values() if group.parent_id == parent.id]
        return self._page(ask, [group for group in children if ask.visibility.sees_group(group.id)])

    def descendants(self, ask: Ask) -> Answer:
        """GET /groups/:id/descendant_groups."""
        below = self._company.descendants(self._find.group(ask).id)
        return self._page(ask, [group for group in below if ask.visibility.sees_group(group.id)])

    def projects(self, ask: Ask) -> Answer:
        """GET /groups/:id/projects."""
        group = self._find.group(ask)
        homes = {group.id}
        if ask.flag("include_subgroups"):
            homes |= {each.id for each in self._company.descendants(group.id)}
        found = {project.id: project for project in self._company.projects_of(homes)}
        if ask.flag("with_shared", default=True):
            found |= {project.id: project for project in self._shared_projects(homes)}
        rows = [found[number] for number in sorted(found) if chosen(ask, found[number])]
        if ask.params.get("pagination") == "keyset":
            return keyset_by_id(ask, rows, self._row(ask), descending=ask.params.get("sort", "desc") == "desc")
        return numbered(ask, in_order(ask, rows), self._row(ask), keyset_type="Project")

    def _row(self, ask: Ask) -> Callable[[Project], Json]:
        return (
            self._projects.basic if ask.flag("simple") else lambda project: self._projects.full(project, ask.visibility)
        )

    def _shared_projects(self, homes: set[int]) -> list[Project]:
        return [
            project
            for project in self._company.projects.values()
            if any(share.group_id in homes for share in project.shares)
        ]


def _id(group: Group) -> int:
    return group.id


_KEYS: dict[str, Callable[[Group], Any]] = {
    "id": _id,
    "name": lambda group: (group.name, group.id),
    "path": lambda group: (group.path, group.id),
}
