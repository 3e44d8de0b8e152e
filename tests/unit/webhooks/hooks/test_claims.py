from dataclasses import replace

import pytest

from gitlab_hub.incidents import IncidentStore
from gitlab_hub.webhooks.hooks.claims import CLAIM_SECONDS, HookLocks
from gitlab_hub.webhooks.hooks.errors import HookBusy
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
def book(clock: Clock) -> HookLocks:
    return HookLocks(MemoryTable(indexes=()), secrets(), IncidentStore(MemoryTable(), clock), clock)


@pytest.fixture
def added(book: HookLocks) -> Hook:
    return book.add(hook())


def stored(book: HookLocks) -> Hook:
    return book.require(hook().integration_id, hook().id)


def test_only_one_changes_a_hook_at_a_time(book: HookLocks, added: Hook, clock: Clock) -> None:
    book.acquire(added)
    clock.now += CLAIM_SECONDS - 1
    with pytest.raises(HookBusy):
        book.acquire(added)
    with pytest.raises(HookBusy):
        book.rotated(added, lambda one: one)


def test_a_claim_ends_by_itself(book: HookLocks, added: Hook, clock: Clock) -> None:
    book.acquire(added)
    clock.now += CLAIM_SECONDS
    assert book.acquire(added).working_until == clock.now + CLAIM_SECONDS


def test_what_came_of_a_change_is_kept_and_the_claim_is_free(book: HookLocks, added: Hook) -> None:
    kept = book.commit(book.acquire(added), lambda one: replace(one, status="drifted"))
    assert (kept.status, kept.working_until) == ("drifted", 0)
    assert book.acquire(added).status == "drifted"


def test_whoever_lost_the_claim_writes_nothing(book: HookLocks, added: Hook, clock: Clock) -> None:
    slow = book.acquire(added)
    clock.now += CLAIM_SECONDS
    quick = book.acquire(added)
    book.commit(slow, lambda one: replace(one, gitlab_hook_id=1))
    book.release(slow)
    assert stored(book) == quick


def test_a_delivery_meanwhile_does_not_cost_the_claim(book: HookLocks, added: Hook, clock: Clock) -> None:
    claimed = book.acquire(added)
    book.store.delivered(added.id, int(clock.now))
    kept = book.commit(claimed, lambda one: replace(one, status="drifted"))
    assert (kept.status, kept.last_delivery_at) == ("drifted", int(clock.now))


def test_a_rotation_of_yesterdays_version_is_refused(book: HookLocks, added: Hook) -> None:
    book.release(book.rotated(added, lambda one: one))
    with pytest.raises(HookBusy):
        book.rotated(added, lambda one: one)
    assert stored(book).secret_version == 2
