"""What carries plans out: started when one is applied, and by the minute's tick for those that were left."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from gitlab_hub.errors import FeatureDisabled, HubError, IntegrationPaused
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.execution import Execution
from gitlab_hub.provisioning.ledger import Ledger
from gitlab_hub.provisioning.listed import Listed
from gitlab_hub.provisioning.model import Plan, PlanStatus, Step, StepStatus, ended
from gitlab_hub.provisioning.operation import Operation, in_order
from gitlab_hub.provisioning.ports import Inventory, Refresh
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.service import usable
from gitlab_hub.provisioning.store import PlanStore, subject_of
from gitlab_hub.provisioning.timed.model import is_request
from gitlab_hub.provisioning.timed.worker import TimedAccess
from gitlab_hub.storage.due import Due
from gitlab_hub.storage.ports import ConditionFailed, StorageUnavailable, UnknownSchema

NEEDED_SECONDS = 110.0
"""What one step may take: two looks at GitLab of twenty seconds each, and a write of twenty-five; and two lists of
members for an invitation, or another look at what GitLab does in the background."""

AGAIN_SECONDS = 50
"""After which a plan that was taken up is looked at again, if it is still being applied: by the next tick."""

GIVEN_UP_AFTER_SECONDS = 86_400
"""A GitLab that is away for longer than a day will not be changed by surprise when it comes back."""

MOST_PLANS = 100
"""Plans and requests for access that one tick works on: so many ends of access fit into its time.

