from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.errors import Conflict, NotFound
from gitlab_hub.storage.ports import ConditionFailed
from gitlab_hub.webhooks.hooks.model import Hook
from gitlab_hub.webhooks.hooks.store import MAX_CANDIDATES, MOST_RECORDED, REMEMBERED_SECONDS, HookStore
from tests.fakes.hooks import INTEGRATION, hook, kept, secrets
from tests.fakes.table import MemoryTable

NOW = 1_750_000_000


def print_of(one: Hook, version: int = 1) -> str:
    return secrets().fingerprint(secrets().token(one.id, version))


class Lossy(MemoryTable):
    """Does what it is told, and says that it did not."""

    losing = False
    writes = 0

    def write(self, puts: Any = (), deletes: Any = ()) -> None:
        self.writes += 1
        super().write(puts, deletes)

    def transact(self, actions: Any) -> None:
        super().transact(actions)
        if self.losing:
            raise ConditionFailed("lost")


@pytest.fixture
def table() -> Lossy:
    return Lossy(indexes=("by_time", "pending"))


@pytest.fixture
def store(table: Lossy) -> HookStore:
    return HookStore(table)


def test_a_hook_is_read_as_it_was_written(store: HookStore) -> None:
    kept(store, id="hook_0a1b_1", scope="group")
    made = kept(store, attempts=("abc 2",), drift=("url",), fallback_cursor="c", parent_id="hook_0a1b_1", rotating=60)
    assert store.get(made.id) == made


def test_what_a_later_release_wrote_is_left_alone(store: HookStore, table: Lossy) -> None:
    made = kept(store)
    table.put({**(table.get(f"INTEGRATION#{INTEGRATION}", f"HOOK#{made.id}") or {}), "colour": "blue"})
    assert store.get(made.id) == made


def test_a_row_has_the_attributes_that_releases_before_read(store: HookStore, table: Lossy) -> None:
    fallback = {"uses_fallback": True, "fallback_cursor": "c", "fallback_done_at": 4, "fallback_failed": 5}
    resend = {"resend_cursor": 3, "resend_target": 6, "resend_status": "other", "resend_page": 2, "resend_below": 8}
    made = kept(store, locked_until=7, **fallback, **resend)
    row = table.get(f"INTEGRATION#{INTEGRATION}", f"HOOK#{made.id}") or {}
    stored = {
        "working_until": 7,
        "spread": True,
        "spread_cursor": "c",
        "spread_at": 4,
        "spread_failed": 5,
        "recovered": 3,
        "recovering": 6,
        "recovery_status": "other",
        "recovery_page": 2,
        "recovery_below": 8,
    }
    assert {name: row.get(name) for name in stored} == stored
    assert not {"locked_until", "extra", *fallback, *resend} & row.keys()
    assert store.get(made.id) == made


def test_what_the_first_release_wrote_has_defaults(store: HookStore, table: Lossy) -> None:
    made = kept(store)
    row = table.get(f"INTEGRATION#{INTEGRATION}", f"HOOK#{made.id}") or {}
    table.put({name: value for name, value in row.items() if name not in {"drift", "attempts", "rotating", "mode"}})
    assert store.get(made.id) == made


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
    store.forget(made, [print_of(made)])
    assert table.dump() == []
    assert kept(store) == made


def test_a_hook_that_somebody_changed_since_is_not_withdrawn(store: HookStore) -> None:
    made = kept(store)
    changed = store.change(made.id, lambda one: replace(one, status="drifted"))
    store.forget(made, [print_of(made)])
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
    store.forget_last_delivery(INTEGRATION)
    assert store.last_delivery_at(INTEGRATION) is None


def test_a_worker_remembers_a_bounded_number_of_hooks(store: HookStore) -> None:
    made = kept(store)
    for number in range(MOST_RECORDED + 1):
        store.record_delivery(f"hook_0a1b_x{number}", NOW)
    store.record_delivery(made.id, NOW)
    assert store.require(INTEGRATION, made.id).last_delivery_at == NOW


def test_rows_have_a_version_and_no_secret(store: HookStore, table: Lossy) -> None:
    made = kept(store)
    rows = table.dump()
    assert all(row["schema_version"] == 1 for row in rows)
    assert secrets().token(made.id, 1) not in repr(rows)
    assert "whsec_" not in repr(rows)


@pytest.mark.parametrize(("now", "accepted"), [(NOW, (2, 1)), (NOW + 59, (2, 1)), (NOW + 60, (2,)), (NOW + 61, (2,))])
def test_the_version_before_is_good_until_its_time(now: float, accepted: tuple[int, ...]) -> None:
    assert hook(secret_version=2, previous_version_until=NOW + 60).accepted_versions(now) == accepted


def test_the_first_version_has_none_before() -> None:
    assert hook(previous_version_until=NOW + 60).accepted_versions(NOW) == (1,)


def test_a_change_leaves_what_a_later_release_has_added(store: HookStore, table: Lossy) -> None:
    made = kept(store)
    key = f"INTEGRATION#{INTEGRATION}", f"HOOK#{made.id}"
    row = table.get(*key)
    assert row is not None
    table.put(row | {"schema_version": 2, "mood": "good"})
    store.record_delivery(made.id, NOW + 60)
    after = table.get(*key)
    assert after is not None
    assert (after["schema_version"], after["mood"], after["last_delivery_at"]) == (2, "good", NOW + 60)
