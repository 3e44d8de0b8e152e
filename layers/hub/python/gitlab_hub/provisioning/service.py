"""What can be done with plans: make one, apply it, take it back."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.errors import Conflict, FeatureDisabled, IntegrationPaused, NotFound
from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.gitlab.errors import Unauthorized
from gitlab_hub.provisioning.errors import PlanBlocked, PlanDrifted, PlanExpired, PlanNotApplied
from gitlab_hub.provisioning.ledger import Ledger
from gitlab_hub.provisioning.limits import WINDOW_SECONDS, Spent, Touch, in_window, spending
from gitlab_hub.provisioning.listed import located
from gitlab_hub.provisioning.model import PLAN_SECONDS, Plan, PlanStatus, Step, plan_hash
from gitlab_hub.provisioning.operation import Operation
from gitlab_hub.provisioning.planner import Planner, limited
from gitlab_hub.provisioning.ports import Inventory
from gitlab_hub.provisioning.refusals import OVERRIDABLE
from gitlab_hub.provisioning.store import PlanStore
from gitlab_hub.provisioning.timed.in_plans import TimedSteps
from gitlab_hub.provisioning.undo import left_out, undoing
from gitlab_hub.storage.ports import Function, Put, StorageUnavailable

_TRIES = 3
"""Each looks at everything again, and a request through the gateway lives for 30 seconds."""


class PlanService:
    """Makes, applies and takes back plans. All calls block.

    What is to be carried out is written first, then the provisioner is started: where that fails, its next tick comes
    within a minute.
    """

    def __init__(
        self,
        store: PlanStore,
        ledger: Ledger,
        planner: Planner,
        gitlabs: GitLabs,
        provisioner: Function,
        timed: TimedSteps,
        inventory: Inventory,
        audit: Audit,
        now: Callable[[], float],
    ) -> None:
        self._timed, self._inventory = timed, inventory
        self.store, self._ledger, self._planner, self._gitlabs = store, ledger, planner, gitlabs
        self._provisioner, self._audit, self._now = provisioner, audit, now

    def plan(self, integration_id: str, plan_id: str) -> tuple[Plan, list[Step]]:
        """Read a plan. Raises NotFound."""
        plan = self.store.get(integration_id, plan_id)
        if plan is None:
            raise NotFound("There is no such plan.")
        return plan, self.store.steps(plan)

    def resolved(self, integration_id: str, named: Sequence[tuple[Operation, str | None]]) -> list[Operation]:
        """Operations whose groups and projects were named by full paths instead of ids, or not at all.

        Where a token or key is, the inventory knows. Raises NotInGitLab.
        """
        connection = self._connection(integration_id)
        paths = {
            (one.resource_type, path)
            for one, path in named
            if one.resource_type is not None and not one.resource_id and path is not None
        }
        ids = self._planner.ids_of(connection, paths) if paths else {}
        found = [
            one
            if one.resource_type is None or one.resource_id or path is None
            else replace(one, resource_id=ids[one.resource_type, path])
            for one, path in named
        ]
        return [located(one, partial(self._inventory.find, integration_id)) for one in found]

    def make(
        self,
        integration_id: str,
        operations: Sequence[Operation],
        *,
        note: str | None,
        actor: str,
        seed: str,
        undoes: str | None = None,
    ) -> tuple[Plan, list[Step]]:
        """Look at operations and keep what they come to. Nothing changes in GitLab."""
        connection, now = self._connection(integration_id), int(self._now())
        wanted = self._planner.expanded(connection, operations)
        steps, touches = self._planner.look(connection, dict(enumerate(wanted)))
        is_counted = not self._is_free(integration_id, undoes)
        steps = limited(steps, touches, self._spent(connection)[0]) if is_counted else steps
        steps = self._timed.checked(integration_id, steps)
        plan = Plan(
            id=f"plan_{now:08x}{hashlib.sha256(f'{integration_id}/{seed}'.encode()).hexdigest()[:12]}",
            integration_id=integration_id,
            hash=plan_hash(integration_id, steps),
            status=PlanStatus.BLOCKED if any(step.refusals for step in steps) else PlanStatus.READY,
            created_at=now,
            created_by=actor,
            expires_at=now + PLAN_SECONDS,
            step_count=len(steps),
            note=note,
            undoes=undoes,
        )
        told = {"operations": [step.sentence for step in steps], "status": str(plan.status), "hash": plan.hash}
        self._record(AuditAction.PLAN_CREATE, plan, actor, after=told | ({"undoes": undoes} if undoes else {}))
        self.store.add(plan, steps)
        return plan, steps

    def undo(self, integration_id: str, plan_id: str, *, actor: str, seed: str) -> tuple[Plan, list[Step]]:
        """Make a plan that takes back what a plan has done. Raises PlanNotApplied."""
        plan, steps = self.plan(integration_id, plan_id)
        over = self._timed.ended(plan, steps)
        left = [step for step in steps if step.index not in over]
        is_over = plan.status in {PlanStatus.APPLIED, PlanStatus.PARTLY_APPLIED}
        operations, for_good = (undoing(left), left_out(left)) if is_over else ([], [])
        if not operations:
            raise PlanNotApplied(
                "This plan has changed nothing (yet, or any more) that can be taken back.",
                details={"left_out": for_good},
            )
        note = f"Takes back {plan.id}{_without(for_good)}"
        return self.make(integration_id, operations, note=note, actor=actor, seed=seed, undoes=plan.id)

    def apply(
        self, integration_id: str, plan_id: str, *, shown: str, override: str | None, actor: str
    ) -> tuple[Plan, list[Step]]:
        """Have a plan carried out as it was shown (its hash); once it is, asking again changes nothing.

        Raises PlanDrifted, PlanExpired, PlanBlocked, GitLabError, or Conflict.
        """
        noted = False
        for _ in range(_TRIES):
            plan, steps = self.plan(integration_id, plan_id)
            if shown != plan.hash:
                raise PlanDrifted("This is not the hash of the plan. Read the plan again, and apply what it shows.")
            if plan.status not in {PlanStatus.READY, PlanStatus.BLOCKED}:
                return plan, steps
            if plan.status_at(self._now()) is PlanStatus.EXPIRED:
                raise PlanExpired("The plan is older than 15 minutes. Make a new one.")
            connection = self._connection(integration_id)
            _check_blocked(steps, override)
            touches = self._check_drift(connection, steps)
            spent, version = self._spent(connection)
            is_counted = not self._is_free(integration_id, plan.undoes)
            if is_counted:
                _check_blocked(limited(self._timed.checked(integration_id, steps), touches, spent), override)
            if not noted:
                reason = {"override": override} if override else {}
                self._record(AuditAction.PLAN_APPLY, plan, actor, after={"hash": plan.hash, **reason})
                noted = True
            began = self._began(plan, actor, override)
            spends = [] if not is_counted else [spending(touches, plan_id=plan.id, at=began.applied_at or 0)]
            row = self._ledger.spend(connection.base_url, [*spent, *spends], version=version, now=int(self._now()))
            if self.store.begin(began, row, *self._beside(began, steps)):
                with suppress(StorageUnavailable):
                    self._provisioner.start()
                return began, steps
        raise Conflict("Others change plans of this GitLab at the same moment; send it again.", retry_after=1)

    def _beside(self, began: Plan, steps: Sequence[Step]) -> list[Put]:
        """What is written with the beginning of a plan: the end of what it gives for a while, or takes back early."""
        if began.undoes is None:
            return self._timed.beginning(began, steps)
        undone, its_steps = self.plan(began.integration_id, began.undoes)
        return self._timed.ending(undone, its_steps, actor=began.applied_by or began.created_by)

    def _is_free(self, integration_id: str, undoes: str | None) -> bool:
        """Whether a plan is not limited: it takes back what was within the limits of this same day when it was done.

        What is older, and what does again what was taken back, counts like any other change.
        """
        was = None if undoes is None else self.store.get(integration_id, undoes)
        return was is not None and was.undoes is None and self._now() - (was.applied_at or 0) < WINDOW_SECONDS

    def _began(self, plan: Plan, actor: str, override: str | None) -> Plan:
        return replace(
            plan,
            status=PlanStatus.APPLYING,
            applied_at=int(self._now()),
            applied_by=actor,
            override=override,
            version=plan.version + 1,
        )

    def _connection(self, integration_id: str) -> GitLabConnection:
        return usable(self._gitlabs.connection(integration_id))

    def _spent(self, connection: GitLabConnection) -> tuple[list[Spent], int]:
        entries, version = self._ledger.spent(connection.base_url)
        return in_window(entries, self._now()), version

    def _check_drift(self, connection: GitLabConnection, steps: Sequence[Step]) -> list[Touch]:
        now_are, touches = self._planner.look(connection, {step.index: step.operation for step in steps})
        drifted = [was.index for was, now_is in zip(steps, now_are, strict=True) if _promise(was) != _promise(now_is)]
        if drifted:
            named = [{"index": one.index, "sentence": one.sentence} for one in now_are if one.index in drifted]
            raise PlanDrifted(
                "GitLab is no longer as the plan shows it. Make a new plan and look at it.",
                details={"operations": named},
            )
        return touches

    def _record(self, action: AuditAction, plan: Plan, actor: str, **details: object) -> None:
        self._audit.record(action, actor=actor, integration_id=plan.integration_id, target=plan.id, **details)


def usable(connection: GitLabConnection | None, *, to_end: bool = False) -> GitLabConnection:
    """A connection that may change access. Raises Unauthorized, IntegrationPaused or FeatureDisabled.

    `to_end`: it takes back what the hub itself gave for a while, which the feature need not be on for.
    """
    if connection is None:
        raise Unauthorized("The integration has no credential. Give it one first.", details={"reason": "unknown"})
    if connection.paused:
        raise IntegrationPaused("The integration is paused. Resume it first (PATCH with paused false).")
    if not connection.provisioning and not to_end:
        raise FeatureDisabled(
            "This integration may not change access in GitLab. Switch its feature provisioning on "
            '(PATCH with features {"provisioning": true}); the token needs the scope api.',
            details={"feature": "provisioning"},
        )
    return connection


def _without(for_good: Sequence[int]) -> str:
    """What a plan that takes another one back says of the operations that it leaves out."""
    if not for_good:
        return ""
    named = ", ".join(map(str, for_good))
    return f" without what is for good (operation{'s' * (len(for_good) != 1)} {named})"


def _promise(step: Step) -> Mapping[str, object]:
    """What must not have changed since the plan was shown; the limits are judged on their own."""
    return replace(step, refusals=tuple(code for code in step.refusals if code not in OVERRIDABLE)).promise


def _check_blocked(steps: Sequence[Step], override: str | None) -> None:
    set_aside = OVERRIDABLE if override else frozenset()
    blocked = [(step, left) for step in steps if (left := [one for one in step.refusals if one not in set_aside])]
    if blocked:
        raise PlanBlocked(
            "Operations of this plan are refused. Leave them out of a new plan, or remove what stands against them.",
            details={"operations": [{"index": step.index, "refusals": left} for step, left in blocked]},
        )
