"""What was connected and synced is there again after the local stack was stopped and started. It runs last."""

import pytest

from tests.end_to_end.deployed import Deployed
from tests.end_to_end.hub import Hub
from tests.end_to_end.truth import shown_access


@pytest.mark.slow
def test_what_was_synced_survives_a_restart(deployed: Deployed, hub: Hub, one: str) -> None:
    before = hub.get(one)["integration"]["updated_at"], shown_access(hub, one), hub.rows(f"{one}/pipelines")
    cursor = hub.get(f"{one}/accounts", limit=5)["next_cursor"]
    following = hub.get(f"{one}/accounts", limit=5, cursor=cursor)
    deployed.stop()
    again = deployed.start()
    assert again.owner_token == hub.owner_token
    after = again.get(one)["integration"]["updated_at"], shown_access(again, one), again.rows(f"{one}/pipelines")
    assert after == before
    assert again.get(f"{one}/accounts", limit=5, cursor=cursor) == following
    assert again.call("POST", f"{one}/verify").body["ok"] is True
    assert {state["status"] for state in again.get(f"{one}/sync")["kinds"].values()} == {"idle"}
