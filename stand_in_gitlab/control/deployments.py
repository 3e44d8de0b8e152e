"""Deploying: verbs of the control API."""

from collections.abc import Callable

from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.code import find_commit
from stand_in_gitlab.company.code_model import Commit
from stand_in_gitlab.company.deployment_model import STATUSES, Deployment
from stand_in_gitlab.company.deployments import deliver, environment_of, move
from stand_in_gitlab.company.model import Project
from stand_in_gitlab.control.code_changes import Done
from stand_in_gitlab.payloads import others
from stand_in_gitlab.payloads.parts import Parts
from stand_in_gitlab.webhooks.events import Event
from stand_in_gitlab.webhooks.sender import Sender


class Deployments:
    """Makes deployments and moves them on; each of `verbs` is one of the control API."""

    def __init__(self, parts: Parts, view: CiView, clock: Clock, sender: Sender) -> None:
        self._parts, self._company, self._view, self._clock, self._sender = parts, parts.company, view, clock, sender
        self.verbs: list[Callable[..., Done]] = [self.deploy, self.move_deployment, self.deliver]

    def deploy(
        self,
        project_id: int,
        environment: str = "production",
        *,
        status: str = "success",
        ref: str | None = None,
        sha: str | None = None,
        tier: str | None = None,
        pipeline_id: int | None = None,
    ) -> Done:
        """Deploy a ref, or one of its commits; the last job of `pipeline_id` does it, else somebody by the API."""
        project, now = self._company.projects[project_id], round(self._clock.now(), 6)
        ref = ref or project.default_branch or "main"
        head = self._commit(project, sha or ref)
        where = environment_of(self._company, project_id, environment, now, tier)
        made = Deployment(
            id=self._company.next_id("deployment"), iid=self._company.next_id(f"deployment of {project_id}"),
            project_id=project_id, environment_id=where.id, ref=ref, tag=False, sha=head.sha, status="created",
            user_id=self._parts.someone(project.creator_id).id, created=now, updated=now,
            job=None if pipeline_id is None else self._last_job(project_id, pipeline_id),
        )  # fmt: skip
        self._company.deployments[project_id][made.id] = made
        return self._moved(made, status)

    def move_deployment(self, project_id: int, id: int, status: str) -> Done:  # noqa: A002 - GitLab's word
        """Let a deployment begin, end, or wait for an approval."""
        return self._moved(self._company.deployments[project_id][id], status)

    def deliver(self, project_id: int, changes: int = 6) -> Done:
        """Give a project a past: changes that were merged and deployed to production in the last weeks, untold."""
        made = deliver(self._company, project_id, changes, round(self._clock.now(), 6))
        return {"deployments": [one.id for one in made]}

    def _moved(self, deployment: Deployment, status: str) -> Done:
        if status not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(sorted(STATUSES))}")
        now = round(self._clock.now(), 6)
        if status != deployment.status:
            move(self._company, deployment, status, now)
        project = self._company.projects[deployment.project_id]
        payload = others.deployment(self._parts, deployment, self._commit(project, deployment.sha), now)
        event = Event(trigger="deployment_hooks", payload=payload, project_id=project.id)
        # GitLab calls no hook for one that was only created (`execute_hooks` in app/models/deployment.rb).
        hooks = 0 if status == "created" else self._sender.publish([event])
        return {"id": deployment.id, "sha": deployment.sha, "hooks": hooks}

    def _last_job(self, project_id: int, pipeline_id: int) -> tuple[int, int]:
        pipeline, _ = self._view.pipeline(project_id, pipeline_id, self._clock.now())
        return pipeline_id, max(one.id for one in self._view.attempts(pipeline) if one.downstream is None)

    def _commit(self, project: Project, name: str) -> Commit:
        found = find_commit(self._company, project.id, name)
        if found is None:
            raise KeyError(name)
        return found
