"""Repositories and merge requests as far as webhooks, builds and statuses need them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

NOTHING = "0" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit and the paths it touches; `renamed` goes from old path to new."""

    sha: str
    parents: tuple[str, ...]
    message: str
    author_id: int
    created: float
    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag; an annotated one is an object of its own with another sha than the commit's."""

    name: str
    sha: str
    commit: str
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Diff:
    """How one path differs between two commits."""

    old: str
    new: str
    kind: str


@dataclass(slots=True)
class Repository:
    """The commits of a project and the refs that point at them."""

    project_id: int
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)

    def history(self, sha: str | None) -> Iterator[Commit]:
        """The commit and everything before it, newest first along every line."""
        seen, waiting = set(), [sha] if sha else []
        while waiting:
            commit = self.commits.get(waiting.pop(0))
            if commit and commit.sha not in seen:
                seen.add(commit.sha)
                waiting += commit.parents
                yield commit

    def between(self, old: str | None, new: str | None) -> list[Commit]:
        """Commits that `new` has and `old` has not, oldest first."""
        known = {commit.sha for commit in self.history(old)}
        return [commit for commit in self.history(new) if commit.sha not in known][::-1]

    def tree(self, sha: str | None) -> set[str]:
        """The paths that exist at a commit."""
        paths: set[str] = set()
        for commit in reversed(list(self.history(sha))):
            paths |= {*commit.added, *commit.renamed.values()}
            paths -= {*commit.removed, *commit.renamed}
        return paths

    def resolve(self, name: str) -> str | None:
        """The commit that a branch, a tag or a sha (whole or its start) means; of one name the tag (git-rev-parse)."""
        tag = name.removeprefix("refs/tags/")
        if tag in self.tags:
            return self.tags[tag].commit
        branch = name.removeprefix("refs/heads/")
        if branch in self.branches:
            return self.branches[branch]
        found = [sha for sha in self.commits if len(name) > 6 and sha.startswith(name)]  # noqa: PLR2004 - git's short form
        return found[0] if found else None

    def branches_with(self, sha: str) -> list[str]:
        """The branches that contain a commit, by name."""
        return sorted(
            name for name, head in self.branches.items() if any(commit.sha == sha for commit in self.history(head))
        )


@dataclass(slots=True, kw_only=True)
class MergeRequest:
    """A merge request; `project_id` is the target's."""

    id: int
    iid: int
    project_id: int
    source_project_id: int
    source_branch: str
    target_branch: str
    title: str
    author_id: int
    sha: str
    created: float
    updated: float
    description: str = ""
    state: str = "opened"
    draft: bool = False
    labels: tuple[str, ...] = ()
    merge_commit: str | None = None
    merged: float | None = None
