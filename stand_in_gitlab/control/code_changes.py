"""What people do with code: verbs of the control API that move refs and tell hooks."""

from collections.abc import Sequence
from typing import Any

from stand_in_gitlab.ci.history import add_pipeline
from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.code import commit, repository_of, tagged, touching
from stand_in_gitlab.company.code_model import NOTHING, Repository
from stand_in_gitlab.company.model import Project, User
from stand_in_gitlab.control.followers import Followers
from stand_in_gitlab.control.moves import Move, Mover
from stand_in_gitlab.payloads.parts import Parts

Done = dict[str, Any]
SKIP = "\n\n[skip ci]"


class CodeChanges:
    """Pushes of branches and tags; each public method is a verb of `POST /__standin__/changes`."""

    def __init__(self, parts: Parts, clock: Clock, mover: Mover, followers: Followers, jobs: int) -> None:
        self._company, self._parts, self._clock, self._jobs = parts.company, parts, clock, jobs
        self._mover, self._followers = mover, followers

    def push(
        self,
        project_id: int,
        branch: str | None = None,
        *,
        commits: Sequence[dict[str, Any]] | int | None = None,
        files: Sequence[str] = (),
        message: str = "",
        start: str | None = None,
        force_to: str | None = None,
        branches: Sequence[str] = (),
        delete: bool = False,
        skip_ci: bool = False,
        push_options: dict[str, Any] | None = None,
        user_id: int | None = None,
        pipeline: bool = False,
    ) -> Done:
        """Push to a branch, or to several at once.

        `commits` lists `{message, added, modified, removed, renamed}` or says how many there are; `files` is one
        commit that writes these paths; neither creates the branch at `start` without a commit. A branch that is not
        there begins at `start` (the default branch); `force_to` sets the branch to another commit, to go on from there.
        `pipeline` starts one at the new head.
        """
        project, repository = self._company.projects[project_id], repository_of(self._company, project_id)
        user = self._parts.someone(user_id or project.creator_id)
        names = list(branches) or [branch or project.default_branch or "main"]
        if delete:
            moves = [Move(f"refs/heads/{name}", repository.branches.pop(name), NOTHING, ()) for name in names]
        else:
            wanted = _wanted(commits, message, skip_ci=skip_ci)
            forced = repository.resolve(force_to) if force_to else None
            first = forced or repository.branches.get(names[0]) or self._start(repository, project, start)
            message = f"{message or 'Change'}{SKIP}" if skip_ci else message
            head = self._written(repository, first, wanted, files, message, user)
            moves = [self._moved(repository, project, name, head) for name in names]
            project.default_branch = project.default_branch or names[0]
        done = self._announced(project, user, moves, push_options)
        if pipeline and not delete:
            done["pipeline_id"] = self._pipeline(project, names[0], moves[0].after, user).id
        return done

    def _announced(self, project: Project, user: User, moves: list[Move], options: dict[str, Any] | None) -> Done:
        followers = [each for move in moves for each in self._followers.of(project, user, move)]
        sent, first = self._mover.announce(project, user, moves, options, followers), moves[0]
        done: Done = {"before": first.before, "after": first.after, "ref": first.ref, "hooks": sent}
        return {**done, "sha": first.checkout or first.after, "commits": [each.sha for each in first.commits]}

    def _start(self, repository: Repository, project: Project, start: str | None) -> str | None:
        return repository.resolve(start) if start else repository.branches.get(project.default_branch or "")

    def _written(
        self,
        repository: Repository,
        head: str | None,
        wanted: Sequence[dict[str, Any]],
        files: Sequence[str],
        message: str,
        user: User,
    ) -> str:
        todo = [*wanted, *([touching(repository, head, files, message)] if files else [])]
        for each in todo:
            head = commit(self._company, repository, head, each, user.id, self._clock.now()).sha
        if head is None:
            msg = "an empty repository has nothing to push without commits"
            raise ValueError(msg)
        return head

    def _moved(self, repository: Repository, project: Project, name: str, head: str) -> Move:
        """Move a branch; listed is what it had not, or what the default branch has not if it is new.

        app/services/git/branch_hooks_service.rb. Nothing in it says that a push was forced.
        """
        before = repository.branches.get(name, NOTHING)
        known = repository.branches.get(project.default_branch or "") if before == NOTHING else before
        commits = repository.between(known, head)
        repository.branches[name] = head
        return Move(f"refs/heads/{name}", before, head, tuple(commits))

    def _pipeline(self, project: Project, branch: str, sha: str, user: User) -> Any:
        made = add_pipeline(self._company, project, round(self._clock.now(), 6), self._jobs)
        for each in [made, *([made.child] if made.child else [])]:
            each.sha, each.ref, each.tag, each.user_id = sha, branch, False, user.id
        made.source = "push"
        return made

    def push_tag(
        self,
        project_id: int,
        tag: str | None = None,
        *,
        ref: str | None = None,
        message: str | None = None,
        tags: Sequence[str] = (),
        delete: bool = False,
        push_options: dict[str, Any] | None = None,
        user_id: int | None = None,
    ) -> Done:
        """Tag a commit, with a `message` as an annotated tag; several `tags` in one push, or delete them."""
        project, repository = self._company.projects[project_id], repository_of(self._company, project_id)
        user, names = self._parts.someone(user_id or project.creator_id), [*tags, *([tag] if tag else [])]
        moves = []
        for name in names:
            old = repository.tags.pop(name, None)
            before = old.sha if old else NOTHING
            if delete:
                moves.append(Move(f"refs/tags/{name}", before, NOTHING, ()))
                continue
            sha = repository.resolve(ref or project.default_branch or "")
            made = tagged(self._company, repository, name, sha or "", message)
            head = repository.commits[made.commit]
            moves.append(Move(f"refs/tags/{name}", before, made.sha, (head,), checkout=made.commit, message=message))
        return self._announced(project, user, moves, push_options)


def _wanted(commits: Sequence[dict[str, Any]] | int | None, message: str, *, skip_ci: bool) -> list[dict[str, Any]]:
    """The commits to write; `skip ci` belongs to the last one, which is the one GitLab reads."""
    if commits is None:
        return []
    if isinstance(commits, int):
        commits = [{"message": message, "added": [f"notes/{number}.md"]} for number in range(commits)]
    wanted = [dict(each) for each in commits]
    if skip_ci and wanted:
        wanted[-1]["message"] = f"{wanted[-1].get('message') or 'Change'}{SKIP}"
    return wanted
