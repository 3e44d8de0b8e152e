"""What people do with builds: ask for one, report on it, cancel it, run it again, let it start."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.builds.runs.claims import manual_id
from gitlab_hub.builds.runs.commits import Commits
from gitlab_hub.builds.runs.errors import (
    AwaitingApproval,
    BuildFinished,
    BuildNotFinished,
    NotAwaitingApproval,
    TriggerGone,
)
from gitlab_hub.builds.runs.model import Build, BuildStatus, approved, canceled, new_build, with_status
from gitlab_hub.builds.runs.service import BuildService
from gitlab_hub.builds.runs.store import BuildStore, integration_of
from gitlab_hub.builds.triggers.checks import CheckTarget
from gitlab_hub.builds.triggers.groups import GroupLookup
from gitlab_hub.builds.triggers.model import BRANCH, MANUAL, BuildRequest, Trigger
from gitlab_hub.builds.triggers.ports import Triggers
from gitlab_hub.builds.triggers.rules import lies_below
from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.gitlab.errors import ResourceNotFound, Unavailable
from gitlab_hub.web.errors import Unprocessable


class BuildCommands:
    """Every call is done once for its seed, and checks the newest state of the build it changes."""

    def __init__(
        self,
        *,
        service: BuildService,
        store: BuildStore,
        triggers: Triggers,
        commits: Commits,
        group_lookup: GroupLookup,
        check_target: CheckTarget,
        audit: Audit,
        now: Callable[[], float],
    ) -> None:
        self._service, self._store, self._triggers, self._commits, self._now = service, store, triggers, commits, now
        self._audit, self._group_lookup, self._check_target = audit, group_lookup, check_target

    def build(
        self, trigger: Trigger, *, project_id: int | None, ref: str | None, sha: str | None, actor: str, seed: str
    ) -> Build:
        """Have a ref or a commit built; a sha says exactly which commit, a ref alone its head.

        Raises TargetNotAllowed where the deployer does not allow the trigger's target (any more).
        """
        self._target_allowed(trigger.target, "body.trigger_id")
        project = _project(trigger, project_id)
        path = None if trigger.group is None else self._path_within(trigger, project)
        meant = self._commits.resolve(trigger.integration_id, project, ref=ref, sha=sha)
        request = BuildRequest(
            trigger_id=trigger.id,
            integration_id=trigger.integration_id,
            project_id=project,
            project_path=path,
            event=MANUAL,
            ref=meant.ref or meant.sha,
            ref_kind=meant.kind or BRANCH,
            sha=meant.sha,
            actor=actor,
            delivery_id=None,
            cancel_previous=trigger.cancel_previous,
        )
        self._record(AuditAction.BUILD_REQUESTED, trigger.integration_id, actor, trigger_id=trigger.id, sha=meant.sha)
        build = new_build(trigger, request, build_id=manual_id(trigger.integration_id, seed), now=self._now())
        return self._service.create(build).build

    def rerun(self, build_id: str, *, actor: str, seed: str) -> Build:
        """Build a finished build's commit once more, with its trigger as that is now. Raises TargetNotAllowed."""
        before = self._store.require(build_id)
        if not before.finished:
            raise BuildNotFinished("The build has not ended. Cancel it first, or wait.")
        trigger = self._triggers.get(before.trigger_id)
        if trigger is None:
            raise TriggerGone("The trigger of this build was removed, so there is no target to run it on.")
        self._target_allowed(trigger.target, "path.build_id")
        self._commits.require_connection(before.integration_id)
        self._record(AuditAction.BUILD_RERUN, before.integration_id, actor, build_id=before.id)
        again = new_build(
            trigger, _request(before, actor), build_id=manual_id(before.integration_id, seed), now=self._now()
        )
        return self._service.create(replace(again, rerun_of=before.id)).build

    def report(
        self, build_id: str, status: BuildStatus, *, description: str | None = None, target_url: str | None = None
    ) -> Build:
        """Take whoever builds at his word; what is said of a finished build once more has no effect."""

        def decide(build: Build) -> Build:
            if build.awaits_approval and status is not BuildStatus.CANCELED:
                raise AwaitingApproval("Nobody has approved this build yet, so nobody can be running it.")
            if build.finished and status is not build.status:
                raise BuildFinished(f"The build has ended with {build.status}. Run it again to have another result.")
            return with_status(build, status, now=int(self._now()), description=description, target_url=target_url)

        return self._changed(build_id, decide)

    def cancel(self, build_id: str, *, actor: str) -> Build:
        """End a build here, and have its target told."""
        self._record(AuditAction.BUILD_CANCELED, integration_of(build_id), actor, build_id=build_id)

        def decide(build: Build) -> Build:
            if build.finished and build.status is not BuildStatus.CANCELED:
                raise BuildFinished(f"The build has ended with {build.status}; there is nothing to cancel.")
            return canceled(build, now=int(self._now()))

        return self._changed(build_id, decide)

    def approve(self, build_id: str, *, actor: str) -> Build:
        """Let a build start that waits for it. Raises TargetNotAllowed."""
        waiting = self._store.require(build_id)
        if waiting.awaits_approval:
            self._target_allowed(waiting.target, "path.build_id")
        self._record(AuditAction.BUILD_APPROVED, integration_of(build_id), actor, build_id=build_id)

        def decide(build: Build) -> Build:
            if not build.awaits_approval:
                raise NotAwaitingApproval("This build does not wait for an approval.")
            return approved(build, now=int(self._now()))

        return self._changed(build_id, decide)

    def _target_allowed(self, target: Mapping[str, Any], field: str) -> None:
        try:
            self._check_target(target)
        except HubError as refused:
            # What it says of the target's fields is about a request that makes a trigger.
            refused.details = {"fields": [{"field": field, "problem": refused.code}]}
            raise

    def _path_within(self, trigger: Trigger, project_id: int) -> str:
        """Where a project lies that a trigger of a group is asked to build. Raises Unprocessable where elsewhere."""
        self._commits.require_connection(trigger.integration_id)
        try:
            ancestors = self._group_lookup.project(trigger.integration_id, project_id)
        except ResourceNotFound:
            raise _no_project("not_of_trigger") from None
        if ancestors is None:
            raise Unavailable("GitLab does not say at the moment where the project lies. Try again.", retry_after=5)
        if not lies_below(trigger, ancestors.path, ancestors):
            raise _no_project("not_of_trigger")
        return ancestors.path

    def _record(self, action: AuditAction, integration_id: str, actor: str, **details: str) -> None:
        self._audit.record(action, actor=actor, integration_id=integration_id, **details)

    def _changed(self, build_id: str, decide: Callable[[Build], Build]) -> Build:
        build = self._service.change(build_id, decide)
        if build is None:
            raise NotFound("There is no such build.")
        return build


def _project(trigger: Trigger, project_id: int | None) -> int:
    """The project to build in: a trigger of one project knows it, one of a group has to be told."""
    wanted = project_id if trigger.project_id is None else trigger.project_id
    if wanted is None or project_id not in {None, wanted}:
        raise _no_project("missing" if wanted is None else "not_of_trigger")
    return wanted


def _no_project(problem: str) -> Unprocessable:
    return Unprocessable(
        "Give the project_id of a project that the trigger builds.",
        details={"fields": [{"field": "body.project_id", "problem": problem}]},
    )


def _request(build: Build, actor: str) -> BuildRequest:
    """The same once more. It overtakes nothing: what it would cancel is newer than what it builds."""
    return BuildRequest(
        trigger_id=build.trigger_id,
        integration_id=build.integration_id,
        project_id=build.project_id,
        project_path=build.project_path,
        event=build.event,
        ref=build.ref,
        sha=build.sha,
        actor=actor,
        delivery_id=build.delivery_id,
        merge_request_iid=build.merge_request_iid,
        source_project_id=build.source_project_id,
        pipeline_id=build.pipeline_id,
        ref_kind=build.kind,
        deletes_ref=build.deletes_ref,
    )
