"""Access for a while against the stand-in, which has GitLab's rules: what is written is the grant and its end."""

import random
from typing import Any

import pytest

from tests.functional.provisioning.timed_hub import TimedHub, policy
from tests.integration.provisioning.stand_in_gitlabs import StandInGitLabs


@pytest.mark.parametrize("seed", range(8))
def test_gitlab_is_written_the_grant_and_its_end_and_is_afterwards_as_it_was(seed: int) -> None:
    dice, gitlabs = random.Random(seed), StandInGitLabs(seed)  # noqa: S311 - no secret
    hub = TimedHub(gitlabs)
    hub.put_policies(policy(max_access_level=50))
    given = 0
    for _ in range(12):
        before, written = gitlabs.truth(), len(gitlabs.writes())
        kind, number = dice.choice(gitlabs.places())
        place: dict[str, Any] = {"type": kind.removesuffix("s"), "id": number}
        account, level = dice.choice(list(gitlabs.app.company.users)), dice.choice([20, 30, 40, 50])
        status, body = hub.ask(account, resource=place, access_level=level)
        if status != 201:
            assert body["code"] in {"plan_blocked", "access_held"}, body
            continue
        request_id = body["access_request"]["id"]
        status, body = hub.decide(request_id, "approve")
        if status != 200:
            # What changes a member counts for the limits, as it does in plans.
            assert body["details"]["operations"] == [{"index": 0, "refusals": ["blast_radius"]}], body
            hub.decide(request_id, "revoke")
            continue
        hub.work()
        held = gitlabs.truth()[place["type"], number][account]
        assert (hub.one(request_id)["status"], held) == ("active", (level, "2026-09-22"))
        hub.later(3600)
        assert (hub.one(request_id)["status"], gitlabs.truth()) == ("ended", before)
        had = account in before.get((place["type"], number), {})
        members = f"/{kind}/{number}/members"
        first, last = ("PUT", f"{members}/{account}"), ("DELETE", f"{members}/{account}")
        assert gitlabs.writes()[written:] == ([first, first] if had else [("POST", members), last])
        hub.now -= 3660  # The stand-in's clock stands still.
        given += 1
    assert given
