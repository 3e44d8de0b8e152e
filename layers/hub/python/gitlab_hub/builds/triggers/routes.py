"""The routes of triggers."""

from collections.abc import Callable
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.builds.triggers.matching import TriggerMatcher
from gitlab_hub.builds.triggers.model import Trigger
from gitlab_hub.builds.triggers.requests import DryRunBody, TriggerBody, TriggerPatchBody
from gitlab_hub.builds.triggers.service import Position, TriggerResult, TriggerService
from gitlab_hub.builds.triggers.store import TriggerStore
from gitlab_hub.builds.triggers.views import (
    DryRunAnswer,
    RemovedTrigger,
    TriggerEnvelope,
    TriggerList,
    TriggerView,
    WarningView,
)
from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.webhooks.event import HookEvent
from gitlab_hub.gitlab.webhooks.parse import parse
from gitlab_hub.ids import owner_of
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor

BASE = "/v1/triggers"
ONE = f"{BASE}/<trigger_id>"

TriggerId = Annotated[str, Path()]
OfIntegration = Annotated[
    str | None, Query(min_length=1, max_length=100, description="Only the triggers of this integration.")
]


class TriggerRoutes:
    """Triggers: admins manage them, viewers read them, and who may run builds may dry-run one."""

    def __init__(
        self,
        *,
        service: TriggerService,
        store: TriggerStore,
        matcher: TriggerMatcher,
        cursors: Cursors,
        delivered: Callable[[str], HookEvent],
    ) -> None:
        """`delivered`: the event that came with a delivery; raises NotFound."""
        self._service, self._store, self._matcher, self._cursors = service, store, matcher, cursors
        self._delivered = delivered

    def routes(self) -> list[Route]:
        """Give all routes."""
        create, patch, delete, dry_run = self.create, self.patch, self.delete, self.dry_run
        return [
            Route(method="POST", path=BASE, handler=create, role=Role.ADMIN, status=201, summary="Make a trigger"),
            Route(method="GET", path=BASE, handler=self.list_all, role=Role.VIEWER, summary="List triggers"),
            Route(method="GET", path=ONE, handler=self.get, role=Role.VIEWER, summary="Read one trigger"),
            Route(method="PATCH", path=ONE, handler=patch, role=Role.ADMIN, summary="Change a trigger"),
            Route(method="DELETE", path=ONE, handler=delete, role=Role.ADMIN, summary="Remove a trigger"),
            Route(method="POST", path=f"{ONE}/test", handler=dry_run, role=Role.DEVELOPER,
                  summary="Say what a trigger would make of an event"),
        ]  # fmt: skip

    def create(self, body: TriggerBody, caller: Caller, seed: Seed) -> TriggerEnvelope:
        """Make a trigger."""
        _see(caller, body.integration_id)
        return _made(self._service.create(body.integration_id, body, actor=caller.token_id, seed=seed))

    def list_all(
        self,
        caller: Caller,
        integration_id: OfIntegration = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> TriggerList:
        """List triggers in order of their integrations' ids and their own. A page may be short; the cursor counts."""
        listing = f"triggers\n{integration_id or ''}"
        opened = self._cursors.open(listing, cursor)
        after: Position | None = None if opened is None else (opened[0], opened[1])
        if integration_id is None:
            page = self._service.of_all(caller.integration_ids, after, limit)
        else:
            _see(caller, integration_id)
            page = self._service.of_integration(integration_id, after, limit)
        return TriggerList(
            triggers=[TriggerView.of(one) for one in page.triggers],
            next_cursor=self._cursors.following(listing, page.next),
        )

    def get(self, trigger_id: TriggerId) -> TriggerEnvelope:
        """Read one trigger."""
        return _made(self._service.read(trigger_id))

    def patch(self, trigger_id: TriggerId, body: TriggerPatchBody, caller: Caller) -> TriggerEnvelope:
        """Change a trigger; what is left out stays."""
        return _made(self._service.change(trigger_id, body, actor=caller.token_id))

    def delete(self, trigger_id: TriggerId, caller: Caller) -> RemovedTrigger:
        """Remove a trigger; what it has built stays."""
        self._service.remove(trigger_id, actor=caller.token_id)
        return RemovedTrigger()

    def dry_run(self, trigger_id: TriggerId, body: DryRunBody) -> DryRunAnswer:
        """Say whether an event would be built, and why; nothing is kept or sent. The payload decides what it is.

        A delivery that came counts as far as the hub has kept it.
        """
        found = self._service.read(trigger_id)
        event = self._event(found.trigger, body)
        return DryRunAnswer.of(
            self._matcher.dry_run(found.trigger, event),
            found.trigger,
            event=event.kind,
            warnings=found.warnings,
        )

    def _event(self, trigger: Trigger, body: DryRunBody) -> HookEvent:
        """What the trigger is tried with. Raises NotFound for a delivery of another integration."""
        if body.delivery_id is None:
            return parse(body.event or "", body.payload or {})
        if owner_of(body.delivery_id) != trigger.integration_id:
            raise NotFound("There is no such delivery.")
        return self._delivered(body.delivery_id)


def _see(caller: Caller, integration_id: str) -> None:
    if not caller.can_see(integration_id):
        raise NotFound("There is no such integration.")


def _made(made: TriggerResult) -> TriggerEnvelope:
    return TriggerEnvelope(trigger=TriggerView.of(made.trigger), warnings=WarningView.of(made.warnings))
