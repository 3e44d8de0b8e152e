"""Finds what a path names; what the caller may not see is not there."""

from stand_in_gitlab.company.model import Group, Project
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.ask import Ask
from stand_in_gitlab.rest.refusals import forbidden, moved, not_found


class Finder:
    """Looks groups and projects up with the caller's eyes."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def group(self, ask: Ask) -> Group:
        """The group in the path, or 404."""
        group = self._company.group_at(ask.names[0])
        if group is None or not ask.visibility.sees_group(group.id):
            raise not_found("Group")
        return group

    def project(self, ask: Ask) -> Project:
        """The project in the path, or 404; one that has moved is elsewhere (lib/api/helpers.rb, `find_project!`)."""
        project = self._company.project_at(ask.names[0])
        former = None if project else self._company.former_paths.get(ask.names[0])
        if former is not None and ask.visibility.sees_project(former):
            raise moved(ask.base, former, reads=ask.method == "GET")
        if project is None or not ask.visibility.sees_project(project.id):
            raise not_found("Project")
        return project

    def owned_group(self, ask: Ask, level: int) -> Group:
        """The group, if the caller has this level in it; else 403."""
        group = self.group(ask)
        if ask.visibility.group_level(group.id) < level:
            raise forbidden()
        return group

    def kept_project(self, ask: Ask, level: int) -> Project:
        """The project, if the caller has this level in it; else 403."""
        project = self.project(ask)
        if ask.visibility.project_level(project.id) < level:
            raise forbidden()
        return project
