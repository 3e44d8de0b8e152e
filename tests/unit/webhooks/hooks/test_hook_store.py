from collections.abc import Callable
from dataclasses import replace

import pytest

from gitlab_hub.errors import Conflict, NotFound
from gitlab_hub.webhooks.hooks.model import Hook
from gitlab_hub.webhooks.hooks.store import MAX_CANDIDATES, MOST_RECORDED, REMEMBERED_SECONDS, HookStore
from tests.fakes.hooks import INTEGRATION, hook, kept
from tests.unit.webhooks.hooks.hook_rows import NOW, Lossy, print_of


@pytest.fixture
def table() -> Lossy:
    return Lossy(indexes=("by_time", "pending"))


@pytest.fixture
def store(table: Lossy) -> HookStore:
    return HookStore(table)


@pytest.mark.parametrize("hook_id", ["", "hook", "hook_0a1b_8", "dlv/../x", "hook_ffff_7", "\ud800"])
def test_an_unknown_id_is_no_hook(store: HookStore, hook_id: str) -> None:
    kept(store)
    assert store.get(hook_id) is None


def test_nothing_can_stand_in_for_a_hook_that_is_gone(store: HookStore) -> None:
    parent = kept(store, id="hook_0a1b_1", scope="group")
    child = kept(store, parent_id=parent.id)
    store.remove(parent, [print_of(parent)], now=NOW)
    assert store.get(child.id) == child
    with pytest.raises(NotFound):
        kept(store, id="hook_0a1b_8", parent_id=parent.id)


def test_a_hook_that_never_came_to_be_may_be_made_again(store: HookStore, table: Lossy) -> None:
    made = kept(store)
    store.discard(made, [print_of(made)])
    assert table.dump() == []
    assert kept(store) == made


def test_a_hook_that_somebody_changed_since_is_not_withdrawn(store: HookStore) -> None:
    made = kept(store)
    changed = store.change(made.id, lambda one: replace(one, status="drifted"))
    store.discard(made, [print_of(made)])
    assert store.by_fingerprint(print_of(made)) == changed


def test_all_hooks_can_be_removed_at_once(store: HookStore, table: Lossy) -> None:
    hooks = [kept(store, id=f"hook_0a1b_{number:03}", target_id=number) for number in range(120)]
    store.remove_all(hooks, lambda one: [print_of(one)], now=NOW)
    assert {row["sk"].partition("#")[0] for row in table.dump()} == {"GONE"}
    with pytest.raises(NotFound):
        kept(store, id="hook_0a1b_007")


def test_removing_thousands_takes_as_many_writes_as_removing_one(store: HookStore, table: Lossy) -> None:
    """An integration goes within the gateway's half minute, also with a hook for each project of a large group."""
    counted = []
    for count in (1, 60):
        table.writes = 0
        hooks = [kept(store, id=f"hook_0a1b_{count}_{number}", target_id=number) for number in range(count)]
        store.remove_all(hooks, lambda one: [print_of(one)], now=NOW)
        counted.append(table.writes)
    assert len(set(counted)) == 1


def test_a_hook_of_another_integration_is_not_found(store: HookStore) -> None:
    made = kept(store)
    assert store.require(INTEGRATION, made.id) == made
    with pytest.raises(NotFound):
        store.require("int_ffff", made.id)


def test_a_hook_is_found_by_its_token(store: HookStore) -> None:
    made = kept(store)
    assert store.by_fingerprint(print_of(made)) == made
    assert store.by_fingerprint(print_of(made, 2)) is None


def test_hooks_of_an_integration_come_in_order_of_their_ids(store: HookStore) -> None:
    ids = [kept(store, id=f"hook_0a1b_{number:03}").id for number in range(250)]
    kept(store, id="hook_ffff_1", integration_id="int_ffff")
    assert [one.id for one in store.of_integration(INTEGRATION)] == ids
    assert [one.id for one in store.of_integration(INTEGRATION, ids[200])] == ids[201:]


def test_only_hooks_that_sign_are_candidates_for_a_project(store: HookStore) -> None:
    signed = kept(store)
    kept(store, id="hook_0a1b_8", verification="token")
    kept(store, id="hook_0a1b_9", scope="group")
    kept(store, id="hook_0a1b_a", target_id=4)
    assert list(store.signed_for_project(3)) == [signed]


def test_at_most_twenty_hooks_are_candidates(store: HookStore) -> None:
    for number in range(30):
        kept(store, id=f"hook_0a1b_{number}")
    assert len(list(store.signed_for_project(3))) == MAX_CANDIDATES


def test_a_second_attempt_finds_what_the_first_has_kept(store: HookStore) -> None:
    made = kept(store)
    later = replace(made, target="elsewhere", created_at=NOW + 9)
    assert store.create(later, print_of(made)) == made
    assert store.get(made.id) == made


