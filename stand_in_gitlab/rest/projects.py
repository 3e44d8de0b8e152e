"""/projects: lists and one project."""

from collections.abc import Callable, Sequence
from typing import Any

from stand_in_gitlab.company.model import OWNER, Project
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.paging import keyset_by_id, numbered
from stand_in_gitlab.rest.project_shapes import ProjectShapes
from stand_in_gitlab.rest.refusals import not_allowed
from stand_in_gitlab.rest.shapes import Json

ORDERS = frozenset({"id", "name", "path", "created_at", "updated_at", "last_activity_at", "similarity", "star_count"})
SORTS = frozenset({"asc", "desc"})


class ProjectsApi:
    """Lists projects."""

    def __init__(self, company: Company, projects: ProjectShapes) -> None:
        self._company, self._projects = company, projects
        self._find = Finder(company)

    def many(self, ask: Ask) -> Answer:
        """GET /projects."""
        rows = [
            project
            for project in self._company.projects.values()
            if self._reached(ask, project) and chosen(ask, project)
        ]
        if ask.params.get("pagination") == "keyset":
            if ask.params.get("order_by") not in {None, "id"}:
                message = "Keyset pagination is not yet available for this type of request"
                raise not_allowed(message)
            return keyset_by_id(ask, rows, self.row(ask), descending=ask.choice("sort", SORTS, "desc") == "desc")
        return numbered(ask, in_order(ask, rows), self.row(ask), keyset_type="Project")

    @staticmethod
    def _reached(ask: Ask, project: Project) -> bool:
        own = ask.visibility.project_levels.get(project.id, 0)
        if ask.flag("owned") and own < OWNER:
            return False
        if ask.flag("membership") and not own:
            return False
        if ask.params.get("min_access_level"):
            return own >= ask.number("min_access_level", 0)
        return True

    def row(self, ask: Ask) -> Callable[[Project], Json]:
        """How a list shows a project."""
        return (
            self._projects.basic
            if ask.flag("simple")
            else lambda project: self._projects.with_access(project, ask.visibility)
        )

    def one(self, ask: Ask) -> Answer:
        """GET /projects/:id."""
        return reply(self._projects.detail(self._find.project(ask), ask.visibility))


def chosen(ask: Ask, project: Project) -> bool:
    """Whether the caller sees the project and its filters want it."""
    if not ask.visibility.sees_project(project.id):
        return False
    if ask.params.get("archived") and ask.flag("archived") != project.archived:
        return False
    visibility, search = ask.params.get("visibility"), (ask.params.get("search") or "").lower()
    if (visibility and project.visibility != visibility) or search not in f"{project.name} {project.path}".lower():
        return False
    return ask.between("last_activity", project.last_activity)


def in_order(ask: Ask, projects: Sequence[Project]) -> list[Project]:
    """The order the caller asked for; newest first otherwise."""
    order, sort = ask.choice("order_by", ORDERS, "created_at"), ask.choice("sort", SORTS, "desc")
    return sorted(projects, key=_KEYS.get(order, _KEYS["id"]), reverse=sort == "desc")


_KEYS: dict[str, Callable[[Project], Any]] = {
    "id": lambda project: project.id,
    "name": lambda project: (project.name, project.id),
    "path": lambda project: (project.path, project.id),
    "created_at": lambda project: (project.created, project.id),
    "updated_at": lambda project: (project.last_activity, project.id),
    "last_activity_at": lambda project: (project.last_activity, project.id),
}
