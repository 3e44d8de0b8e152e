"""States and operations of all sorts as they are kept, compared and shown."""

from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.facts import Hand
from gitlab_hub.provisioning.limits import beyond
from gitlab_hub.provisioning.model import Plan, PlanStatus, Step, plan_hash
from gitlab_hub.provisioning.operation import GITLAB, Kind, Mode, Operation
from gitlab_hub.provisioning.operations.base import Around, Decision, Finding
from gitlab_hub.provisioning.planner import touch_of
from gitlab_hub.provisioning.states import (
    AccountState,
    CredentialState,
    CredentialStatus,
    Membership,
    State,
    membership_of,
    state_of,
    stored,
)
from gitlab_hub.provisioning.store import PlanStore
from gitlab_hub.provisioning.views import PlanOperationView
from gitlab_hub.storage.ports import UnknownSchema
from tests.fakes.table import MemoryTable

STATES = (
    None,
    Membership(access_level=30, expires_on="2027-01-31", member_role_id=7),
    AccountState(state="blocked"),
    CredentialState(status=CredentialStatus.REVOKED),
)
NOWHERE = Step(
    index=0,
    operation=Operation(kind=Kind.REVOKE, account_id=4),
    subject="Ana Lima",
    full_path="",
    sentence="Ana Lima: active → blocked",
    before=AccountState(state="active"),
    after=AccountState(state="blocked"),
)
PLAN = Plan(
    id="plan_1", integration_id="int_1", hash="h", status=PlanStatus.READY,
    created_at=1, created_by="t", expires_at=901, step_count=1,
)  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_read_as_it_was_kept(state: State | None) -> None:
    assert state_of(stored(state)) == state


def test_a_state_without_a_tag_is_a_membership_and_an_unknown_one_is_of_a_later_version() -> None:
    old = {"access_level": 30, "expires_on": None, "member_role_id": None}
    assert state_of(old) == Membership(access_level=30)
    with pytest.raises(UnknownSchema):
        state_of({"of": "runner"})


def test_what_is_no_membership_is_not_taken_for_one() -> None:
    assert membership_of(STATES[1]) == STATES[1]
    with pytest.raises(TypeError):
        membership_of(AccountState(state="active"))
    with pytest.raises(TypeError):
        _ = NOWHERE.operation.resource


@pytest.mark.parametrize("before", STATES)
def test_an_operation_without_a_resource_is_kept_and_shown_without_one(before: State | None) -> None:
    store, step = PlanStore(MemoryTable()), replace(NOWHERE, before=before)
    store.add(PLAN, [step])
    assert store.steps(PLAN) == [step]
    shown = PlanOperationView.of(PLAN, step)
    assert (shown.resource, shown.before is None) == (None, before is None)
    assert shown.after is not None
    assert shown.after.model_dump() == {"state": "blocked"}


def test_a_plan_promises_another_thing_for_each_state() -> None:
    assert len({plan_hash("int_1", [replace(NOWHERE, before=state)]) for state in STATES}) == len(STATES)


def test_an_operation_without_a_resource_counts_as_one_and_touches_no_members() -> None:
    decision = Decision(before=NOWHERE.before, after=NOWHERE.after)
    finding = Finding(decision=decision, sentence="", subject="", full_path="")
    touches = [touch_of(number, NOWHERE.operation, finding) for number in range(26)]
    assert (beyond(touches[:25], []), beyond(touches, [])) == (set(), set(range(26)))
    assert {touch.accounts for touch in touches} == {frozenset()}
    assert NOWHERE.operation.where == GITLAB


def test_owners_that_come_and_go_before_are_those_of_the_same_group() -> None:
    here: dict[str, Any] = {"resource_type": ResourceType.GROUP, "resource_id": 10}
    ahead = (
        Operation(kind=Kind.GRANT, account_id=2, access_level=50, **here),
        Operation(kind=Kind.REVOKE, account_id=3, **here),
        Operation(kind=Kind.GRANT, account_id=4, access_level=40, mode=Mode.EXACTLY, **here),
        Operation(kind=Kind.GRANT, account_id=5, access_level=40, mode=Mode.AT_LEAST, **here),
        Operation(kind=Kind.REVOKE, account_id=6, resource_type=ResourceType.GROUP, resource_id=11),
    )
    around = Around(hand=Hand(account_id=1, is_admin=True, scopes=("api",), today="2026-09-21"), ahead=ahead)
    place = (ResourceType.GROUP, 10)
    assert around.coming(place) == {2}
    assert around.gone(place) == {3, 4}
