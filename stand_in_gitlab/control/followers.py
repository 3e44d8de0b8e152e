"""Merge requests follow their branch: a push to it changes their code."""

from collections.abc import Iterator

from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.code import adopt, repository_of
from stand_in_gitlab.company.code_model import NOTHING, MergeRequest
from stand_in_gitlab.company.model import Project, User
from stand_in_gitlab.control.moves import Move
from stand_in_gitlab.payloads.merge_request import merge_request
from stand_in_gitlab.payloads.parts import Parts
from stand_in_gitlab.webhooks.events import Event


class Followers:
    """Moves open merge requests along, and says so."""

    def __init__(self, parts: Parts, clock: Clock) -> None:
        self._parts, self._clock = parts, clock

    def of(self, project: Project, user: User, move: Move) -> Iterator[Event]:
        """One `update` with `oldrev` for each open merge request from the branch that moved."""
        branch = move.ref.removeprefix("refs/heads/")
        if NOTHING in {move.before, move.after} or branch == move.ref:
            return
        for requests in self._parts.company.merge_requests.values():
            for mr in requests.values():
                if (mr.source_project_id, mr.source_branch, mr.state) == (project.id, branch, "opened"):
                    mr.sha, mr.updated = move.after, round(self._clock.now(), 3)
                    self.fetch(mr)
                    yield self.tell(mr, user, "update", oldrev=move.before)

    def fetch(self, mr: MergeRequest) -> None:
        """Take the head of a fork over into the target's repository."""
        company = self._parts.company
        adopt(repository_of(company, mr.project_id), repository_of(company, mr.source_project_id), mr.sha)

    def tell(
        self,
        mr: MergeRequest,
        user: User,
        action: str,
        *,
        oldrev: str | None = None,
        changes: dict[str, object] | None = None,
    ) -> Event:
        """The event of a merge request, which belongs to the target project."""
        head = repository_of(self._parts.company, mr.project_id).commits[mr.sha]
        payload = merge_request(self._parts, mr, user, head, action, oldrev=oldrev, changes=changes)
        return Event(trigger="merge_request_hooks", payload=payload, project_id=mr.project_id)
