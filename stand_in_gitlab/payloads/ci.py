"""Bodies of pipeline and job events."""

from math import isfinite
from typing import Any

from stand_in_gitlab.ci.model import Attempt, Pipeline, State
from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.company.code import find_commit
from stand_in_gitlab.company.code_model import NOTHING, Commit
from stand_in_gitlab.payloads.parts import Json, Parts, utc

STAGES = ("build", "test", "deploy", "external")
BACKWARD = ("homepage", "url", "ssh_url", "http_url")


class CiPayloads:
    """Pipelines and jobs of a moment, as their hooks show them."""

    def __init__(self, parts: Parts, view: CiView) -> None:
        self._parts, self._view = parts, view

    def pipeline(self, pipeline: Pipeline, state: State, now: float) -> Json:
        """A pipeline whose status changed."""
        project = self._parts.project(self._parts.company.projects[pipeline.project_id])
        jobs = self._view.jobs(pipeline, now, retried=False)
        body = {
            "object_kind": "pipeline",
            "object_attributes": self._attributes(pipeline, state, jobs, project["web_url"]),
            "merge_request": None,
            "user": self._parts.user(self._parts.someone(pipeline.user_id)),
            "project": {name: value for name, value in project.items() if name not in BACKWARD},
            "commit": self._commit(pipeline),
            "builds": [self._build(each, pipeline, now) for each in jobs],
        }
        return body if pipeline.parent_id is None else {**body, "source_pipeline": self._source(pipeline, project)}

    def _attributes(self, pipeline: Pipeline, state: State, jobs: list[Attempt], web_url: str) -> Json:
        ran = state.finished is not None and state.started is not None
        stages = {each.stage for each in [*jobs, *pipeline.extra]}
        return {
            "id": pipeline.id,
            "iid": pipeline.iid,
            "name": None,
            "ref": pipeline.ref,
            "tag": pipeline.tag,
            "sha": pipeline.sha,
            "before_sha": NOTHING,
            "source": pipeline.source,
            "status": state.status,
            "detailed_status": "passed" if state.status == "success" else state.status,
            "stages": [stage for stage in STAGES if stage in stages],
            "created_at": utc(pipeline.created),
            "finished_at": utc(state.finished),
            "duration": int((state.finished or 0) - (state.started or 0)) if ran else None,
            "queued_duration": int(state.started - pipeline.created) if state.started else None,
            "protected_ref": False,
            "variables": [],
            "url": f"{web_url}/-/pipelines/{pipeline.id}",
        }

    def _source(self, pipeline: Pipeline, project: Json) -> Json:
        shown = {name: project[name] for name in ("id", "web_url", "path_with_namespace")}
        return {"project": shown, "pipeline_id": pipeline.parent_id, "job_id": None}

    def _head(self, pipeline: Pipeline) -> Commit | None:
        return find_commit(self._parts.company, pipeline.project_id, pipeline.sha)

    def _commit(self, pipeline: Pipeline) -> Json | None:
        head, project = self._head(pipeline), self._parts.company.projects[pipeline.project_id]
        return self._parts.commit(head, project) if head else None

    def _build(self, attempt: Attempt, pipeline: Pipeline, now: float) -> Json:
        status = attempt.status(now)
        return {
            "id": attempt.id,
            "stage": attempt.stage,
            "name": attempt.name,
            "status": status,
            "created_at": utc(attempt.created),
            **_times(attempt, now),
            "failure_reason": attempt.failure_reason if status == "failed" else None,
            "when": "manual" if attempt.outcome == "manual" else "on_success",
            "manual": attempt.outcome == "manual",
            "allow_failure": attempt.allow_failure,
            "user": self._parts.user(self._parts.someone(pipeline.user_id)),
            "runner": _runner(attempt, now),
            "artifacts_file": {"filename": None, "size": None},
            "environment": None,
        }

    def job(self, attempt: Attempt, pipeline: Pipeline, state: State, now: float) -> Json:
        """A job whose status changed; what is called `commit` is the pipeline."""
        company = self._parts.company
        project, status = company.projects[pipeline.project_id], attempt.status(now)
        times = {f"build_{name}": value for name, value in _times(attempt, now).items()}
        return {
            "object_kind": "build",
            "ref": pipeline.ref,
            "tag": pipeline.tag,
            "before_sha": NOTHING,
            "sha": pipeline.sha,
            "build_id": attempt.id,
            "build_name": attempt.name,
            "build_stage": attempt.stage,
            "build_status": status,
            "build_created_at": utc(attempt.created),
            **times,
            "build_allow_failure": attempt.allow_failure,
            "build_failure_reason": attempt.failure_reason if status == "failed" else "unknown_failure",
            "retries_count": 0,
            "pipeline_id": pipeline.id,
            "runner": _runner(attempt, now),
            "project_id": project.id,
            "project_name": project.full_name,
            "user": self._parts.user(self._parts.someone(pipeline.user_id)),
            "commit": self._pipeline_as_commit(pipeline, state),
            "repository": self._parts.repository(project),
            "project": self._parts.project(project),
            "environment": None,
        }

    def _pipeline_as_commit(self, pipeline: Pipeline, state: State) -> Json:
        head, author = self._head(pipeline), self._parts.someone(pipeline.user_id)
        ran = state.finished is not None and state.started is not None
        return {
            "id": pipeline.id,
            "name": None,
            "sha": pipeline.sha,
            "message": head.message if head else None,
            "author_name": author.name,
            "author_email": author.email,
            "author_url": f"{self._parts.base}/{author.username}",
            "status": state.status,
            "duration": int((state.finished or 0) - (state.started or 0)) if ran else None,
            "started_at": utc(state.started),
            "finished_at": utc(state.finished),
        }


def _times(attempt: Attempt, now: float) -> dict[str, Any]:
    begun = attempt.ran and attempt.started <= now
    ended = begun and attempt.finished <= now and isfinite(attempt.finished)
    return {
        "started_at": utc(attempt.started) if begun else None,
        "finished_at": utc(attempt.finished) if ended else None,
        "duration": round(min(attempt.finished, now) - attempt.started, 6) if begun else None,
        "queued_duration": round(attempt.started - attempt.queued, 6) if begun else None,
    }


def _runner(attempt: Attempt, now: float) -> Json | None:
    if not attempt.ran or now < attempt.started:
        return None
    number = attempt.id % 5 + 1
    return {
        "id": number,
        "description": f"shared-runner-{number}",
        "runner_type": "instance_type",
        "active": True,
        "is_shared": True,
        "tags": ["linux", "docker"],
    }
