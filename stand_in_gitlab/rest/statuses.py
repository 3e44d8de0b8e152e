"""Commit statuses: what other systems say about a commit."""

from collections.abc import Iterator
from typing import Any

from stand_in_gitlab.ci.external import STAGE, VIA, ExternalStages, Impossible
from stand_in_gitlab.ci.model import Pipeline
from stand_in_gitlab.clock import iso, iso_or_none
from stand_in_gitlab.company.code import find_commit, repository_of
from stand_in_gitlab.company.model import DEVELOPER, Project
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.status_model import CommitStatus
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.paging import numbered
from stand_in_gitlab.rest.readable import builds_project
from stand_in_gitlab.rest.refusals import bad_request, forbidden, not_found, refused
from stand_in_gitlab.rest.router import Route
from stand_in_gitlab.rest.shapes import Json, Shapes

CONFLICT = "Another update to this commit status is in progress"


class StatusesApi:
    """Takes and lists statuses; jobs of pipelines are not among them here."""

    def __init__(self, company: Company, shapes: Shapes, stages: ExternalStages) -> None:
        self._company, self._shapes, self._stages = company, shapes, stages
        self._find = Finder(company)

    def routes(self) -> Iterator[Route]:
        """Where these are."""
        yield "POST", "/projects/*/statuses/*", self.post
        yield "GET", "/projects/*/repository/commits/*/statuses", self.many

    def post(self, ask: Ask) -> Answer:
        """POST /projects/:id/statuses/:sha."""
        project, sent = self._find.kept_project(ask, DEVELOPER), ask.sent
        # For external CI statuses are taken where GitLab's own is off, not where there is nothing to build
        # (app/policies/project_policy.rb of GitLab).
        if not project.has_repository:
            raise forbidden()
        state = str(sent.get("state") or "")
        if state not in VIA:
            raise bad_request("state does not have a valid value" if state else "state is missing")
        said = _described(ask)
        self._meet_conflict()
        pipeline, ref = self._pipeline(project, ask)
        name = str(sent.get("name") or sent.get("context") or "default")
        status = self._stages.status(pipeline, name, ref, ask.user.id, ask.now)
        try:
            self._stages.move(status, pipeline, state, ask.now)
        except Impossible as problem:
            raise refused(str(problem), 400) from None
        for field, value in said.items():
            setattr(status, field, value)
        return reply(self._row(status), 201)

    def _meet_conflict(self) -> None:
        if self._company.behaviour.status_conflicts > 0:
            self._company.behaviour.status_conflicts -= 1
            raise refused(CONFLICT, 409)

    def _pipeline(self, project: Project, ask: Ask) -> tuple[Pipeline, str]:
        """The pipeline that the status belongs to, made if there is none, and the status's ref."""
        commit, wanted = find_commit(self._company, project.id, ask.names[1]), ask.sent.get("ref")
        if commit is None:
            raise not_found("Commit")
        wanted, number = str(wanted) if wanted else None, ask.sent.get("pipeline_id")
        pipeline_id = ask.integer(str(number), "pipeline_id") if number is not None else None
        found = self._stages.pipeline(project, commit.sha, wanted, pipeline_id)
        branches = repository_of(self._company, project.id).branches_with(commit.sha)
        ref = wanted or (found.ref if found else next(iter(branches), None))
        if ref is None:
            raise not_found("References for commit")
        if found is None and pipeline_id is not None:
            raise not_found("Pipeline for pipeline_id, sha and ref")
        return found or self._stages.new_pipeline(project, commit.sha, ref, ask.user.id, ask.now), ref

    def many(self, ask: Ask) -> Answer:
        """GET /projects/:id/repository/commits/:sha/statuses: the newest of every name and pipeline, or all."""
        project = builds_project(self._find, ask)
        commit = find_commit(self._company, project.id, ask.names[1])
        if commit is None:
            raise not_found("Commit")
        rows = [
            each for each in self._company.statuses.values() if (each.project_id, each.sha) == (project.id, commit.sha)
        ]
        if not ask.flag("all"):
            rows = list({(each.pipeline_id, each.name): each for each in rows}.values())
        for name in ("ref", "name", "pipeline_id"):
            if ask.params.get(name):
                rows = [each for each in rows if str(getattr(each, name)) == ask.params[name]]
        if ask.params.get("stage") not in {None, "", STAGE}:
            rows = []
        return numbered(ask, sorted(rows, key=lambda each: each.id), self._row)

    def _row(self, status: CommitStatus) -> Json:
        author = self._company.users.get(status.author_id)
        return {
            "id": status.id,
            "sha": status.sha,
            "ref": status.ref,
            "status": status.status,
            "name": status.name,
            "target_url": status.target_url,
            "description": status.description,
            "created_at": iso(status.created),
            "started_at": iso_or_none(status.started),
            "finished_at": iso_or_none(status.finished),
            "allow_failure": False,
            "coverage": status.coverage,
            "pipeline_id": status.pipeline_id,
            "author": self._shapes.user_basic(author) if author else None,
        }


def _described(ask: Ask) -> dict[str, Any]:
    """What was said about the status beside its state; 400 before anything moved if it makes no sense."""
    said: dict[str, Any] = {name: ask.sent[name] for name in ("target_url", "description") if name in ask.sent}
    if ask.sent.get("coverage") is not None:
        try:
            said["coverage"] = float(ask.sent["coverage"])
        except (TypeError, ValueError):
            raise bad_request("coverage is invalid") from None
    return said
