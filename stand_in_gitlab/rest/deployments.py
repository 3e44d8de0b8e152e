"""Environments and deployments of a project.

lib/api/environments.rb, lib/api/deployments.rb and app/finders/deployments_finder.rb.
"""

from collections.abc import Callable, Iterator

from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.clock import iso
from stand_in_gitlab.company.code_model import MergeRequest
from stand_in_gitlab.company.deployment_model import STATUSES, Deployment, Environment
from stand_in_gitlab.company.deployments import merge_requests_of
from stand_in_gitlab.company.model import REPORTER, Project
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.ci_shapes import CiShapes
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.paging import numbered
from stand_in_gitlab.rest.refusals import bad_request, forbidden, not_found
from stand_in_gitlab.rest.router import Route
from stand_in_gitlab.rest.shapes import Json, Shapes

ORDERS = frozenset({"id", "iid", "created_at", "updated_at", "finished_at", "ref"})
STATES = frozenset({"", "available", "stopping", "stopped"})
Shown = Callable[[Project, MergeRequest], Json]


class DeploymentsApi:
    """Lists where a project is deployed to, what was deployed, and with which merge requests."""

    def __init__(self, company: Company, shapes: Shapes, ci: CiShapes, view: CiView, merge_request: Shown) -> None:
        self._company, self._shapes, self._ci, self._view = company, shapes, ci, view
        self._merge_request, self._find = merge_request, Finder(company)

    def routes(self) -> Iterator[Route]:
        """Where these are."""
        yield "GET", "/projects/*/environments", self.environments
        yield "GET", "/projects/*/environments/*", self.environment
        yield "GET", "/projects/*/deployments", self.many
        yield "GET", "/projects/*/deployments/*", self.one
        yield "GET", "/projects/*/deployments/*/merge_requests", self.merge_requests

    def environments(self, ask: Ask) -> Answer:
        """GET /projects/:id/environments."""
        project, state, name = self._project(ask), ask.choice("states", STATES, ""), ask.params.get("name")
        rows = [
            one
            for one in self._company.environments[project.id].values()
            if state in {"", one.state} and name in {None, one.name}
        ]
        return numbered(ask, rows, self._environment)

    def environment(self, ask: Ask) -> Answer:
        """GET /projects/:id/environments/:environment_id."""
        project = self._project(ask)
        found = self._company.environments[project.id].get(ask.integer(ask.names[1], "environment_id"))
        if found is None:
            raise not_found()
        return reply(self._environment(found))

    def many(self, ask: Ask) -> Answer:
        """GET /projects/:id/deployments."""
        project, order = self._project(ask), ask.choice("order_by", ORDERS, "id")
        descending = ask.choice("sort", frozenset({"asc", "desc"}), "asc") == "desc"
        status, name = ask.choice("status", STATUSES | {""}, ""), ask.params.get("environment")
        _check_pairs(ask, order, status)
        rows = [
            one
            for one in self._company.deployments[project.id].values()
            if status in {"", one.status}
            and name in {None, self._where(one).name}
            and ask.between("updated", one.updated)
            and (one.finished is None or ask.between("finished", one.finished))
        ]
        # With equal `updated_at` the newer one comes first, whichever way is asked for.
        rows.sort(key=lambda one: one.id, reverse=descending or order == "updated_at")
        if order in {"updated_at", "finished_at", "ref"}:
            name_of = {"updated_at": "updated", "finished_at": "finished", "ref": "ref"}[order]
            rows.sort(key=lambda one: getattr(one, name_of) or 0, reverse=descending)
        return numbered(ask, rows, lambda one: self._deployment(one, ask))

    def one(self, ask: Ask) -> Answer:
        """GET /projects/:id/deployments/:deployment_id."""
        return reply(self._deployment(self._named(ask)[1], ask))

    def merge_requests(self, ask: Ask) -> Answer:
        """GET /projects/:id/deployments/:deployment_id/merge_requests."""
        project, deployment = self._named(ask)
        found = merge_requests_of(self._company, deployment)
        return numbered(ask, found, lambda one: self._merge_request(project, one))

    def _project(self, ask: Ask) -> Project:
        """The project, for Reporters, unless CI/CD, the repository or environments are off.

        `reporter_access`, `builds_disabled`, `repository_disabled`, `environments_disabled` in
        app/policies/project_policy.rb.
        """
        project = self._find.kept_project(ask, REPORTER)
        if not (project.builds_enabled and project.has_repository and project.environments_enabled):
            raise forbidden()
        return project

    def _named(self, ask: Ask) -> tuple[Project, Deployment]:
        project = self._project(ask)
        found = self._company.deployments[project.id].get(ask.integer(ask.names[1], "deployment_id"))
        if found is None:
            raise not_found()
        return project, found

    def _where(self, deployment: Deployment) -> Environment:
        return self._company.environments[deployment.project_id][deployment.environment_id]

    @staticmethod
    def _basic(environment: Environment) -> Json:
        """What deployments show of theirs: without its tier (lib/api/entities/environment_basic.rb)."""
        return {
            "id": environment.id,
            "name": environment.name,
            "slug": environment.slug,
            "external_url": environment.external_url,
            "created_at": iso(environment.created),
            "updated_at": iso(environment.updated),
        }

    def _environment(self, environment: Environment) -> Json:
        more = {"tier": environment.tier, "state": environment.state, "auto_stop_at": None, "description": None}
        return {**self._basic(environment), **more}

    def _deployment(self, one: Deployment, ask: Ask) -> Json:
        """lib/api/entities/deployment.rb, which has no `finished_at`."""
        user = self._company.users.get(one.user_id)
        return {
            "id": one.id,
            "iid": one.iid,
            "ref": one.ref,
            "sha": one.sha,
            "created_at": iso(one.created),
            "updated_at": iso(one.updated),
            "user": self._shapes.user_basic(user) if user else None,
            "environment": self._basic(self._where(one)),
            "deployable": self._job(one, ask.now),
            "status": one.status,
        }

    def _job(self, one: Deployment, now: float) -> Json | None:
        if one.job is None or one.job[0] not in self._company.pipelines[one.project_id]:
            return None
        pipeline, state = self._view.pipeline(one.project_id, one.job[0], now)
        attempt = next(each for each in self._view.attempts(pipeline) if each.id == one.job[1])
        return self._ci.job(attempt, pipeline, state, now)


def _check_pairs(ask: Ask, order: str, status: str) -> None:
    """A filter by a time wants the order of that time, `finished_at` also the status success."""
    by = {name for name in ("updated", "finished") for end in ("after", "before") if ask.params.get(f"{name}_{end}")}
    if by == {"updated", "finished"}:
        raise bad_request("Both `updated_at` filter and `finished_at` filter can not be specified")
    for name in by:
        if order != f"{name}_at":
            raise bad_request(f"`{name}_at` filter and `{name}_at` sorting must be paired")
    if "finished" in by and status != "success":
        raise bad_request("`finished_at` filter must be combined with `success` status filter.")
