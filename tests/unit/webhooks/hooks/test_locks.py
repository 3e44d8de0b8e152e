from dataclasses import replace

import pytest

from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.rows import is_live
from gitlab_hub.webhooks.hooks.errors import HookBusy
from gitlab_hub.webhooks.hooks.locks import LOCK_SECONDS, HookLocks
from gitlab_hub.webhooks.hooks.model import Hook
from tests.fakes.hooks import hook, secrets
from tests.fakes.table import MemoryTable


class Clock:
    def __init__(self) -> None:
        self.now = 1_750_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def locks(clock: Clock) -> HookLocks:
    return HookLocks(MemoryTable(indexes=()), secrets(), IncidentStore(MemoryTable(), clock, is_live), clock)


@pytest.fixture
def added(locks: HookLocks) -> Hook:
    return locks.add(hook())


def stored(locks: HookLocks) -> Hook:
    return locks.require(hook().integration_id, hook().id)


def test_only_one_changes_a_hook_at_a_time(locks: HookLocks, added: Hook, clock: Clock) -> None:
    locks.acquire(added)
    clock.now += LOCK_SECONDS - 1
    with pytest.raises(HookBusy):
        locks.acquire(added)
    with pytest.raises(HookBusy):
        locks.acquire_for_rotation(added, lambda one: one)


def test_a_claim_ends_by_itself(locks: HookLocks, added: Hook, clock: Clock) -> None:
    locks.acquire(added)
    clock.now += LOCK_SECONDS
    assert locks.acquire(added).locked_until == clock.now + LOCK_SECONDS


def test_what_came_of_a_change_is_kept_and_the_claim_is_free(locks: HookLocks, added: Hook) -> None:
    kept = locks.commit(locks.acquire(added), lambda one: replace(one, status="drifted"))
    assert (kept.status, kept.locked_until) == ("drifted", 0)
    assert locks.acquire(added).status == "drifted"


def test_whoever_lost_the_claim_writes_nothing(locks: HookLocks, added: Hook, clock: Clock) -> None:
    slow = locks.acquire(added)
    clock.now += LOCK_SECONDS
    quick = locks.acquire(added)
    locks.commit(slow, lambda one: replace(one, gitlab_hook_id=1))
    locks.release(slow)
    assert stored(locks) == quick


def test_a_delivery_meanwhile_does_not_cost_the_claim(locks: HookLocks, added: Hook, clock: Clock) -> None:
    locked = locks.acquire(added)
    locks.store.record_delivery(added.id, int(clock.now))
    kept = locks.commit(locked, lambda one: replace(one, status="drifted"))
    assert (kept.status, kept.last_delivery_at) == ("drifted", int(clock.now))


def test_a_rotation_of_yesterdays_version_is_refused(locks: HookLocks, added: Hook) -> None:
    locks.release(locks.acquire_for_rotation(added, lambda one: one))
    with pytest.raises(HookBusy):
        locks.acquire_for_rotation(added, lambda one: one)
    assert stored(locks).secret_version == 2
