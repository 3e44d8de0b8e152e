"""What builds ask of a repository: refs, commits and what changed between them."""

from collections.abc import Iterator

from stand_in_gitlab.company.code import diffs, find_commit, repository_of
from stand_in_gitlab.company.code_model import Commit, Repository
from stand_in_gitlab.company.model import REPORTER, Project
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.code_shapes import CodeShapes
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.paging import numbered
from stand_in_gitlab.rest.refusals import bad_request, forbidden, not_found
from stand_in_gitlab.rest.router import Route


def code_project(find: Finder, ask: Ask) -> Project:
    """The project, if the caller may read its code: Reporters, and everyone where it is not private."""
    project = find.project(ask)
    if project.visibility == "private" and ask.visibility.project_level(project.id) < REPORTER:
        raise forbidden()
    return project


class RepositoryApi:
    """Branches, tags, commits and comparisons."""

    def __init__(self, company: Company, shapes: CodeShapes) -> None:
        self._company, self._shapes = company, shapes
        self._find = Finder(company)

    def routes(self) -> Iterator[Route]:
        """Where these are."""
        here = "/projects/*/repository"
        yield "GET", f"{here}/branches", self.branches
        yield "GET", f"{here}/branches/*", self.branch
        yield "GET", f"{here}/tags", self.tags
        yield "GET", f"{here}/tags/*", self.tag
        yield "GET", f"{here}/commits", self.commits
        yield "GET", f"{here}/commits/*", self.commit
        yield "GET", f"{here}/commits/*/diff", self.diff
        yield "GET", f"{here}/compare", self.compare

    def branches(self, ask: Ask) -> Answer:
        """GET …/branches, by name; `search` takes `^begin` and `end$` too."""
        project, repository = self._repository(ask)
        names = [name for name in sorted(repository.branches) if _matches(name, ask.params.get("search") or "")]
        return numbered(ask, names, lambda name: self._shapes.branch(project, repository, name, ask.visibility))

    def branch(self, ask: Ask) -> Answer:
        """GET …/branches/:branch."""
        project, repository = self._repository(ask)
        if ask.names[1] not in repository.branches:
            raise not_found("Branch")
        return reply(self._shapes.branch(project, repository, ask.names[1], ask.visibility))

    def tags(self, ask: Ask) -> Answer:
        """GET …/tags, newest first."""
        project, repository = self._repository(ask)
        rows = [tag for tag in reversed(repository.tags.values()) if _matches(tag.name, ask.params.get("search") or "")]
        return numbered(ask, rows, lambda tag: self._shapes.tag(project, repository, tag))

    def tag(self, ask: Ask) -> Answer:
        """GET …/tags/:tag_name."""
        project, repository = self._repository(ask)
        if ask.names[1] not in repository.tags:
            raise not_found("Tag")
        return reply(self._shapes.tag(project, repository, repository.tags[ask.names[1]]))

    def commits(self, ask: Ask) -> Answer:
        """GET …/commits of `ref_name`, newest first."""
        project, repository = self._repository(ask)
        head = repository.resolve(ask.params.get("ref_name") or project.default_branch or "")
        return numbered(ask, list(repository.history(head)), lambda each: self._shapes.commit(project, each))

    def commit(self, ask: Ask) -> Answer:
        """GET …/commits/:sha, which may be a branch or a tag."""
        project = code_project(self._find, ask)
        return reply(self._shapes.commit_detail(project, self._commit(project, ask), ask.now))

    def diff(self, ask: Ask) -> Answer:
        """GET …/commits/:sha/diff."""
        project, repository = self._repository(ask)
        commit = self._commit(project, ask)
        rows = diffs(repository, next(iter(commit.parents), None), commit.sha)
        return numbered(ask, rows, self._shapes.diff)

    def compare(self, ask: Ask) -> Answer:
        """GET …/compare?from=&to=: what `to` has since it left `from`; with `straight` how the two differ."""
        project, repository = self._repository(ask)
        for name in ("from", "to"):
            if not ask.params.get(name):
                raise bad_request(f"{name} is missing")
        old, new = (repository.resolve(ask.params[name]) for name in ("from", "to"))
        if old is None or new is None:
            raise not_found("Ref")
        return reply(self._shapes.comparison(project, repository, old, new, straight=ask.flag("straight")))

    def _repository(self, ask: Ask) -> tuple[Project, Repository]:
        project = code_project(self._find, ask)
        return project, repository_of(self._company, project.id)

    def _commit(self, project: Project, ask: Ask) -> Commit:
        commit = find_commit(self._company, project.id, ask.names[1])
        if commit is None:
            raise not_found("Commit")
        return commit


def _matches(name: str, search: str) -> bool:
    if search.startswith("^"):
        return name.startswith(search[1:])
    return name.endswith(search[:-1]) if search.endswith("$") else search in name
