"""What people do with merge requests: verbs of the control API."""

from collections.abc import Sequence
from typing import Any

from stand_in_gitlab.ci.history import bare_pipeline
from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.code import commit, merge_request_at, repository_of
from stand_in_gitlab.company.code_model import MergeRequest
from stand_in_gitlab.company.estate import add_project
from stand_in_gitlab.company.grants import enrol
from stand_in_gitlab.company.model import OWNER, User
from stand_in_gitlab.control.code_changes import CodeChanges, Done
from stand_in_gitlab.control.followers import Followers
from stand_in_gitlab.control.moves import Move, Mover
from stand_in_gitlab.payloads.merge_request import label
from stand_in_gitlab.payloads.parts import Parts, utc
from stand_in_gitlab.webhooks.events import Event
from stand_in_gitlab.webhooks.sender import Sender

DRAFT = "Draft: "
STATES = {"close": "closed", "reopen": "opened", "merge": "merged"}
ACTIONS = frozenset({"update", *STATES, "approved", "unapproved", "approval", "unapproval"})


class MergeRequests:
    """Opens and changes merge requests, also from forks; each public method is a verb of the control API."""

    def __init__(
        self, parts: Parts, clock: Clock, code: CodeChanges, mover: Mover, followers: Followers, sender: Sender
    ) -> None:
        self._company, self._parts, self._clock = parts.company, parts, clock
        self._code, self._mover, self._followers, self._sender = code, mover, followers, sender

    def fork_project(self, project_id: int, user_id: int) -> Done:
        """Fork a project into a person's own namespace, with the code it has now."""
        origin, number = self._company.projects[project_id], self._company.next_id("project")
        fork = add_project(self._company, number, f"{origin.path}-fork-{number}", None, self._company.users[user_id].id)
        fork.forked_from, fork.default_branch, fork.visibility = origin.id, origin.default_branch, origin.visibility
        fork.created = fork.last_activity = round(self._clock.now(), 6)
        enrol(self._company, "project", fork.id, user_id, OWNER)
        repository_of(self._company, fork.id)
        return {"id": fork.id, "path_with_namespace": fork.full_path}

    def open_merge_request(
        self,
        project_id: int,
        source_branch: str,
        *,
        source_project_id: int | None = None,
        user_id: int | None = None,
        files: Sequence[str] = (),
        commits: Sequence[dict[str, Any]] | int | None = None,
        **fields: Any,
    ) -> Done:
        """Open a merge request; `files` or `commits` are pushed to its branch before, as `push` does.

        `fields` are `target_branch`, `title`, `description`, `draft` and `labels`.
        """
        source_id = source_project_id or project_id
        source = repository_of(self._company, source_id)
        user = self._parts.someone(user_id or self._company.projects[source_id].creator_id)
        if files or commits or source_branch not in source.branches:
            self._code.push(source_id, source_branch, user_id=user.id, files=files, commits=commits)
        mr = self._new(project_id, source_id, source_branch, source.branches[source_branch], user)
        self._changed(mr, fields)
        self._company.merge_requests[project_id][mr.iid] = mr
        self._followers.fetch(mr)
        return self._told(mr, [self._followers.tell(mr, user, "open")])

    def _new(self, project_id: int, source_id: int, branch: str, sha: str, user: User) -> MergeRequest:
        now = round(self._clock.now(), 3)
        return MergeRequest(
            id=self._company.next_id("merge request"),
            iid=self._company.next_id(f"merge request of {project_id}"),
            project_id=project_id,
            source_project_id=source_id,
            source_branch=branch,
            target_branch=self._company.projects[project_id].default_branch or "main",
            title=f"Merge {branch}",
            author_id=user.id,
            sha=sha,
            created=now,
            updated=now,
        )

    def update_merge_request(
        self,
        project_id: int,
        iid: int,
        *,
        action: str = "update",
        user_id: int | None = None,
        files: Sequence[str] = (),
        commits: Sequence[dict[str, Any]] | int | None = None,
        **fields: Any,
    ) -> Done:
        """Push to its branch (`files`, `commits`), or change title, description, draft, labels or target_branch.

        `action` closes, reopens, merges or approves it.
        """
        if action not in ACTIONS:
            raise ValueError(f"action must be one of {', '.join(sorted(ACTIONS))}")
        mr = merge_request_at(self._company, project_id, iid)
        user = self._parts.someone(user_id or mr.author_id)
        if files or commits:
            done = self._code.push(
                mr.source_project_id, mr.source_branch, files=files, commits=commits, user_id=user.id
            )
            return {**self._told(mr, []), "before": done["before"], "hooks": done["hooks"]}
        before, changes = mr.updated, self._changed(mr, fields)
        mr.updated, mr.state = round(self._clock.now(), 3), STATES.get(action, mr.state)
        changes["updated_at"] = {"previous": utc(before), "current": utc(mr.updated)}
        events = list(self._merged(mr, user)) if action == "merge" else []
        return self._told(mr, [*events, self._followers.tell(mr, user, action, changes=changes)])

    def start_merge_request_pipeline(self, project_id: int, iid: int, *, merged: bool = False) -> Done:
        """Start a pipeline of a merge request, for its head or (`merged`) for the result of merging it."""
        mr, project = merge_request_at(self._company, project_id, iid), self._company.projects[project_id]
        made = bare_pipeline(self._company, project, self._clock.now())
        made.source, made.sha, made.ref = "merge_request_event", mr.sha, f"refs/merge-requests/{iid}/head"
        if merged:
            repository = repository_of(self._company, project_id)
            wanted = {"message": f"Merge {mr.sha}", "second_parent": mr.sha}
            target = repository.branches[mr.target_branch]
            result = commit(self._company, repository, target, wanted, mr.author_id, self._clock.now())
            made.sha, made.source_sha, made.ref = result.sha, mr.sha, f"refs/merge-requests/{iid}/merge"
        return {"id": made.id, "sha": made.sha, "ref": made.ref}

    def _changed(self, mr: MergeRequest, fields: dict[str, Any]) -> dict[str, Any]:
        """Apply the fields; returns previous and current values as GitLab tells them."""
        unknown = set(fields) - {"title", "description", "draft", "labels", "target_branch"}
        if unknown:
            raise ValueError(f"a merge request has no {', '.join(sorted(unknown))} to change")
        if "draft" in fields:
            fields["title"] = _titled(str(fields.get("title", mr.title)), draft=bool(fields["draft"]))
        changes: dict[str, Any] = {}
        for name, value in fields.items():
            new, old = tuple(value) if name == "labels" else value, getattr(mr, name)
            if new != old:
                changes[name] = {"previous": _shown(mr, name, old), "current": _shown(mr, name, new)}
                setattr(mr, name, new)
        return changes

    def _merged(self, mr: MergeRequest, user: User) -> list[Event]:
        """A merge commit on the target branch, and the push that it is."""
        repository = repository_of(self._company, mr.project_id)
        before = repository.branches[mr.target_branch]
        wanted = {"message": f"Merge branch '{mr.source_branch}' into '{mr.target_branch}'", "second_parent": mr.sha}
        made = commit(self._company, repository, before, wanted, user.id, self._clock.now())
        repository.branches[mr.target_branch] = mr.merge_commit = made.sha
        mr.merged = mr.updated
        arrived = tuple(repository.between(before, made.sha))
        move = Move(f"refs/heads/{mr.target_branch}", before, made.sha, arrived)
        return list(self._mover.events(self._company.projects[mr.project_id], user, [move], None))

    def _told(self, mr: MergeRequest, events: Sequence[Event]) -> Done:
        hooks = self._sender.publish(events)
        return {"id": mr.id, "iid": mr.iid, "sha": mr.sha, "merge_commit_sha": mr.merge_commit, "hooks": hooks}


def _titled(title: str, *, draft: bool) -> str:
    """GitLab keeps drafts apart by their title."""
    bare = title.removeprefix(DRAFT)
    return f"{DRAFT}{bare}" if draft else bare


def _shown(mr: MergeRequest, name: str, value: Any) -> Any:
    return [label(mr, title) for title in value] if name == "labels" else value
