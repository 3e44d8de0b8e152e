"""Branches, tags, commits, differences and merge requests as JSON."""

from stand_in_gitlab.clock import iso
from stand_in_gitlab.company.code import diffs, straight_diffs
from stand_in_gitlab.company.code_model import Commit, Diff, Repository, Tag
from stand_in_gitlab.company.model import DEVELOPER, MAINTAINER, Project
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.visibility import Visibility
from stand_in_gitlab.rest.shapes import Json

FILE = "100644"


class CodeShapes:
    """Presents what is in repositories; files have no text here, so neither have differences."""

    def __init__(self, company: Company, base: str) -> None:
        self._company, self._base = company, base

    def commit(self, project: Project, commit: Commit) -> Json:
        """A commit in a list, and inside other things."""
        author, written = self._company.users.get(commit.author_id) or self._company.users[1], iso(commit.created)
        return {
            "id": commit.sha,
            "short_id": commit.sha[:8],
            "created_at": written,
            "parent_ids": list(commit.parents),
            "title": commit.title,
            "message": commit.message,
            "author_name": author.name,
            "author_email": author.email,
            "authored_date": written,
            "committer_name": author.name,
            "committer_email": author.email,
            "committed_date": written,
            "trailers": {},
            "extended_trailers": {},
            "web_url": f"{self._base}/{project.full_path}/-/commit/{commit.sha}",
        }

    def commit_detail(self, project: Project, commit: Commit, now: float) -> Json:
        """One commit; its status is that of its newest pipeline that has begun."""
        found = [
            each
            for each in self._company.pipelines[project.id].values()
            if each.sha == commit.sha and each.created <= now
        ]
        newest = max(found, key=lambda each: each.id, default=None)
        touched = len(commit.added) + len(commit.modified) + len(commit.removed) + len(commit.renamed)
        return {
            **self.commit(project, commit),
            "stats": {"additions": touched, "deletions": 0, "total": touched},
            "status": None,
            "project_id": project.id,
            "last_pipeline": None if newest is None else {"id": newest.id, "sha": newest.sha, "ref": newest.ref},
        }

    def branch(self, project: Project, repository: Repository, name: str, visibility: Visibility) -> Json:
        """A branch; only the default one is protected."""
        default, level = name == project.default_branch, visibility.project_level(project.id)
        return {
            "name": name,
            "merged": False,
            "protected": default,
            "default": default,
            "developers_can_push": False,
            "developers_can_merge": False,
            "can_push": level >= (MAINTAINER if default else DEVELOPER),
            "web_url": f"{self._base}/{project.full_path}/-/tree/{name}",
            "commit": self.commit(project, repository.commits[repository.branches[name]]),
        }

    def tag(self, project: Project, repository: Repository, tag: Tag) -> Json:
        """A tag; `target` is the tag's own object if it is annotated."""
        commit = repository.commits[tag.commit]
        return {
            "name": tag.name,
            "message": tag.message or "",
            "target": tag.sha,
            "commit": self.commit(project, commit),
            "release": None,
            "protected": False,
            "created_at": iso(commit.created) if tag.message else None,
        }

    def diff(self, diff: Diff) -> Json:
        """One path that differs."""
        return {
            "diff": "",
            "collapsed": False,
            "too_large": False,
            "new_path": diff.new,
            "old_path": diff.old,
            "a_mode": "0" if diff.kind == "added" else FILE,
            "b_mode": "0" if diff.kind == "removed" else FILE,
            "new_file": diff.kind == "added",
            "renamed_file": diff.kind == "renamed",
            "deleted_file": diff.kind == "removed",
            "generated_file": None,
        }

    def comparison(self, project: Project, repository: Repository, old: str, new: str, *, straight: bool) -> Json:
        """Two refs side by side, oldest commit first."""
        commits, compare = repository.between(old, new), straight_diffs if straight else diffs
        return {
            "commit": self.commit(project, commits[-1]) if commits else None,
            "commits": [self.commit(project, each) for each in commits],
            "diffs": [self.diff(each) for each in compare(repository, old, new)],
            "compare_timeout": False,
            "compare_same_ref": old == new,
            "web_url": f"{self._base}/{project.full_path}/-/compare/{old}...{new}",
        }
