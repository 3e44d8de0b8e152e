"""Releases and comments: verbs of the control API that only tell hooks."""

from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.code import find_commit, merge_request_at, repository_of
from stand_in_gitlab.company.code_model import Commit, MergeRequest
from stand_in_gitlab.company.model import Project
from stand_in_gitlab.control.code_changes import Done
from stand_in_gitlab.payloads import others
from stand_in_gitlab.payloads.parts import Json, Parts
from stand_in_gitlab.webhooks.events import Event
from stand_in_gitlab.webhooks.sender import Sender


class OtherEvents:
    """Things that the stand-in keeps no rows of; each public method is a verb."""

    def __init__(self, parts: Parts, clock: Clock, sender: Sender) -> None:
        self._parts, self._company, self._clock, self._sender = parts, parts.company, clock, sender

    def release(self, project_id: int, tag: str, *, action: str = "create") -> Done:
        """Release a tag that is there."""
        project, number = self._company.projects[project_id], self._company.next_id("release")
        head = self._commit(project, tag)
        payload = others.release(self._parts, number, project, head, tag, action, self._clock.now())
        return self._told("release_hooks", project, number, payload)

    def note(
        self, project_id: int, text: str, *, iid: int | None = None, sha: str | None = None, user_id: int | None = None
    ) -> Done:
        """Comment on the merge request `iid`, or on a commit (the default branch's head)."""
        project, number = self._company.projects[project_id], self._company.next_id("note")
        user = self._parts.someone(user_id or project.creator_id)
        on: Commit | MergeRequest
        if iid is None:
            on = head = self._commit(project, sha or project.default_branch or "main")
        else:
            on = merge_request_at(self._company, project_id, iid)
            head = repository_of(self._company, project_id).commits[on.sha]
        payload = others.note(self._parts, number, project, user, text, on, head, self._clock.now())
        return self._told("note_hooks", project, number, payload)

    def _commit(self, project: Project, name: str) -> Commit:
        found = find_commit(self._company, project.id, name)
        if found is None:
            raise KeyError(name)
        return found

    def _told(self, trigger: str, project: Project, number: int, payload: Json) -> Done:
        event = Event(trigger=trigger, payload=payload, project_id=project.id)
        return {"id": number, "hooks": self._sender.publish([event])}
