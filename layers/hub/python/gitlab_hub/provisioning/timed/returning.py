"""Taking access back when its time is over: whatever was done or not before, it counts what GitLab shows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.provisioning.errors import OutOfSight
from gitlab_hub.provisioning.model import Plan, PlanStatus, Step
from gitlab_hub.provisioning.planner import Planner
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.service import usable
from gitlab_hub.provisioning.states import Membership, membership_of
from gitlab_hub.provisioning.store import PlanStore
from gitlab_hub.provisioning.timed.ending import End, end_of, gitlab_has_ended, taking_back
from gitlab_hub.provisioning.timed.incidents import LATE, RequestIncidents
from gitlab_hub.provisioning.timed.model import GIVEN, AccessRequest, RequestStatus
from gitlab_hub.provisioning.timed.plans import HUB, RequestPlans
from gitlab_hub.provisioning.timed.store import RequestStore

AGAIN_SECONDS = 50
"""After which a request that was looked at, and has more to come, is looked at again: by the next tick."""

SLOWEST_SECONDS = 1_800
"""Between plans that are to end access, where they fail again and again."""

BY_HAND = "changed_by_hand"

CarryOn = Callable[[Plan, frozenset[int]], None]
"""Works on a plan, as far as that goes now; steps of these numbers are not begun any more."""

_ALL: frozenset[int] = frozenset()
"""No step is left out."""


class NotYet(Exception):
    """Access is not taken back yet; the text is the code of what is in the way."""


class Returning:
    """Takes access back. All calls block."""

    def __init__(
        self,
        *,
        requests: RequestStore,
        plans: PlanStore,
        making: RequestPlans,
        planner: Planner,
        gitlabs: GitLabs,
        incidents: RequestIncidents,
        audit: Audit,
        now: Callable[[], float],
    ) -> None:
        self._requests, self._plans, self._making, self._planner = requests, plans, making, planner
        self._gitlabs, self._incidents, self._audit, self._now = gitlabs, incidents, audit, now

    def take(self, request: AccessRequest, given: Plan, step: Step, carry_on: CarryOn) -> AccessRequest:
        """Take back what a step of a plan, which is settled, has given. Raises NotYet or HubError."""
        connection = usable(self._gitlabs.connection(request.integration_id), to_end=True)
        self._last_try(request, carry_on)
        current = self._current(request)
        if current.status not in GIVEN:
            return current
        try:
            verdict, now_is = self._verdict(connection, step)
        except OutOfSight as error:
            if not gitlab_has_ended(step, today=self._today()):
                raise
            return self._over(replace(current, error=current.error or error.code), by_hand=0)
        if verdict is End.TAKE_BACK:
            self._try(connection, current, given, step, carry_on)
            current = self._current(request)
            verdict, now_is = self._verdict(connection, step)
        if verdict is End.TAKE_BACK:
            raise NotYet(self._why_not(current))
        if verdict is End.WATCH:
            return current
        by_hand = now_is.access_level if now_is is not None and verdict is End.BY_HAND else 0
        return self._over(current, by_hand=by_hand)

    def _verdict(self, connection: GitLabConnection, step: Step) -> tuple[End, Membership | None]:
        now_is = membership_of(self._planner.state(connection, step.operation))
        return end_of(step, now_is, now=int(self._now()), today=self._today()), now_is

    def _last_try(self, request: AccessRequest, carry_on: CarryOn) -> None:
        """Go on with a plan that is to end a request."""
        last = self._end_plan(request)
        if last is None or last.status is not PlanStatus.APPLYING:
            return
        carry_on(last, _ALL)
        last = self._end_plan(request)
        if last is not None and last.status is PlanStatus.APPLYING:
            raise NotYet("gitlab_unavailable")

    def _try(
        self, connection: GitLabConnection, request: AccessRequest, given: Plan, step: Step, carry_on: CarryOn
    ) -> None:
        """Begin a plan that ends a request, and work on it: ever more seldom, as each leaves a trace."""
        last = self._end_plan(request)
        wait = min(AGAIN_SECONDS * 2 ** min(request.end_tries, 10), SLOWEST_SECONDS)
        if last is not None and self._now() < last.created_at + wait:
            return
        end = self._making.take_back(request, self._way_back(connection, step), given=given)
        if end is None:
            raise NotYet("conflict")
        carry_on(end, _ALL)

    def _way_back(self, connection: GitLabConnection, given: Step) -> Step:
        """The step that leads back; where it is refused, that shows in what becomes of it."""
        back = self._making.step(connection, taking_back(given, today=self._today()), to_end=True)
        if str(Code.BELOW_INHERITED_LEVEL) not in back.refusals:
            return back
        return self._making.step(connection, taking_back(given, today=self._today(), lowers=False), to_end=True)

    def _over(self, request: AccessRequest, *, by_hand: int) -> AccessRequest:
        """Note that a request is over; `by_hand`: the level that a person gave, which stays."""
        error = BY_HAND if by_hand else request.error
        self._audit.record(
            AuditAction.ACCESS_REQUEST_END,
            actor=request.ended_by or HUB,
            integration_id=request.integration_id,
            target=request.id,
            after={"account_id": request.account_id, "full_path": request.full_path, "error": error},
        )
        # Before it is written: who comes after a crash does it again, and nobody looks at what is over.
        self._incidents.close(LATE, request)
        if by_hand:
            self._incidents.by_hand(request, by_hand)
        was_given = request.granted_at is not None or by_hand or not error
        status = RequestStatus.ENDED if was_given else RequestStatus.FAILED
        return self._requests.next(request, status=status, ended_at=int(self._now()), error=error)

    def _why_not(self, request: AccessRequest) -> str:
        """What stood against the last try to end a request."""
        plan = self._end_plan(request)
        codes = [step.error for step in self._plans.steps(plan)] if plan is not None else []
        return next(filter(None, codes), "gitlab_unavailable")

    def _end_plan(self, request: AccessRequest) -> Plan | None:
        return None if request.end_plan_id is None else self._plans.get(request.integration_id, request.end_plan_id)

    def _current(self, request: AccessRequest) -> AccessRequest:
        return self._requests.get(request.integration_id, request.id) or request

    def _today(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).date().isoformat()


def code_of(error: HubError | NotYet) -> str:
    """What is in the way, as a code."""
    return error.code if isinstance(error, HubError) else str(error)