Rows that nothing is left to do for do not count. Each request that was ended leaves one of its plan, and these would be
all that the next tick comes to.
"""

_TOO_LATE = "It could not be given before it would have been over. Ask for it anew."


class Provisioner:
    """Carries out plans that are being applied: one worker per GitLab at a time, one step after the other."""

    def __init__(
        self,
        *,
        store: PlanStore,
        ledger: Ledger,
        execution: Execution,
        gitlabs: GitLabs,
        refresh: Refresh,
        inventory: Inventory,
        timed: TimedAccess,
        now: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._store, self._ledger, self._execution = store, ledger, execution
        self._gitlabs, self._refresh, self._now, self._new_id = gitlabs, refresh, now, new_id
        self._inventory = inventory
        self._timed = timed

    def tick(self, remaining: Callable[[], float]) -> dict[str, int]:
        """Go on with what is due, within `remaining()` seconds; called too often it has no further effect."""
        taken = 0
        due_now = (one for page in self._store.due.pages(int(self._now())) for one in page)
        for due in due_now:
            if taken >= MOST_PLANS or remaining() < NEEDED_SECONDS:
                break
            integration_id, _, plan_id = due.subject.rpartition("#")
            if is_request(plan_id):
                taken += self._timed.look(due, integration_id, plan_id, partial(self._carry_on, remaining=remaining))
                continue
            try:
                plan = self._store.get(integration_id, plan_id)
            except UnknownSchema:
                continue  # It waits for the release that knows it.
            if plan is not None and plan.status is PlanStatus.APPLYING:
                # Moved on first: whatever becomes of this worker, a later tick finds the plan.
                self._store.due.add([Due(subject_of(plan), int(self._now()) + AGAIN_SECONDS, plan_id)])
                with suppress(UnknownSchema):  # It waits for the release that knows its steps.
                    self._carry_on(plan, frozenset(), remaining=remaining)
                    taken += 1
            self._store.due.drop([due])
        return {"plans": taken}

    def _carry_on(self, plan: Plan, over: frozenset[int], *, remaining: Callable[[], float]) -> None:
        """Work on a plan; of the steps in `over` is known that what they give would be over."""
        connection = self._gitlabs.connection(plan.integration_id)
        if connection is None:
            self._work(plan, over, remaining)
            return
        owner = self._new_id()
        if not self._ledger.take(connection.base_url, owner=owner, now=int(self._now()), lives=remaining()):
            return  # Another worker writes there; a later tick looks again.
        self._execution.begin()
        # Given back only where nothing is under way any more: after a crash the next worker waits until this one cannot
        # be alive.
        try:
            self._work(plan, over, remaining)
        except (HubError, UnknownSchema):
            with suppress(HubError):
                self._ledger.end(connection.base_url, owner=owner)
            raise
        self._ledger.end(connection.base_url, owner=owner)

    def _work(self, plan: Plan, over: frozenset[int], remaining: Callable[[], float]) -> None:
        # Read under the lease: what was read before may be another worker's past.
        steps = {step.index: step for step in self._store.steps(plan)}
        # Without a connection there is no lease; of two workers that give a plan up, one leaves it to the other.
        with suppress(ConditionFailed):
            # Whatever has to wait: nobody is to look for the end of what was never given.
            steps |= {number: self._left_out(plan, step) for number, step in steps.items()
                      if not (step.is_settled or step.tries) and self._is_over(plan, step, over)}  # fmt: skip
            for number in in_order({number: step.operation for number, step in steps.items()}):
                if steps[number].is_settled:
                    continue
                if remaining() < NEEDED_SECONDS:
                    return
                held = self._execution.held_back(plan, steps[number], steps.values())
                steps[number] = held or self._settled(plan, steps[number], over)
                if not steps[number].is_settled:
                    return  # The next tick goes on here, so that the order stays.
                self._refreshed(plan, steps[number])
            self._finish(plan, list(steps.values()))

    def _settled(self, plan: Plan, step: Step, over: frozenset[int]) -> Step:
        """Bring a step to its end, by what the integration may do at this moment; a pending one is to be tried again.

        After a day it is given up.
        """
        is_old = int(self._now()) - (plan.applied_at or 0) > GIVEN_UP_AFTER_SECONDS
        error: HubError
        try:
            done = self._attempted(plan, step, over)
            if done.is_settled or not is_old:
                return done
            return self._execution.give_up(plan, done, "gitlab_unavailable", "GitLab took no changes for a day.")
        except GitLabError as failed:
            if failed.retryable and not is_old:
                return step
            error = failed
        except (IntegrationPaused, FeatureDisabled) as refused:
            error = refused
        return self._execution.give_up(plan, step, error.code, str(error))

    def _attempted(self, plan: Plan, step: Step, over: frozenset[int]) -> Step:
        """Carry a step out, or end one that must not be sent (any more). Raises GitLabError or IntegrationPaused."""
        connection = usable(self._gitlabs.connection(plan.integration_id), to_end=True)
        if self._is_over(plan, step, over):
            return self._execution.settle(connection, plan, step, str(Code.EXPIRES_IN_PAST), _TOO_LATE)
        try:
            usable(connection, to_end=plan.ends_access)
        except FeatureDisabled as error:
            return self._execution.settle(connection, plan, step, error.code, str(error))
        return self._execution.carry_out(connection, plan, step)

    def _is_over(self, plan: Plan, step: Step, over: frozenset[int]) -> bool:
        """Whether what a step gives would be over."""
        ends = (plan.not_after, step.operation.until)
        is_late = step.index in over or any(end is not None and self._now() >= end for end in ends)
        return is_late or self._timed.was_ended(plan, step)

    def _left_out(self, plan: Plan, step: Step) -> Step:
        return self._execution.give_up(plan, step, str(Code.EXPIRES_IN_PAST), _TOO_LATE)

    def _finish(self, plan: Plan, steps: Sequence[Step]) -> None:
        done = replace(plan, status=ended(steps), finished_at=int(self._now()), version=plan.version + 1)
        self._store.save(done)

    def _refreshed(self, plan: Plan, step: Step) -> None:
        """Have the mirror read what has changed; where that fails, the next sync does."""
        if step.status not in {StepStatus.APPLIED, StepStatus.ACCEPTED} and step.instead is None:
            return
        one = step.operation
        if one.credential_kind is not None:
            self._noted_as_ended(plan, one)
            return
        kind, number = one.where
        if kind is None:
            return  # No small read is of an account; the next sync lists all of them.
        read = self._refresh.group if kind is ResourceType.GROUP else self._refresh.project
        with suppress(StorageUnavailable):
            read(plan.integration_id, number)

    def _noted_as_ended(self, plan: Plan, one: Operation) -> None:
        listed = Listed(
            kind=CredentialKind(one.credential_kind or ""),
            id=one.credential_id,
            account_id=one.account_id or None,
            resource_type=one.resource_type,
            resource_id=one.resource_id or None,
        )
        with suppress(StorageUnavailable):
            self._inventory.ended(plan.integration_id, listed)
