"""Merge requests of a project."""

from collections.abc import Iterator

from stand_in_gitlab.ci.external import pipelines_of
from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.clock import iso, iso_or_none
from stand_in_gitlab.company.code import diffs, repository_of
from stand_in_gitlab.company.code_model import MergeRequest, Repository
from stand_in_gitlab.company.model import Project
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.ci_shapes import CiShapes
from stand_in_gitlab.rest.code_shapes import CodeShapes
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.paging import numbered
from stand_in_gitlab.rest.refusals import not_found
from stand_in_gitlab.rest.repository import code_project
from stand_in_gitlab.rest.router import Route
from stand_in_gitlab.rest.shapes import Json, Shapes

UNUSED: Json = {
    "upvotes": 0,
    "downvotes": 0,
    "assignees": [],
    "assignee": None,
    "reviewers": [],
    "milestone": None,
    "merge_when_pipeline_succeeds": False,
    "user_notes_count": 0,
    "should_remove_source_branch": None,
    "force_remove_source_branch": False,
    "squash": False,
}


class MergeRequestsApi:
    """Lists merge requests, shows one, and what it changes."""

    def __init__(
        self, company: Company, shapes: Shapes, code: CodeShapes, base: str, *, ci: CiShapes, view: CiView
    ) -> None:
        self._company, self._shapes, self._code, self._base = company, shapes, code, base
        self._ci, self._view = ci, view
        self._find = Finder(company)

    def routes(self) -> Iterator[Route]:
        """Where these are."""
        here = "/projects/*/merge_requests"
        yield "GET", here, self.many
        yield "GET", f"{here}/*", self.one
        yield "GET", f"{here}/*/diffs", self.diffs
        yield "GET", f"{here}/*/commits", self.commits
        yield "GET", f"{here}/*/pipelines", self.pipelines

    def many(self, ask: Ask) -> Answer:
        """GET …/merge_requests, newest first, by `state` and branches."""
        project = code_project(self._find, ask)
        rows = [mr for mr in reversed(self._company.merge_requests[project.id].values()) if _wanted(ask, mr)]
        return numbered(ask, rows, lambda mr: self.row(project, mr))

    def one(self, ask: Ask) -> Answer:
        """GET …/merge_requests/:iid."""
        project, mr, repository = self._named(ask)
        count = len(diffs(repository, self._base_of(repository, mr), mr.sha))
        return reply({**self.row(project, mr), **self._detail(repository, mr, ask.now), "changes_count": str(count)})

    def diffs(self, ask: Ask) -> Answer:
        """GET …/merge_requests/:iid/diffs."""
        _, mr, repository = self._named(ask)
        return numbered(ask, diffs(repository, self._base_of(repository, mr), mr.sha), self._code.diff)

    def commits(self, ask: Ask) -> Answer:
        """GET …/merge_requests/:iid/commits, newest first."""
        project, mr, repository = self._named(ask)
        rows = repository.between(self._base_of(repository, mr), mr.sha)[::-1]
        return numbered(ask, rows, lambda each: self._code.commit(project, each))

    def pipelines(self, ask: Ask) -> Answer:
        """GET …/merge_requests/:iid/pipelines, its own ones first."""
        project, mr, _ = self._named(ask)
        rows = pipelines_of(self._company, mr)
        return numbered(
            ask, rows, lambda each: self._ci.pipeline_row(*self._view.pipeline(project.id, each.id, ask.now))
        )

    def _named(self, ask: Ask) -> tuple[Project, MergeRequest, Repository]:
        project = code_project(self._find, ask)
        mr = self._company.merge_requests[project.id].get(ask.integer(ask.names[1], "merge_request_iid"))
        if mr is None:
            raise not_found()
        return project, mr, repository_of(self._company, project.id)

    @staticmethod
    def _base_of(repository: Repository, mr: MergeRequest) -> str | None:
        """What the target was before: a merged request is compared with its merge commit's first parent."""
        if mr.merge_commit:
            return repository.commits[mr.merge_commit].parents[0]
        return repository.branches.get(mr.target_branch)

    def row(self, project: Project, mr: MergeRequest) -> Json:
        """A row of a list."""
        author = self._company.users.get(mr.author_id)
        status = "can_be_merged" if mr.state == "opened" else "unchecked"
        return {
            "id": mr.id,
            "iid": mr.iid,
            "project_id": mr.project_id,
            "title": mr.title,
            "description": mr.description,
            "state": mr.state,
            "created_at": iso(mr.created),
            "updated_at": iso(mr.updated),
            "target_branch": mr.target_branch,
            "source_branch": mr.source_branch,
            "author": self._shapes.user_basic(author) if author else None,
            "source_project_id": mr.source_project_id,
            "target_project_id": mr.project_id,
            "labels": list(mr.labels),
            "draft": mr.draft,
            "work_in_progress": mr.draft,
            "merge_status": status,
            "detailed_merge_status": "draft_status" if mr.draft else "mergeable",
            "sha": mr.sha,
            "merge_commit_sha": mr.merge_commit,
            "merged_at": iso_or_none(mr.merged),
            "web_url": f"{self._base}/{project.full_path}/-/merge_requests/{mr.iid}",
            **UNUSED,
        }

    def _detail(self, repository: Repository, mr: MergeRequest, now: float) -> Json:
        base, start = self._base_of(repository, mr), repository.branches.get(mr.target_branch)
        common = next((each.sha for each in repository.history(base) if _has(repository, mr.sha, each.sha)), None)
        head = next((each for each in pipelines_of(self._company, mr) if mr.sha in {each.sha, each.source_sha}), None)
        shown = self._ci.pipeline(*self._view.pipeline(mr.project_id, head.id, now)) if head else None
        return {"diff_refs": {"base_sha": common, "head_sha": mr.sha, "start_sha": start}, "head_pipeline": shown}


def _has(repository: Repository, head: str, sha: str) -> bool:
    return any(each.sha == sha for each in repository.history(head))


def _wanted(ask: Ask, mr: MergeRequest) -> bool:
    if ask.params.get("state", "all") not in {"all", mr.state}:
        return False
    return all(ask.params.get(name, value) == value for name, value in _branches(mr).items())


def _branches(mr: MergeRequest) -> dict[str, str]:
    return {"source_branch": mr.source_branch, "target_branch": mr.target_branch}