def test_a_creation_whose_answer_was_lost_has_happened(store: HookStore, table: Lossy) -> None:
    table.losing = True
    made = kept(store)
    assert store.get(made.id) == made


def test_a_change_is_decided_anew_where_others_were_faster(store: HookStore) -> None:
    made, others = kept(store), [None, None]

    def decide(before: Hook) -> Hook:
        if others:
            others.pop()
            store.change(before.id, lambda one: replace(one, checked_at=(one.checked_at or 0) + 1))
        return replace(before, status="drifted")

    changed = store.change(made.id, decide)
    assert (changed.status, changed.checked_at, changed.version) == ("drifted", 2, 4)


def test_a_change_that_never_wins_is_a_conflict(store: HookStore) -> None:
    made = kept(store)

    def decide(before: Hook) -> Hook:
        store.record_delivery(before.id, (before.last_delivery_at or NOW) + 60)
        return replace(before, status="drifted")

    with pytest.raises(Conflict):
        store.change(made.id, decide)


@pytest.mark.parametrize("decide", [lambda _: None, lambda one: one])
def test_no_change_writes_nothing(store: HookStore, decide: Callable[[Hook], Hook | None]) -> None:
    made = kept(store)
    assert store.change(made.id, decide).version == 1


def test_a_new_secret_is_found_together_with_the_old_one(store: HookStore, table: Lossy) -> None:
    made = kept(store)
    table.losing = True
    changed = store.change(made.id, lambda one: replace(one, secret_version=2), fingerprint=print_of(made, 2))
    assert store.by_fingerprint(print_of(made)) == store.by_fingerprint(print_of(made, 2)) == changed


def test_a_removed_hook_is_found_in_no_way_and_cannot_come_back(store: HookStore, table: Lossy) -> None:
    made = kept(store)
    store.remove(made, [print_of(made)], now=NOW)
    assert store.get(made.id) is store.by_fingerprint(print_of(made)) is None
    assert list(store.signed_for_project(3)) == list(store.of_integration(INTEGRATION)) == []
    with pytest.raises(NotFound):
        store.create(made, print_of(made))
    with pytest.raises(NotFound):
        store.change(made.id, lambda one: replace(one, status="drifted"))
    store.record_delivery(made.id, NOW + 99)
    assert [row["sk"] for row in table.dump()] == [f"GONE#{made.id}"]
    assert table.dump()[0]["expires_at"] == NOW + REMEMBERED_SECONDS


def test_removing_twice_is_removing_once(store: HookStore) -> None:
    made = kept(store)
    store.remove(made, [print_of(made)], now=NOW)
    store.remove(made, [print_of(made)], now=NOW)
    assert store.get(made.id) is None


def test_the_last_delivery_is_noted_once_a_minute(store: HookStore) -> None:
    made = kept(store)
    for second in (0, 59, 60, 30):
        store.record_delivery(made.id, NOW + second)
    found = store.require(INTEGRATION, made.id)
    assert (found.last_delivery_at, found.version) == (NOW + 60, 3)


def test_what_one_worker_notes_the_next_one_sees(store: HookStore, table: Lossy) -> None:
    made = kept(store)
    store.record_delivery(made.id, NOW)
    HookStore(table).record_delivery(made.id, NOW + 30)
    assert store.require(INTEGRATION, made.id).version == 2
    HookStore(table).record_delivery(made.id, NOW + 60)
    assert store.require(INTEGRATION, made.id).last_delivery_at == NOW + 60


def test_an_integration_knows_when_any_of_its_hooks_was_heard_of(store: HookStore, table: Lossy) -> None:
    one, two = kept(store), kept(store, id=f"{hook().id}2", target_id=9)
    assert store.last_delivery_at(INTEGRATION) is None
    store.record_delivery(one.id, NOW)
    HookStore(table).record_delivery(two.id, NOW + 30)
    assert store.last_delivery_at(INTEGRATION) == NOW, "a minute more or less does not matter"
    HookStore(table).record_delivery(two.id, NOW + 90)
    HookStore(table).record_delivery(one.id, NOW - 600)
    assert store.last_delivery_at(INTEGRATION) == NOW + 90
    store.record_delivery("hook_0a1b_unknown", NOW + 900)
    assert store.last_delivery_at(INTEGRATION) == NOW + 90
    store.delete_last_delivery(INTEGRATION)
    assert store.last_delivery_at(INTEGRATION) is None


def test_a_worker_remembers_a_bounded_number_of_hooks(store: HookStore) -> None:
    made = kept(store)
    for number in range(MOST_RECORDED + 1):
        store.record_delivery(f"hook_0a1b_x{number}", NOW)
    store.record_delivery(made.id, NOW)
    assert store.require(INTEGRATION, made.id).last_delivery_at == NOW
