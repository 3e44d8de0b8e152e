"""What sees requests through: gives what was approved, and takes it back when its time is over.

A request that is not over has a row among what is due at all times. It is moved on before anything is done, so
whatever becomes of a worker, a later tick looks again.
"""

from collections.abc import Callable
from dataclasses import replace

from gitlab_hub.errors import HubError
from gitlab_hub.provisioning.model import Plan, Step, StepStatus
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.store import PlanStore
from gitlab_hub.provisioning.timed.incidents import LATE, LATE_AFTER_SECONDS, RequestIncidents
from gitlab_hub.provisioning.timed.model import GIVEN, AccessRequest, RequestStatus, request_of
from gitlab_hub.provisioning.timed.returning import AGAIN_SECONDS, CarryOn, NotYet, Returning, code_of
from gitlab_hub.provisioning.timed.store import RequestStore, subject_of
from gitlab_hub.storage.due import Due
from gitlab_hub.storage.ports import StorageRefused, StorageUnavailable, UnknownSchema


class TimedAccess:
    """Sees requests through. All calls block."""

    def __init__(
        self,
        *,
        requests: RequestStore,
        plans: PlanStore,
        returning: Returning,
        incidents: RequestIncidents,
        now: Callable[[], float],
    ) -> None:
        self._requests, self._plans, self._returning = requests, plans, returning
        self._incidents, self._now = incidents, now

    def look(self, due: Due, integration_id: str, name: str, carry_on: CarryOn) -> bool:
        """Do what is to be done now about the request that a row names; False where that is nothing."""
        try:
            request = self._requests.get(integration_id, name.partition(".")[0])
            waits = request is not None and (request.awaits_review or next_look(request, int(self._now())) is not None)
            if request is not None and waits:
                self._work(request, carry_on)
        except UnknownSchema:
            return False  # It waits for the release that knows it.
        self._requests.due.drop([due])
        return waits

    def was_ended(self, plan: Plan, step: Step) -> bool:
        """Whether somebody has ended what a step gives for a while, before it was given."""
        name = None if plan.undoes is not None else request_of(plan, step)
        request = None if name is None else self._requests.get(plan.integration_id, name)
        return request is not None and request.ends_at is not None and self._now() >= request.ends_at

    def _work(self, request: AccessRequest, carry_on: CarryOn) -> None:
        """Bring a request as far as it goes now, with a row for the next look at every moment."""
        soon = Due(subject_of(request), int(self._now()) + AGAIN_SECONDS, request.id)
        self._requests.due.add([soon])
        at = next_look(self._seen_through(request, carry_on), int(self._now()))
        if at != soon.at:
            self._requests.due.add([] if at is None else [replace(soon, at=at)])
            self._requests.due.drop([soon])

    def _seen_through(self, request: AccessRequest, carry_on: CarryOn) -> AccessRequest:
        """Bring a request as far as it goes now."""
        now = int(self._now())
        if request.awaits_review:
            self._incidents.break_glass(request)
        if request.status_at(now) is RequestStatus.EXPIRED and request.status is RequestStatus.PENDING:
            return self._requests.next(request, status=RequestStatus.EXPIRED)
        if request.status is RequestStatus.APPROVED:
            request = self._given(request)
        if request.status not in GIVEN or request.ends_at is None or now < request.ends_at:
            return request
        try:
            return self._ended(request, carry_on)
        except (StorageUnavailable, StorageRefused):
            raise
        except (HubError, NotYet) as error:
            if self._now() - request.ends_at >= LATE_AFTER_SECONDS:
                self._incidents.late(request, code_of(error))
            return self._requests.get(request.integration_id, request.id) or request

    def _given(self, request: AccessRequest) -> AccessRequest:
        """Note what became of the step that gives the access."""
        _, step = self._plans.step(request.integration_id, str(request.plan_id), request.step_index)
        if not step.is_settled:
            return request
        if step.status is StepStatus.APPLIED:
            return self._requests.next(request, status=RequestStatus.ACTIVE, granted_at=step.settled_at)
        if request.error is not None:
            return request
        if step.status is StepStatus.ACCEPTED:
            return self._requests.next(request, error=str(Code.QUEUED_FOR_APPROVAL))
        error = step.error or "access_held"
        if not step.tries:
            self._incidents.close(LATE, request)
            failed = {"status": RequestStatus.FAILED, "error": error}
            withdrawn = {"status": RequestStatus.ENDED, "ended_at": int(self._now())}
            return self._requests.next(request, **(failed if request.ended_by is None else withdrawn))
        # Something went out, and may have been done, or be done yet: it ends now.
        return self._requests.next(request, error=error, ends_at=min(request.ends_at or 0, int(self._now())))

    def _ended(self, request: AccessRequest, carry_on: CarryOn) -> AccessRequest:
        """A request whose time is over, as far as it could be ended. Raises NotYet or HubError."""
        plan, step = self._plans.step(request.integration_id, str(request.plan_id), request.step_index)
        if not step.is_settled:
            carry_on(plan, frozenset({step.index}))
            raise NotYet("still_being_given")
        return self._returning.take(request, plan, step, carry_on)


def next_look(request: AccessRequest, now: int) -> int | None:
    """When a request is to be looked at again; None where nothing more is to come."""
    wanted: list[int] = []
    if request.status is RequestStatus.PENDING:
        wanted.append(request.valid_until)
    elif request.status is RequestStatus.ACTIVE or (request.status is RequestStatus.APPROVED and request.error):
        wanted.append(request.ends_at or 0)
    elif request.status is RequestStatus.APPROVED:
        wanted.append(now + AGAIN_SECONDS)
    if request.awaits_review and request.review_due_at is not None and now < request.review_due_at:
        wanted.append(request.review_due_at)
    soonest = min(wanted, default=None)
    return None if soonest is None else soonest if soonest > now else now + AGAIN_SECONDS
