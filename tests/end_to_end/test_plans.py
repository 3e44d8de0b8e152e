"""Changing access in a deployed hub: what the plan showed is what GitLab holds afterwards, and undo leads back."""

import csv
from collections.abc import Iterator
from typing import Any

import pytest

from stand_in_gitlab.process import Running
from tests.end_to_end.companies import first_group, newcomer, seconds, token
from tests.end_to_end.hub_client import Hub, until
from tests.end_to_end.test_access_reviews import exported

MAINTAINER, DEVELOPER, REPORTER = 40, 30, 20
Truth = dict[tuple[str, int, int], tuple[int, int | None]]


@pytest.fixture(scope="module")
def path(hub: Hub, _lively: Running) -> Iterator[str]:
    """An integration that may change access, synced once; it is removed when these tests are over."""
    made = hub.connect(_lively.base, token(_lively, scopes=("api",)), features={"provisioning": True})
    assert hub.sync(made, "access")["access"]["status"] == "idle"
    yield made
    assert hub.call("DELETE", made).status == 200


def test_a_plan_is_applied_told_of_and_taken_back(hub: Hub, lively: Running, path: str) -> None:
    joins, changes, project = newcomer(lively), newcomer(lively), lively.truth("projects")[0]["id"]
    group = first_group(lively)["id"]
    operations = [
        {**_grant(joins, "project", project, MAINTAINER), "expires_at": "2031-01-31"},
        _grant(changes, "group", group, MAINTAINER),
    ]
    hub.sync(path, "access")
    before, since = truth(lively), last_write(lively)
    plan = made(hub, path, operations)
    assert (plan["status"], truth(lively), lively.writes(since)) == ("ready", before, [])

    done = applied(hub, path, plan)
    assert [one["status"] for one in done["operations"]] == ["applied", "applied"]
    assert all(one["gitlab_request_id"] for one in done["operations"])
    assert truth(lively) == promised(plan, before)
    assert written(lively, since) == calls(plan)

    found = until(lambda: told(hub, path, {joins, changes}), pause=0.5)
    assert {row["by"] for row in found} == {"hub"}
    assert {row["account_id"]: row["after"]["access_level"] for row in found} == {joins: 40, changes: 40}

    undone = hub.call("POST", f"{path}/plans/{plan['id']}/undo", {})
    assert (undone.status, undone.body["plan"]["undoes"]) == (201, plan["id"]), undone
    applied(hub, path, undone.body["plan"])
    assert truth(lively) == before


def test_a_refused_plan_writes_nothing(hub: Hub, lively: Running, path: str) -> None:
    leaver, group = newcomer(lively), first_group(lively)["id"]
    before, since = truth(lively), last_write(lively)
    good = {"op": "revoke", "account_id": leaver, "resource": {"type": "group", "id": group}}
    # 1 is the administrator whose token the hub works with.
    plan = made(hub, path, [good, _grant(1, "group", group, REPORTER)])
    assert (plan["status"], plan["operations"][1]["refusals"]) == ("blocked", ["self_target"])
    answer = hub.call("POST", f"{path}/plans/{plan['id']}/apply", {"hash": plan["hash"]})
    assert answer.refusal == (403, "plan_blocked")
    assert (truth(lively), lively.writes(since)) == (before, [])


def test_access_as_code_plans_the_difference_and_tells_of_drift(hub: Hub, lively: Running, path: str) -> None:
    person = newcomer(lively)
    group = first_group(lively)
    [username] = [row["username"] for row in lively.truth("users") if row["id"] == person]
    hub.sync(path, "access")
    text = f"username,resource_type,resource_path,access_level\n{username},group,{group['full_path']},40\n"

    def put(query: str) -> dict[str, Any]:
        answer = hub.call("PUT", f"{path}/desired-access{query}", raw=text, Content_Type="text/csv")
        assert answer.status == 201, answer
        found: dict[str, Any] = answer.body
        return found

    shown = put("")
    assert [(one["kind"], one["account_id"]) for one in shown["drift"]] == [("different", person)]
    plan = put("?dry_run=false")["plan"]
    assert [one["account_id"] for one in plan["operations"]] == [person]
    hub.sync(path, "access")
    assert "access_drift" in incidents(hub, path)
    applied(hub, path, plan, reason="beyond a tenth of a small group")
    hub.sync(path, "access")
    assert "access_drift" not in incidents(hub, path)
    assert hub.call("PUT", f"{path}/desired-access?dry_run=false", {"grants": []}).status == 201


