import pytest

from gitlab_hub.gitlab.webhooks.parse import HookEvent
from gitlab_hub.webhooks.deliveries.model import delivery_of
from gitlab_hub.webhooks.deliveries.store import DeliveryStore, StoredDeliveries
from tests.fakes.hooks import hook
from tests.fakes.table import MemoryTable

HOOK = "hook_0a1b_7"


@pytest.fixture
def deliveries() -> StoredDeliveries:
    table = MemoryTable(indexes=())
    sent = {"idempotency-key": "key-1"}
    delivery = delivery_of(
        hook(id=HOOK, integration_id="int_0a1b"),
        HookEvent(kind="push"),
        sent,
        b"{}",
        now=1.0,
        receipt="r",
        truncated=False,
    )
    DeliveryStore(table).keep(delivery, b"")
    return StoredDeliveries(table)


def test_a_kept_delivery_is_known_by_its_hook_and_key(deliveries: StoredDeliveries) -> None:
    assert deliveries.exists(HOOK, "key-1")


@pytest.mark.parametrize(
    ("hook_id", "key"), [(HOOK, "key-2"), ("hook_0a1b_8", "key-1"), ("hook_ffff_7", "key-1"), ("", "key-1")]
)
def test_no_other_delivery_is_known(deliveries: StoredDeliveries, hook_id: str, key: str) -> None:
    assert not deliveries.exists(hook_id, key)


def test_a_key_that_is_no_text_is_unknown(deliveries: StoredDeliveries) -> None:
    assert not deliveries.exists(HOOK, "\ud800")
