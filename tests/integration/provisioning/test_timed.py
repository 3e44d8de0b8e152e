"""Access for a while against the stand-in, which has GitLab's rules: what is written is the grant and its end."""

import random
from typing import Any

import pytest

from tests.functional.provisioning.plan_hub import START, grant
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


@pytest.mark.parametrize("seed", range(6))
def test_a_plan_with_ends_holds_what_it_showed_until_then_and_nothing_of_it_afterwards(seed: int) -> None:
    dice, gitlabs = random.Random(seed), StandInGitLabs(seed)  # noqa: S311 - no secret
    hub, given = TimedHub(gitlabs), 0
    for _ in range(8):
        before, written = gitlabs.truth(), len(gitlabs.writes())
        kind, number = dice.choice(gitlabs.places())
        place: dict[str, Any] = {"type": kind.removesuffix("s"), "id": number}
        people = dice.sample(list(gitlabs.app.company.users), 2)
        ends = {people[0]: START + 1800, people[1]: START + 3600}
        plan = hub.plan(*(grant(one, dice.choice([20, 30, 40, 50]), place, until=at) for one, at in ends.items()))
        if hub.apply(plan, "test")[0] != 202:
            assert (plan["status"], len(gitlabs.writes())) == ("blocked", written), plan
            continue
        hub.work()
        calls = [call for one in plan["operations"] for call in one["calls"]]
        assert sorted(gitlabs.writes()[written:]) == sorted((call["method"], call["path"]) for call in calls)
        for half in (1, 2):
            left = [one for one in plan["operations"] if one["calls"] and one["until"] > hub.now]
            rows, had = gitlabs.truth().get((place["type"], number), {}), before.get((place["type"], number), {})
            shown = {one["account_id"]: (one["after"]["access_level"], "2026-09-22") for one in left}
            expected = {**had, **shown}
            # Where GitLab takes no lower level than from a group above, the membership goes instead.
            gone = {one for one in set(expected) - set(rows) if one in people and one not in shown}
            assert rows == {one: row for one, row in expected.items() if one not in gone}, (half, plan)
            hub.later(1800)
        assert {one["status"] for one in hub.requests("GET")[1]["access_requests"]} <= {"ended"}
        hub.now = START
        given += bool(calls)
    assert given
