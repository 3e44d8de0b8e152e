import hashlib

import pytest

from gitlab_hub.webhooks.hooks.kept_deliveries import KeptDeliveries
from tests.fakes.table import MemoryTable

HOOK = "hook_0a1b_7"


@pytest.fixture
def deliveries() -> KeptDeliveries:
    table = MemoryTable(indexes=())
    unique = hashlib.sha256(f"{HOOK}\nkey-1".encode()).hexdigest()[:24]
    table.put({"pk": f"DELIVERY#dlv_0a1b_{unique}", "sk": "DELIVERY"})
    return KeptDeliveries(table)


def test_a_kept_delivery_is_known_by_its_hook_and_key(deliveries: KeptDeliveries) -> None:
    assert deliveries.known(HOOK, "key-1")


@pytest.mark.parametrize(
    ("hook_id", "key"), [(HOOK, "key-2"), ("hook_0a1b_8", "key-1"), ("hook_ffff_7", "key-1"), ("", "key-1")]
)
def test_no_other_delivery_is_known(deliveries: KeptDeliveries, hook_id: str, key: str) -> None:
    assert not deliveries.known(hook_id, key)


def test_a_key_that_is_no_text_is_unknown(deliveries: KeptDeliveries) -> None:
    assert not deliveries.known(HOOK, "\ud800")
