"""Commit statuses as GitLab's state machine moves them (`Ci::CreateCommitStatusService`)."""

from math import inf

from stand_in_gitlab.ci.history import bare_pipeline
from stand_in_gitlab.ci.model import Attempt, Pipeline
from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.company.code_model import MergeRequest
from stand_in_gitlab.company.model import Project
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.status_model import CommitStatus

STAGE = "external"
UNDER_WAY = frozenset({"pending", "running"})
OPEN = frozenset({"created", *UNDER_WAY})
FROM = {
    "enqueue": frozenset({"created"}),
    "run": frozenset({"pending"}),
    "success": OPEN,
    "drop": OPEN,
    "cancel": OPEN,
    "skip": frozenset({"created", "pending"}),
}
TO = {
    "enqueue": "pending",
    "run": "running",
    "success": "success",
    "drop": "failed",
    "cancel": "canceled",
    "skip": "skipped",
}
VIA = {status: event for event, status in TO.items()}


def pipelines_of(company: Company, mr: MergeRequest) -> list[Pipeline]:
    """A merge request's pipelines: those with its ref before those of its branch, the newest first.

    app/finders/ci/pipelines_for_merge_request_finder.rb.
    """
    own = {f"refs/merge-requests/{mr.iid}/{kind}" for kind in ("head", "merge")}
    branch = mr.source_branch if mr.source_project_id == mr.project_id else None
    found = [each for each in company.pipelines[mr.project_id].values() if each.ref in own | {branch}]
    return sorted(found, key=lambda each: (each.ref in own, each.id), reverse=True)


class Impossible(Exception):
    """The status cannot move that way; the text is GitLab's."""


class ExternalStages:
    """Finds or makes the pipeline of a commit, and moves statuses in it."""

    def __init__(self, company: Company, view: CiView) -> None:
        self._company, self._view = company, view

    def pipeline(self, project: Project, sha: str, ref: str | None, pipeline_id: int | None) -> Pipeline | None:
        """The newest pipeline of this commit, of this ref and with this id where they are given: all of them filter.

        `first_matching_pipeline` in app/services/ci/create_commit_status_service.rb.
        """
        found = [
            each
            for each in self._company.pipelines[project.id].values()
            if each.sha == sha and ref in {None, each.ref} and pipeline_id in {None, each.id} and each.parent_id is None
        ]
        return max(found, key=lambda each: each.id, default=None)

    def new_pipeline(self, project: Project, sha: str, ref: str, user_id: int, now: float) -> Pipeline:
        """A pipeline that consists of statuses only."""
        pipeline = bare_pipeline(self._company, project, now)
        pipeline.source, pipeline.sha, pipeline.ref, pipeline.user_id = "external", sha, ref, user_id
        return pipeline

    def status(self, pipeline: Pipeline, name: str, ref: str, user_id: int, now: float) -> CommitStatus:
        """The one of this name that is under way and was posted by the same user, or a new one."""
        for known in self._company.statuses.values():
            key = (known.pipeline_id, known.name, known.ref, known.author_id)
            if key == (pipeline.id, name, ref, user_id) and known.status in UNDER_WAY:
                return known
        return CommitStatus(
            id=0,
            project_id=pipeline.project_id,
            pipeline_id=pipeline.id,
            sha=pipeline.sha,
            ref=ref,
            name=name,
            author_id=user_id,
            created=round(now, 6),
        )

    def move(self, status: CommitStatus, pipeline: Pipeline, state: str, now: float) -> None:
        """Move a status to a state and its pipeline with it; Impossible if GitLab would not."""
        if state == "running" and status.status in FROM["enqueue"]:
            status.status = "pending"
        event = VIA[state]
        if status.status not in FROM[event]:
            reason = f'Reason(s): Status cannot transition via "{event}"'
            raise Impossible(f"Cannot transition status via :{event} from :{status.status} ({reason})")
        status.status = state
        if state == "running":
            status.started = round(now, 6)
        elif state not in UNDER_WAY:
            status.finished = round(now, 6)
        if not status.id:
            status.id = self._company.next_id("job")
            self._company.statuses[status.id] = status
        self._mirror(status, pipeline, now)

    def _mirror(self, status: CommitStatus, pipeline: Pipeline, now: float) -> None:
        """Let the pipeline's state follow: a status is an attempt whose end nobody has planned."""
        end = inf if status.finished is None else status.finished
        begin = status.started or (inf if status.status == "pending" else end)
        attempt = Attempt(
            id=status.id,
            name=status.name,
            stage=STAGE,
            created=status.created,
            queued=status.created,
            started=begin,
            finished=end,
            outcome="success" if status.status in UNDER_WAY else status.status,
            external=True,
        )
        pipeline.extra = [each for each in pipeline.extra if each.id != status.id] + [attempt]
        pipeline.touched = round(now, 6)
        self._view.discard(pipeline.id)
