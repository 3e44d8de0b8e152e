"""What was connected, synced and built is there again after the local stack was stopped and started. It runs last."""

from typing import Any

import pytest

from tests.end_to_end.building import Built
from tests.end_to_end.deployed import Deployed
from tests.end_to_end.hub import Hub
from tests.end_to_end.truth import shown_access
from tests.end_to_end.workshop import Workshop


def kept(hub: Hub, one: str, built: Built) -> dict[str, Any]:
    """What is to be the same afterwards."""
    return {
        "integration": hub.get(one)["integration"]["updated_at"],
        "access": shown_access(hub, one),
        "pipelines": hub.rows(f"{one}/pipelines"),
        "triggers": hub.rows("/v1/triggers"),
        "builds": built.builds(),
        "delivery": built.delivery(),
    }


@pytest.mark.slow
def test_what_was_there_survives_a_restart(deployed: Deployed, hub: Hub, one: str, workshop: Workshop) -> None:
    built = Built(workshop, {"type": "eventbridge"})
    built.push()
    build = built.build("running")
    before = kept(hub, one, built)
    cursor = hub.get(f"{one}/accounts", limit=5)["next_cursor"]
    following = hub.get(f"{one}/accounts", limit=5, cursor=cursor)
    deployed.stop()
    again = deployed.start()
    assert (again.owner_token, again.url) == (hub.owner_token, hub.url)
    assert kept(again, one, built) == before
    assert again.get(f"{one}/accounts", limit=5, cursor=cursor) == following
    assert again.call("POST", f"{one}/verify").body["ok"] is True
    assert {state["status"] for state in again.get(f"{one}/sync")["kinds"].values()} == {"idle"}
    assert built.report(build["id"], "success").status == 200
    sha = built.push()
    built.build("running", sha=sha)  # Hooks, secrets and queues are the same.
    built.shows(sha, "running")
