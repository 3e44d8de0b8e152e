"""The HTTP routes of plans."""

from collections.abc import Callable
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path

from gitlab_hub.provisioning.requests import ApplyBody, PlanBody, check_ends, check_subjects
from gitlab_hub.provisioning.service import PlanService
from gitlab_hub.provisioning.views import PlanEnvelope, PlanList, PlanSummary
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor, listing_name

ALL = "/v1/integrations/<integration_id>/plans"
ONE = f"{ALL}/<plan_id>"

IntegrationId = Annotated[str, Path()]
PlanId = Annotated[str, Path()]


class PlanRoutes:
    """The plans of an integration: whoever makes one sees it, an owner applies it."""

    def __init__(self, service: PlanService, cursors: Cursors, now: Callable[[], float]) -> None:
        self._service, self._cursors, self._now = service, cursors, now

    def routes(self) -> list[Route]:
        """Give all routes."""
        return [
            Route(method="POST", path=ALL, handler=self.make, role=Role.ADMIN, status=201,
                  summary="Plan changes of access"),
            Route(method="GET", path=ALL, handler=self.list, role=Role.ADMIN, summary="List plans"),
            Route(method="GET", path=ONE, handler=self.read, role=Role.ADMIN, summary="Read one plan"),
            Route(method="POST", path=f"{ONE}/apply", handler=self.apply, role=Role.OWNER, status=202,
                  summary="Apply a plan"),
            Route(method="POST", path=f"{ONE}/undo", handler=self.undo, role=Role.ADMIN, status=201,
                  summary="Plan to take a plan back"),
        ]  # fmt: skip

    def make(self, integration_id: IntegrationId, body: PlanBody, caller: Caller, seed: Seed) -> PlanEnvelope:
        """Look up in GitLab, live, what some operations would change, and say what stands against each.

        Nothing changes. A plan that is `ready` can be applied for 15 minutes, one that is `blocked` has refusals.
        """
        operations = self._service.resolved(
            integration_id,
            [(one.operation, one.resource.full_path if one.resource else None) for one in body.operations],
        )
        check_subjects(operations)
        check_ends(operations, self._now())
        made = self._service.make(integration_id, operations, note=body.note, actor=caller.token_id, seed=seed)
        return PlanEnvelope.of(*made, now=self._now())

    def list(self, integration_id: IntegrationId, limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None) -> PlanList:
        """List plans, newest first; they are kept for 400 days."""
        listing = listing_name("plans", integration_id, {})
        after = self._cursors.open(listing, cursor)
        plans, last = self._service.store.page(integration_id, after=after, limit=limit)
        shown = [PlanSummary.of(plan, now=self._now()) for plan in plans]
        return PlanList(plans=shown, next_cursor=self._cursors.following(listing, last))

    def read(self, integration_id: IntegrationId, plan_id: PlanId) -> PlanEnvelope:
        """Read a plan: what it would change, or what became of each operation."""
        return PlanEnvelope.of(*self._service.plan(integration_id, plan_id), now=self._now())

    def apply(self, integration_id: IntegrationId, plan_id: PlanId, body: ApplyBody, caller: Caller) -> PlanEnvelope:
        """Have a plan carried out, one operation after the other; read it again to see how far that is.

        Everything is looked up again first: where GitLab is no longer as the plan shows it, nothing is done (409
        `plan_drifted`). Applying a plan twice does it once. `override` goes beyond the limits, with a reason.
        """
        reason = None if body.override is None else body.override.reason
        applied = self._service.apply(integration_id, plan_id, shown=body.hash, override=reason, actor=caller.token_id)
        return PlanEnvelope.of(*applied, now=self._now())

    def undo(self, integration_id: IntegrationId, plan_id: PlanId, caller: Caller, seed: Seed) -> PlanEnvelope:
        """Make a plan that takes back what a plan has done. It is looked at and applied like any other."""
        made = self._service.undo(integration_id, plan_id, actor=caller.token_id, seed=seed)
        return PlanEnvelope.of(*made, now=self._now())
