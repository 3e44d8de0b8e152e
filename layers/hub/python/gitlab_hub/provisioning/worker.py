"""What carries plans out: started when one is applied, and by the minute's tick for those that were left."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.execution import Execution
from gitlab_hub.provisioning.ledger import Ledger
from gitlab_hub.provisioning.model import Plan, PlanStatus, Step, StepStatus, ended, in_order
from gitlab_hub.provisioning.ports import Refresh
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.service import usable
from gitlab_hub.provisioning.store import PlanStore, subject_of
from gitlab_hub.provisioning.timed.model import is_request
from gitlab_hub.provisioning.timed.worker import TimedAccess
from gitlab_hub.storage.due import Due
from gitlab_hub.storage.ports import StorageUnavailable, UnknownSchema

NEEDED_SECONDS = 75.0
"""What one step may take: two looks at GitLab of twenty seconds each, and a write of twenty-five."""

AGAIN_SECONDS = 50
"""After which a plan that was taken up is looked at again, if it is still being applied: by the next tick."""

GIVEN_UP_AFTER_SECONDS = 86_400
"""A GitLab that is away for longer than a day will not be changed by surprise when it comes back."""

MOST_PLANS = 50
"""Plans and requests for access that one tick looks at."""

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
        timed: TimedAccess,
        now: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._store, self._ledger, self._execution = store, ledger, execution
        self._gitlabs, self._refresh, self._now, self._new_id = gitlabs, refresh, now, new_id
        self._timed = timed

    def tick(self, remaining: Callable[[], float]) -> dict[str, int]:
        """Go on with what is due, within `remaining()` seconds; called too often it has no further effect."""
        taken = 0
        due_now = (one for page in self._store.due.pages(int(self._now())) for one in page)
        for due in islice(due_now, MOST_PLANS):
            if remaining() < NEEDED_SECONDS:
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
                self._carry_on(plan, remaining)
                taken += 1
            self._store.due.drop([due])
        return {"plans": taken}

    def _carry_on(self, plan: Plan, remaining: Callable[[], float]) -> None:
        try:
            connection = usable(self._gitlabs.connection(plan.integration_id), to_end=plan.ends_access)
        except HubError as error:
            self._give_up(plan, self._store.steps(plan), error.code, str(error))
            return
        owner = self._new_id()
        if not self._ledger.take(connection.base_url, owner=owner, now=int(self._now())):
            return  # Another worker writes there; a later tick looks again.
        # Given back only at a clean end: after a crash the next worker waits until this one cannot be alive any more.
        self._work(connection, plan, remaining)
        self._ledger.end(connection.base_url, owner=owner)

    def _work(self, connection: GitLabConnection, plan: Plan, remaining: Callable[[], float]) -> None:
        # Read under the lease: what was read before may be another worker's past.
        steps = {step.index: step for step in self._store.steps(plan)}
        order = in_order({number: step.operation for number, step in steps.items()})
        for number in order:
            if steps[number].is_settled:
                continue
            if remaining() < NEEDED_SECONDS:
                return
            if plan.not_after is not None and self._now() >= plan.not_after:
                steps[number] = self._failed(plan, steps[number], str(Code.EXPIRES_IN_PAST), _TOO_LATE)
                continue
            try:
                steps[number] = self._execution.carry_out(connection, plan, steps[number])
            except GitLabError as error:
                if not error.retryable:
                    steps[number] = self._failed(plan, steps[number], error.code, str(error))
                    continue
                self._wait(plan, list(steps.values()), error.code, str(error))
                return
            if not steps[number].is_settled:
                self._wait(plan, list(steps.values()), "gitlab_unavailable", "GitLab took no changes for a day.")
                return
            self._refreshed(plan, steps[number])
        self._finish(plan, list(steps.values()))

    def _wait(self, plan: Plan, steps: Sequence[Step], code: str, hint: str) -> None:
        """Leave a plan to the next tick, so that its order stays; after a day give it up."""
        if int(self._now()) - (plan.applied_at or 0) > GIVEN_UP_AFTER_SECONDS:
            self._give_up(plan, steps, code, hint)

    def _give_up(self, plan: Plan, steps: Sequence[Step], code: str, hint: str) -> None:
        """End what is left of a plan; of what may have gone out unanswered, the audit log has the line."""
        left = [step if step.is_settled else self._failed(plan, step, code, hint) for step in steps]
        self._finish(plan, left)

    def _failed(self, plan: Plan, step: Step, code: str, hint: str) -> Step:
        status = StepStatus.FAILED if step.tries else StepStatus.SKIPPED
        return self._store.save_step(plan, step.settled(status, at=int(self._now()), error=code, hint=hint))

    def _finish(self, plan: Plan, steps: Sequence[Step]) -> None:
        done = replace(plan, status=ended(steps), finished_at=int(self._now()), version=plan.version + 1)
        self._store.save(done)

    def _refreshed(self, plan: Plan, step: Step) -> None:
        """Have the mirror read what has changed; where that fails, the next sync does."""
        if step.status not in {StepStatus.APPLIED, StepStatus.ACCEPTED}:
            return
        kind, number = step.operation.where
        if kind is None:
            return  # No small read is of an account; the next sync lists all of them.
        read = self._refresh.group if kind is ResourceType.GROUP else self._refresh.project
        with suppress(StorageUnavailable):
            read(plan.integration_id, number)
