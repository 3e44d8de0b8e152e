"""Pipelines, jobs and bridges as JSON."""

from stand_in_gitlab.ci.model import Attempt, Pipeline, State
from stand_in_gitlab.clock import DAY, iso, iso_or_none
from stand_in_gitlab.company.model import Project
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.shapes import Json, Shapes

RUNNERS = 5


class CiShapes:
    """Presents pipelines and jobs of a moment."""

    def __init__(self, company: Company, base: str, shapes: Shapes) -> None:
        self._company, self._base, self._shapes = company, base, shapes

    def pipeline_row(self, pipeline: Pipeline, state: State) -> Json:
        """A row of a list: no duration, no coverage, no user."""
        project = self._company.projects[pipeline.project_id]
        return {
            "id": pipeline.id,
            "iid": pipeline.iid,
            "project_id": pipeline.project_id,
            "sha": pipeline.sha,
            "ref": pipeline.ref,
            "status": state.status,
            "source": pipeline.source,
            "created_at": iso(pipeline.created),
            "updated_at": None if pipeline.undated else iso(state.updated),
            "web_url": f"{self._base}/{project.full_path}/-/pipelines/{pipeline.id}",
            "name": None,
        }

    def pipeline(self, pipeline: Pipeline, state: State) -> Json:
        """One pipeline with everything."""
        duration = int(state.finished - state.started) if state.finished and state.started else None
        row = self.pipeline_row(pipeline, state)
        return {
            **row,
            "before_sha": "0" * 40,
            "tag": pipeline.tag,
            "yaml_errors": None,
            "user": self._user(pipeline.user_id),
            "started_at": iso_or_none(state.started),
            "finished_at": iso_or_none(state.finished),
            "committed_at": None,
            "duration": duration,
            "queued_duration": int(state.started - pipeline.created) if state.started else None,
            "coverage": "81.40" if duration and pipeline.id % 3 == 0 else None,
            "archived": False,
            "detailed_status": _detailed(state.status, row["web_url"]),
        }

    def _user(self, user_id: int) -> Json | None:
        user = self._company.users.get(user_id)
        return self._shapes.user_basic(user) if user else None

    def job(self, attempt: Attempt, pipeline: Pipeline, state: State, now: float) -> Json:
        """One attempt of a job."""
        return {
            **self._common(attempt, pipeline, state, now),
            "archived": False,
            **self._artifacts(attempt, pipeline, now),
            "runner": _runner(attempt, now),
            "runner_manager": _manager(attempt, now),
            "tag_list": ["linux", "docker"],
        }

    def bridge(self, attempt: Attempt, pipeline: Pipeline, state: State, now: float, downstream: Json | None) -> Json:
        """A trigger job, with the pipeline it started."""
        return {**self._common(attempt, pipeline, state, now), "downstream_pipeline": downstream}

    def _common(self, attempt: Attempt, pipeline: Pipeline, state: State, now: float) -> Json:
        project = self._company.projects[pipeline.project_id]
        status = attempt.status(now)
        row = {
            "id": attempt.id,
            "status": status,
            "stage": attempt.stage,
            "name": attempt.name,
            "ref": pipeline.ref,
            "tag": pipeline.tag,
            "coverage": None,
            "allow_failure": attempt.allow_failure,
            "created_at": iso(attempt.created),
            **_times(attempt, now),
            "erased_at": iso_or_none(pipeline.erased.get(attempt.id)),
            "user": self._profile(pipeline.user_id),
            "commit": self._commit(pipeline, project),
            "pipeline": self.pipeline_row(pipeline, state),
            "web_url": f"{self._base}/{project.full_path}/-/jobs/{attempt.id}",
            "project": {"ci_job_token_scope_enabled": False},
        }
        return row | ({"failure_reason": attempt.failure_reason} if status == "failed" else {})

    def _profile(self, user_id: int) -> Json | None:
        user = self._company.users.get(user_id)
        return self._shapes.user(user) if user else None

    def _commit(self, pipeline: Pipeline, project: Project) -> Json:
        author = self._company.users.get(pipeline.user_id) or self._company.users[1]
        title, written = f"Change number {pipeline.iid}", iso(pipeline.created - 60)
        return {
            "id": pipeline.sha,
            "short_id": pipeline.sha[:8],
            "created_at": written,
            "parent_ids": [],
            "title": title,
            "message": f"{title}\n",
            "author_name": author.name,
            "author_email": author.email,
            "authored_date": written,
            "committer_name": author.name,
            "committer_email": author.email,
            "committed_date": written,
            "trailers": {},
            "extended_trailers": {},
            "web_url": f"{self._base}/{project.full_path}/-/commit/{pipeline.sha}",
        }

    @staticmethod
    def _artifacts(attempt: Attempt, pipeline: Pipeline, now: float) -> Json:
        if not attempt.ran or now < attempt.finished or attempt.id in pipeline.erased:
            return {"artifacts": [], "artifacts_expire_at": None}
        archive = {
            "file_type": "archive",
            "size": 1_000 + attempt.id % 9_000,
            "filename": "artifacts.zip",
            "file_format": "zip",
        }
        return {"artifacts": [archive], "artifacts_expire_at": iso(attempt.finished + 30 * DAY)}


def _times(attempt: Attempt, now: float) -> Json:
    if not attempt.ran or now < attempt.started:
        waited = round(now - attempt.queued, 6) if attempt.ran and now >= attempt.queued else None
        return {"started_at": None, "finished_at": None, "duration": None, "queued_duration": waited}
    done = now >= attempt.finished
    return {
        "started_at": iso(attempt.started),
        "finished_at": iso(attempt.finished) if done else None,
        "duration": round(min(now, attempt.finished) - attempt.started, 6),
        "queued_duration": round(attempt.started - attempt.queued, 6),
    }


def _runner(attempt: Attempt, now: float) -> Json | None:
    if not attempt.ran or now < attempt.started:
        return None
    number = attempt.id % RUNNERS + 1
    return {
        "id": number,
        "description": f"shared-runner-{number}",
        "ip_address": "192.0.2.10",
        "active": True,
        "paused": False,
        "is_shared": True,
        "runner_type": "instance_type",
        "name": "gitlab-runner",
        "online": True,
        "created_at": "2024-01-10T08:00:00.000Z",
        "status": "online",
        "job_execution_status": "idle",
    }


def _manager(attempt: Attempt, now: float) -> Json | None:
    runner = _runner(attempt, now)
    return runner and {
        "id": runner["id"],
        "system_id": f"s_{runner['id']:012x}",
        "version": "18.6.0",
        "revision": "1a2b3c4d",
        "platform": "linux",
        "architecture": "amd64",
        "created_at": runner["created_at"],
        "contacted_at": iso(attempt.started),
        "ip_address": runner["ip_address"],
        "status": "online",
        "job_execution_status": "idle",
    }


def _detailed(status: str, url: str) -> Json:
    label = "passed" if status == "success" else status
    return {
        "icon": f"status_{status}",
        "text": label.capitalize(),
        "label": label,
        "group": status,
        "tooltip": label,
        "has_details": True,
        "details_path": url.partition("//")[2].partition("/")[2],
        "illustration": None,
        "favicon": f"/assets/ci_favicons/favicon_status_{status}.png",
    }
