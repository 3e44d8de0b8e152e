"""Plans and their steps in the access table.

`<integration>#plans` holds a row per plan, `#plan_steps` its operations under `<plan>#<index>`. Steps are written
before the plan, whose row makes them visible. What is being applied also has a row among what is due, so that a tick
finds it whatever becomes of the worker.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.provisioning.keys import PLANS, STEPS, due_plans
from gitlab_hub.provisioning.model import Call, Plan, PlanStatus, Step, StepStatus
from gitlab_hub.provisioning.operation import Kind, Operation
from gitlab_hub.provisioning.states import Instead, Membership, membership_of, state_of, stored
from gitlab_hub.storage.due import AT_ONCE, Due
from gitlab_hub.storage.ports import ABSENT, Item, Put, Table, UnknownSchema
from gitlab_hub.storage.rows import at_version, is_written, item_of, member_of, query_all, value_of

KEPT_SECONDS = 400 * 86_400
"""As long as the audit log."""

_SCHEMA = 1


class PlanStore:
    """The plans of every integration. All calls block."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.due = due_plans(table)

    def get(self, integration_id: str, plan_id: str) -> Plan | None:
        """Read one plan. Raises UnknownSchema."""
        row = self._table.get(partition(integration_id, PLANS), plan_id)
        return None if row is None else _plan(row)

    def page(self, integration_id: str, *, after: str | None, limit: int) -> tuple[list[Plan], str | None]:
        """List plans, newest first, behind an id; the answer is where to go on, None at the end."""
        rows = self._table.query(partition(integration_id, PLANS), after=after, limit=limit, forward=False)
        return [_plan(row) for row in rows.items], rows.last[1] if rows.last else None

    def steps(self, plan: Plan) -> list[Step]:
        """Read the steps of a plan in the order of their numbers."""
        rows = query_all(self._table, partition(plan.integration_id, STEPS), prefix=f"{plan.id}#")
        return [_step(row) for row in rows]

    def step(self, integration_id: str, plan_id: str, index: int) -> tuple[Plan, Step]:
        """Read a plan and its step of this number. Raises UnknownSchema, also where there is no such plan."""
        plan = self.get(integration_id, plan_id)
        row = self._table.get(partition(integration_id, STEPS), f"{plan_id}#{index:05d}")
        if plan is None or row is None:
            raise UnknownSchema("There is no such plan.")
        return plan, _step(row)

    def add(self, plan: Plan, steps: Sequence[Step]) -> None:
        """Write a new plan."""
        self._table.write([_step_row(plan, step) for step in steps])
        is_written(self._table.put, _plan_row(plan), ABSENT)

    def begin(self, plan: Plan, *beside: Put) -> bool:
        """Write that a plan is being applied, together with other rows; False where one is not as it was read."""
        head = Put(_plan_row(plan), at_version(plan.version - 1))
        row = self.due.item(Due(subject_of(plan), AT_ONCE, plan.id))
        return is_written(self._table.transact, [head, Put(row), *beside])

    def begin_new(self, plan: Plan, steps: Sequence[Step], *beside: Put) -> bool:
        """Write a new plan that is being applied already, together with other rows."""
        self._table.write([_step_row(plan, step) for step in steps])
        return self.begin(plan, *beside)

    def save(self, plan: Plan) -> bool:
        """Write the next version of a plan; False where it is not as it was read."""
        return is_written(self._table.put, _plan_row(plan), at_version(plan.version - 1))

    def save_step(self, plan: Plan, step: Step) -> Step:
        """Write the next version of a step and give it back. Raises ConditionFailed where somebody else has."""
        following = replace(step, version=step.version + 1)
        self._table.put(_step_row(plan, following), at_version(step.version))
        return following


def subject_of(plan: Plan) -> str:
    """The name of a plan among what is due."""
    return f"{plan.integration_id}#{plan.id}"


def _plan_row(plan: Plan) -> Item:
    key = {"pk": partition(plan.integration_id, PLANS), "sk": plan.id, "schema_version": _SCHEMA}
    # Not `expires_at`, which is the table's time to live.
    values = item_of(plan)
    values["valid_until"] = values.pop("expires_at")
    return {**key, **values, "expires_at": plan.created_at + KEPT_SECONDS}


def _plan(row: Item) -> Plan:
    if row["schema_version"] > _SCHEMA:
        raise UnknownSchema("This version does not know this plan.")
    return replace(
        value_of(Plan, {**row, "expires_at": row["valid_until"]}), status=member_of(PlanStatus, row["status"])
    )


def _step_row(plan: Plan, step: Step) -> Item:
    key = {"pk": partition(plan.integration_id, STEPS), "sk": f"{plan.id}#{step.index:05d}", "schema_version": _SCHEMA}
    values = item_of(step)
    values |= {"before": stored(step.before), "after": stored(step.after)}
    values |= {"calls": [asdict(call) for call in step.calls], "refusals": list(step.refusals)}
    return {**key, **values, "expires_at": plan.created_at + KEPT_SECONDS}


def _step(row: Item) -> Step:
    if row["schema_version"] > _SCHEMA:
        raise UnknownSchema("This version does not know this operation.")
    step = value_of(Step, row)
    return replace(
        step,
        operation=_operation(row["operation"]),
        before=state_of(row["before"]),
        after=state_of(row["after"]),
        instead=_instead(row.get("instead")),
        calls=tuple(value_of(Call, call) for call in row["calls"]),
        refusals=tuple(row["refusals"]),
        status=member_of(StepStatus, row["status"]),
    )


def _operation(row: dict[str, Any]) -> Operation:
    kind = row["resource_type"]
    place = None if kind is None else member_of(ResourceType, kind)
    named = {"kind": member_of(Kind, row["kind"]), "resource_type": place}
    return value_of(Operation, {**row, **named})


def _instead(row: dict[str, Any] | None) -> Instead | None:
    if row is None:
        return None
    before, after = membership_of(state_of(row["before"])), value_of(Membership, row["after"])
    return Instead(account_id=row["account_id"], before=before, after=after)
