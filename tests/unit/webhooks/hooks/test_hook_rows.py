"""What a hook's row holds: what other releases wrote in it stays, and no secret is among it."""

import pytest

from gitlab_hub.webhooks.hooks.store import HookStore
from tests.fakes.hooks import INTEGRATION, hook, kept, secrets
from tests.unit.webhooks.hooks.hook_rows import NOW, Lossy


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
