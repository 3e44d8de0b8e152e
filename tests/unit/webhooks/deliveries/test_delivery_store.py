from dataclasses import replace

import pytest

from gitlab_hub.builds.triggers.store import MAX_TRIGGERS
from gitlab_hub.errors import Conflict
from gitlab_hub.gitlab.webhooks.parse import parse
from gitlab_hub.ids import owned_id, owner_of
from gitlab_hub.storage.codec import size_of
from gitlab_hub.storage.ports import ALWAYS, Condition, ConditionFailed, Item, UnknownSchema
from gitlab_hub.webhooks.deliveries.body import MAX_PACKED_BYTES
from gitlab_hub.webhooks.deliveries.model import KEPT_SECONDS, Delivery, DeliveryStatus, delivery_of, due
from gitlab_hub.webhooks.deliveries.store import DeliveryStore, row_of
from gitlab_hub.webhooks.deliveries.worker import MAX_REASONS
from tests.fakes.table import MemoryTable
from tests.functional.webhooks.deliveries_hub import INTEGRATION, NOW, a_hook

INTEGRATION_ID = f"int_{'0' * 20}"
"""As long as those that the hub makes."""
TABLE = MemoryTable(indexes=("by_time", "pending"))


def a_delivery(raw: bytes = b"{}", *, receipt: str = "r1", headers: dict[str, str] | None = None) -> Delivery:
    event = parse("Push Hook", {"object_kind": "push", "project_id": 15, "ref": "refs/heads/" + "x" * 3000})
    return delivery_of(a_hook(), event, headers or {}, raw, now=NOW, receipt=receipt, truncated=False)


def read(store: DeliveryStore, delivery_id: str) -> tuple[Delivery, bytes] | None:
    kept = store.load(delivery_id)
    return (kept.delivery, kept.body) if kept else None


@pytest.fixture
def table() -> MemoryTable:
    return MemoryTable(indexes=("by_time", "pending"))


def test_a_delivery_is_kept_once_and_read_back_the_same(table: MemoryTable) -> None:
    store, delivery = DeliveryStore(table), a_delivery()
    assert store.keep(delivery, b"body")
    assert read(store, delivery.id) == (delivery, b"body")
    assert not store.keep(a_delivery(receipt="r2"), b"other")
    assert read(store, delivery.id) == (delivery, b"body")


def test_a_write_whose_answer_was_lost_counts_as_ones_own(table: MemoryTable) -> None:
    store = DeliveryStore(table)
    assert store.keep(a_delivery(), b"body")
    assert store.keep(a_delivery(), b"body"), "the same receipt: the same attempt"


def test_a_delivery_names_its_integration_and_ends_by_itself() -> None:
    row = row_of(a_delivery())
    assert owner_of(row["delivery_id"]) == INTEGRATION
    assert row["expires_at"] == NOW + KEPT_SECONDS
    assert len(row["ref"]) == 255


def test_only_pending_ones_are_in_the_index_of_pending_ones(table: MemoryTable) -> None:
    store, delivery = DeliveryStore(table), a_delivery()
    store.keep(delivery, b"")
    assert store.overdue(NOW + 119, 10) == []
    assert store.overdue(NOW + 120, 10) == [delivery.id]
    store.change(delivery.id, lambda known: replace(known, status=DeliveryStatus.HANDLED))
    assert store.overdue(NOW + 10_000, 10) == []


def test_overdue_ones_come_oldest_first_and_so_many_at_a_time(table: MemoryTable) -> None:
    store = DeliveryStore(table)
    ids: list[str] = []
    for number in range(5):
        delivery = replace(a_delivery(bytes([number])), due_at=(NOW + 9 - number) * 1000)
        store.keep(delivery, b"")
        ids.insert(0, delivery.id)
    assert store.overdue(NOW + 100, 3) == ids[:3]


def test_each_time_is_twice_as_long_as_the_one_before() -> None:
    assert [due(0, sends) // 60_000 for sends in (1, 2, 3, 4)] == [2, 4, 8, 16]


def test_a_change_keeps_what_a_later_release_has_added(table: MemoryTable) -> None:
    store, delivery = DeliveryStore(table), a_delivery()
    table.put(row_of(delivery) | {"body": b"b", "added_later": "x"})
    store.change(delivery.id, lambda known: replace(known, attempts=1))
    [row] = table.dump()
    assert (row["added_later"], row["body"], row["attempts"], row["version"]) == ("x", b"b", 1, 2)


def test_a_row_of_a_later_schema_is_shown_and_not_worked_on(table: MemoryTable) -> None:
    store, delivery = DeliveryStore(table), a_delivery()
    table.put(row_of(delivery) | {"body": b"", "schema_version": 2})
    assert store.get(delivery.id) == delivery
    with pytest.raises(UnknownSchema):
        store.load(delivery.id)
    store.change(delivery.id, lambda known: replace(known, attempts=1))
    assert table.dump()[0]["schema_version"] == 2


def test_a_row_of_an_earlier_release_lacks_what_has_a_default(table: MemoryTable) -> None:
    row = row_of(a_delivery()) | {"body": b""}
    for name in ("reasons", "build_ids", "replays", "sends", "attempts"):
        del row[name]
    table.put(row)
    assert DeliveryStore(table).get(row["delivery_id"]) == a_delivery()


class Busy(MemoryTable):
    """Somebody else writes between every look and every write, so often."""

    times = 0

    def put(self, item: Item, condition: Condition = ALWAYS) -> None:
        if self.times and condition.equals:
            self.times -= 1
            raise ConditionFailed
        super().put(item, condition)


@pytest.mark.parametrize("times", [4, 5])
def test_a_change_is_decided_anew_where_others_were_faster_but_not_for_ever(times: int) -> None:
    table = Busy(indexes=("by_time", "pending"))
    store, delivery = DeliveryStore(table), a_delivery()
    store.keep(delivery, b"")
    table.times = times
    if times == 5:
        with pytest.raises(Conflict):
            store.change(delivery.id, lambda known: replace(known, attempts=1))
    else:
        changed = store.change(delivery.id, lambda known: replace(known, attempts=1))
        assert changed is not None
        assert changed.attempts == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"idempotency-key": "a"}, {"webhook-id": "b", "idempotency-key": "a"}, True),
        ({"idempotency-key": "a"}, {"webhook-id": "a"}, True),
        ({"idempotency-key": "a"}, {"idempotency-key": "b"}, False),
        ({"webhook-id": ""}, {}, True),
        ({"webhook-id": "\ud800"}, {"webhook-id": "\ud801"}, False),
        ({"webhook-id": "x" * 9000}, {"webhook-id": "x" * 9001}, False),
    ],
)
def test_gitlabs_own_id_tells_deliveries_apart(one: dict[str, str], other: dict[str, str], same: bool) -> None:
    assert (a_delivery(headers=one).id == a_delivery(headers=other).id) is same


def test_a_delivery_that_every_trigger_builds_twice_fits_its_row_beside_the_largest_body() -> None:
    ids = [owned_id("bld", INTEGRATION_ID, f"{number:024x}") for number in range(2 * MAX_TRIGGERS)]
    reason = f"{owned_id('trg', INTEGRATION_ID, 'f' * 20)}: target_branch_not_included"
    headers = {"user-agent": "x" * 4000, "idempotency-key": "x" * 4000, "webhook-id": "x" * 4000}
    built = replace(
        a_delivery(headers=headers), reasons=(reason,) * MAX_REASONS, build_ids=tuple(ids), replays=1, attempts=2
    )
    assert size_of(row_of(built) | {"body": bytes(MAX_PACKED_BYTES)}) < 400 * 1024