def test_a_closed_review_becomes_a_plan_and_its_file_says_what_became_of_it(
    hub: Hub, lively: Running, path: str
) -> None:
    leaver, group = newcomer(lively), first_group(lively)["id"]
    hub.sync(path, "access")
    made_review = hub.call("POST", f"{path}/reviews", {"title": "Leavers", "scope": {"group_id": group}})
    review = f"{path}/reviews/{made_review.body['review']['id']}"
    [item] = [
        one
        for one in hub.rows(f"{review}/items")
        if one["account_id"] == leaver and one["resource"] == {**one["resource"], "type": "group", "id": group}
    ]
    decided = hub.call("PATCH", f"{review}/items", {"decisions": [{"item_id": item["id"], "decision": "revoke"}]})
    assert decided.status == 200, decided
    closed = hub.call("POST", f"{review}/close", {})
    assert (closed.status, closed.body["plan_refusal"]) == (200, None), closed
    plan = hub.get(f"{path}/plans/{closed.body['plan_id']}")["plan"]
    applied(hub, path, plan, reason="beyond a tenth of a small group")
    assert ("group", group, leaver) not in truth(lively)
    [row] = [row for row in csv.DictReader(exported(hub, review).splitlines()) if row["decision"] == "revoke"]
    assert (row["remediation_plan_id"], bool(row["remediated_at"])) == (plan["id"], True)


def incidents(hub: Hub, path: str) -> set[str]:
    """The kinds of what needs a person in an integration."""
    rows = hub.rows("/v1/incidents", name="incidents")
    return {row["kind"] for row in rows if row["integration_id"] == path.rpartition("/")[2]}


def made(hub: Hub, path: str, operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Make a plan."""
    answer = hub.call("POST", f"{path}/plans", {"operations": operations})
    assert answer.status == 201, answer
    plan: dict[str, Any] = answer.body["plan"]
    return plan


def applied(hub: Hub, path: str, plan: dict[str, Any], reason: str = "") -> dict[str, Any]:
    """Apply a plan as it was shown, perhaps beyond the limits, and read it again once that is done."""
    body = {"hash": plan["hash"]} | ({"override": {"reason": reason}} if reason else {})
    answer = hub.call("POST", f"{path}/plans/{plan['id']}/apply", body)
    assert answer.status == 202, answer

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = hub.get(f"{path}/plans/{plan['id']}")["plan"]
        return None if found["status"] == "applying" else found

    done = until(look, pause=0.3)
    assert done["status"] == "applied", done
    return done


def told(hub: Hub, path: str, accounts: set[int]) -> list[dict[str, Any]] | None:
    """What the feed says last of these accounts, once it says something by the hub of each."""
    rows = [row for row in hub.rows(f"{path}/changes") if row["account_id"] in accounts and row["by"] == "hub"]
    return rows if {row["account_id"] for row in rows} == accounts else None


def truth(gitlab: Running) -> Truth:
    """Who has what, as GitLab's database has it."""
    return {
        (row["source"], row["source_id"], row["user_id"]): (row["access_level"], seconds(row["expires_at"]))
        for row in gitlab.truth("members")
    }


def promised(plan: dict[str, Any], before: Truth) -> Truth:
    """What the truth is to be, by what the plan shows."""
    found = dict(before)
    for one in plan["operations"]:
        key = (one["resource"]["type"], one["resource"]["id"], one["account_id"])
        found.pop(key, None)
        if one["after"] is not None:
            found[key] = (one["after"]["access_level"], one["after"]["expires_at"])
    return found


def calls(plan: dict[str, Any]) -> list[tuple[str, str]]:
    """The requests that a plan shows."""
    return sorted((call["method"], call["path"]) for one in plan["operations"] for call in one["calls"])


def written(gitlab: Running, since: int) -> list[tuple[str, str]]:
    """The requests that GitLab took."""
    rows = gitlab.writes(since)
    assert {row["sent"] // 100 for row in rows} <= {2}
    return sorted((row["method"], row["path"].partition("/api/v4")[2]) for row in rows)


def last_write(gitlab: Running) -> int:
    """The number of the last request that was to change something."""
    return max((row["seq"] for row in gitlab.writes()), default=0)


def _grant(account_id: int, kind: str, number: object, level: int) -> dict[str, Any]:
    resource = {"type": kind, "id": number}
    return {"op": "grant", "account_id": account_id, "resource": resource, "access_level": level}
