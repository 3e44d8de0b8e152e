"""What was connected, synced and built is there again after the local stack was stopped and started. It runs last."""

from typing import Any

import pytest

from tests.end_to_end.building import Built
from tests.end_to_end.coding_company import CodingCompany, Row
from tests.end_to_end.deployed import Deployed
from tests.end_to_end.hub_client import Hub, until
from tests.end_to_end.truth import shown_access


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


def at_rest(built: Built, sha: str) -> Row:
    """The build of a commit once nothing is left to do about it; the emulator waits for what it is about to do."""
    return until(lambda: next((row for row in built.builds() if row["sha"] == sha and is_reported(row)), None))


def is_reported(build: Row) -> bool:
    """Whether GitLab was shown what the build is now."""
    return build["status"] == "running" and build["report"] is not None and build["report"]["status"] == "running"


@pytest.mark.slow
def test_what_was_there_survives_a_restart(deployed: Deployed, hub: Hub, one: str, company: CodingCompany) -> None:
    built = Built(company, {"type": "eventbridge"})
    build = at_rest(built, built.push())
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
    assert at_rest(built, built.push())["number"] > build["number"]  # Hooks, secrets and queues are the same.
