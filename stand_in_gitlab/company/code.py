"""Writes code: repositories with a deterministic past, new commits, and merge requests."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from stand_in_gitlab.clock import DAY
from stand_in_gitlab.company.code_model import Commit, Diff, MergeRequest, Repository, Tag
from stand_in_gitlab.company.prng import token_hex
from stand_in_gitlab.company.state import Company

FIRST = (("Begin", ("README.md", ".gitlab-ci.yml")), ("Add the service", ("src/service.py", "src/__init__.py")))
PARTS = ("added", "modified", "removed", "renamed")


def repository_of(company: Company, project_id: int) -> Repository:
    """The project's repository; one that nobody asked for before gets its first commits now."""
    if project_id not in company.repositories:
        company.repositories[project_id] = _found(company, project_id)
    return company.repositories[project_id]


def _found(company: Company, project_id: int) -> Repository:
    project, repository = company.projects[project_id], Repository(project_id)
    if project.forked_from in company.projects:
        origin = repository_of(company, project.forked_from or 0)
        repository.commits.update(origin.commits)
        repository.branches.update(origin.branches)
        return repository
    if project.default_branch is None:
        return repository
    head: str | None = None
    for age, (message, paths) in zip((30, 20), FIRST, strict=True):
        wanted = {"message": message, "added": paths}
        head = commit(company, repository, head, wanted, project.creator_id, company.epoch - age * DAY).sha
    repository.branches[project.default_branch] = head or ""
    return repository


def commit(
    company: Company, repository: Repository, parent: str | None, wanted: Mapping[str, Any], user_id: int, now: float
) -> Commit:
    """Put a commit on top of another; its sha follows from the seed, the project and its number there."""
    number = company.next_id(f"commit of {repository.project_id}")
    parts: dict[str, Any] = {name: tuple(wanted.get(name, ())) for name in PARTS if name != "renamed"}
    parents = tuple(filter(None, (parent, wanted.get("second_parent"))))
    made = Commit(
        sha=token_hex(company.seed, "commit", repository.project_id, number, digits=40),
        parents=parents,
        message=str(wanted.get("message") or f"Change number {number}"),
        author_id=user_id,
        created=round(now, 3),
        renamed=dict(wanted.get("renamed", {})),
        **parts,
    )
    repository.commits[made.sha] = made
    return made


def touching(repository: Repository, head: str | None, files: Iterable[str], message: str) -> dict[str, Any]:
    """A commit that writes these files: added where they are new, modified where they are not."""
    known, paths = repository.tree(head), list(files)
    return {
        "message": message,
        "added": [path for path in paths if path not in known],
        "modified": [path for path in paths if path in known],
    }


def tagged(company: Company, repository: Repository, name: str, sha: str, message: str | None) -> Tag:
    """Tag a commit; with a message the tag is annotated and has a sha of its own."""
    own = token_hex(company.seed, "tag", repository.project_id, name, sha, digits=40) if message else sha
    repository.tags[name] = Tag(name=name, sha=own, commit=sha, message=message)
    return repository.tags[name]


def diffs(repository: Repository, old: str | None, new: str | None) -> list[Diff]:
    """What changed from the common ancestor to `new`, path by path."""
    found: dict[str, Diff] = {}
    for each in repository.between(old, new):
        for path in each.added:
            found[path] = Diff(path, path, "added")
        for path in each.modified:
            found.setdefault(path, Diff(path, path, "modified"))
        for path in each.removed:
            known = found.pop(path, None)
            if known is None or known.kind != "added":
                found[path] = Diff(path, path, "removed")
        for before, after in each.renamed.items():
            found.pop(before, None)
            found[after] = Diff(before, after, "renamed")
    return sorted(found.values(), key=lambda each: each.new)


def straight_diffs(repository: Repository, old: str, new: str) -> list[Diff]:
    """How two commits differ as they are, path by path, whether or not one leads to the other."""
    before, after = _contents(repository, old), _contents(repository, new)
    left = {path for path in before if path not in after}
    found = []
    for path, content in after.items():
        if path in before:
            found += [Diff(path, path, "modified")] if before[path] != content else []
            continue
        source = next((gone for gone in sorted(left) if before[gone] == content), None)
        left.discard(source or "")
        found.append(Diff(source, path, "renamed") if source else Diff(path, path, "added"))
    found += [Diff(path, path, "removed") for path in left]
    return sorted(found, key=lambda each: each.new)


def _contents(repository: Repository, sha: str) -> dict[str, str]:
    """What every path holds at a commit: who wrote it where stands for its text, which a new name keeps."""
    found: dict[str, str] = {}
    for each in reversed(list(repository.history(sha))):
        found |= {path: f"{each.sha} {path}" for path in (*each.added, *each.modified)}
        for before, after in each.renamed.items():
            found[after] = found.pop(before, f"{each.sha} {after}")
        for path in each.removed:
            found.pop(path, None)
    return found


def find_commit(company: Company, project_id: int, sha: str) -> Commit | None:
    """A commit of the project; those of its pipelines exist too, although no branch leads there."""
    repository = repository_of(company, project_id)
    known = repository.commits.get(repository.resolve(sha) or "")
    if known:
        return known
    for pipeline in company.pipelines[project_id].values():
        if pipeline.sha == sha:
            title = f"Change number {pipeline.iid}\n"
            author = pipeline.user_id if pipeline.user_id in company.users else 1
            return Commit(sha=sha, parents=(), message=title, author_id=author, created=pipeline.created - 60)
    return None


def adopt(repository: Repository, origin: Repository, sha: str) -> None:
    """Take over a fork's commits, as GitLab does for a merge request's head."""
    for each in origin.history(sha):
        repository.commits.setdefault(each.sha, each)


def merge_request_at(company: Company, project_id: int, iid: int) -> MergeRequest:
    """One merge request; KeyError if there is none."""
    return company.merge_requests[project_id][iid]


def refs(company: Company) -> Iterable[dict[str, object]]:
    """Every branch and tag that anyone looked at, for the control API."""
    for repository in company.repositories.values():
        row: dict[str, object] = {"project_id": repository.project_id}
        yield from (row | {"ref": f"refs/heads/{name}", "sha": sha} for name, sha in repository.branches.items())
        for tag in repository.tags.values():
            yield row | {"ref": f"refs/tags/{tag.name}", **asdict(tag)}
