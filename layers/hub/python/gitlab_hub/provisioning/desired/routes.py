"""`PUT …/desired-access`: who is to have what, as CSV or JSON, and the plan that makes it so."""

from collections.abc import Callable
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import BaseModel, Field, StrictInt, model_validator

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.gitlab.fields import midnight
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.desired.model import Drift, DriftKind
from gitlab_hub.provisioning.desired.rows import MOST_ROWS, Directory, rows_of_csv, rows_of_json, wanted_of
from gitlab_hub.provisioning.desired.store import DesiredStore, Memberships, drift_of, today_of
from gitlab_hub.provisioning.requests import check_count
from gitlab_hub.provisioning.service import PlanService
from gitlab_hub.provisioning.views import PlanEnvelope, PlanView
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.errors import unfit
from gitlab_hub.web.rules import rule
from gitlab_hub.web.validation import RequestBody

_Number = Annotated[StrictInt | None, Field(ge=0)]
_Text = Annotated[str | None, Field(max_length=1_024)]


class WantedGrant(RequestBody):
    """What an account is to have in a group or project itself."""

    account_id: _Number = None
    username: _Text = None
    resource_type: _Text = None
    resource_id: _Number = None
    resource_path: _Text = None
    access_level: _Number = None
    expires_at: _Text = None


class DesiredAccessBody(RequestBody):
    """Wanted access: `grants`, or the same as text in `csv`. A body of `text/csv` is that text itself."""

    grants: list[WantedGrant] | None = None
    csv: str | None = None

    @model_validator(mode="after")
    def _has_one(self) -> "DesiredAccessBody":
        if (self.grants is None) == (self.csv is None):
            raise rule("needs either grants or csv")
        return self


class DriftView(BaseModel):
    """One difference between what is wanted and what the last sync has read."""

    kind: DriftKind
    account_id: int
    resource_type: ResourceType
    resource_id: int
    wanted_level: int
    wanted_expires_at: int | None
    access_level: int | None
    expires_at: int | None

    @classmethod
    def of(cls, one: Drift) -> "DriftView":
        """Show a difference."""
        wanted, held = one.wanted, one.held
        return cls(
            kind=one.kind,
            account_id=wanted.account_id,
            resource_type=wanted.resource_type,
            resource_id=wanted.resource_id,
            wanted_level=wanted.access_level,
            wanted_expires_at=midnight(wanted.expires_on),
            access_level=held.access_level if held else None,
            expires_at=midnight(held.expires_on) if held else None,
        )


class DesiredAccess(BaseModel):
    """What differs from the wanted access, and the plan that ends it."""

    plan: PlanView | None
    drift: list[DriftView]


class DesiredAccessRoutes:
    """Access as code."""

    def __init__(
        self,
        service: PlanService,
        store: DesiredStore,
        directory: Directory,
        memberships: Memberships,
        audit: Audit,
        now: Callable[[], float],
    ) -> None:
        self._service, self._store, self._directory, self._memberships = service, store, directory, memberships
        self._audit, self._now = audit, now

    def routes(self) -> list[Route]:
        """Give all routes."""
        path = "/v1/integrations/<integration_id>/desired-access"
        return [
            Route(method="PUT", path=path, handler=self.put, role=Role.ADMIN, status=201, text_field="csv",
                  operation="put_desired_access", summary="Say who is to have what, and plan the difference")
        ]  # fmt: skip

    def put(
        self,
        integration_id: Annotated[str, Path()],
        body: DesiredAccessBody,
        caller: Caller,
        seed: Seed,
        dry_run: Annotated[bool, Query()] = True,  # noqa: FBT002 - a parameter of the query
    ) -> DesiredAccess:
        """Compare wanted access with what the last sync has read, and make a plan of the difference alone.

        Accounts and resources that no row names are not touched; a level of 0 wants no direct membership. A dry run,
        the default, only shows the drift. Else the plan is made, and what is wanted is kept, so that later syncs report
        when it is no longer so (incident `access_drift`); wanting nothing (`grants: []`) ends that. The body may
        also be the text of `csv` itself, as `text/csv`.
        """
        rows = (
            rows_of_csv(body.csv)
            if body.csv is not None
            else rows_of_json(one.model_dump() for one in body.grants or ())
        )
        if len(rows) > MOST_ROWS:
            raise unfit("body.csv" if body.csv is not None else "body.grants", f"has more than {MOST_ROWS} rows")
        wanted = wanted_of(integration_id, rows, self._directory)
        found = drift_of(integration_id, wanted, self._memberships, today_of(self._now()))
        plan = None
        if not dry_run:
            operations = [one.operation for one in found]
            check_count(operations)
            if operations:
                made = self._service.make(
                    integration_id, operations, note="Desired access", actor=caller.token_id, seed=seed
                )
                plan = PlanEnvelope.of(*made, now=self._now()).plan
            told = {"rows": len(wanted), "drift": len(found)}
            self._audit.record(
                AuditAction.DESIRED_ACCESS_STORE,
                actor=caller.token_id,
                integration_id=integration_id,
                target=integration_id,
                after=told,
            )
            self._store.put(integration_id, wanted, by=caller.token_id, at=int(self._now()))
        return DesiredAccess(plan=plan, drift=[DriftView.of(one) for one in found])
