"""A plan from its preview to what it has changed, over HTTP and the queue."""

import asyncio
from collections import Counter

import httpx

from tests.functional.provisioning.plan_hub import ACME, BEN, GROUP, HUB, PROJECT, SHOP, TEAM, PlanHub, grant, revoke


def test_a_plan_shows_a_sentence_what_changes_and_the_exact_call_and_changes_nothing() -> None:
    hub = PlanHub()
    plan = hub.plan(grant(BEN, 40, expires_at="2027-01-31"))
    [one] = plan["operations"]
    assert (plan["status"], plan["expires_at"] - int(hub.now)) == ("ready", 900)
    assert one["sentence"] == "Ben Roth: Developer → Maintainer on acme/team/shop until 2027-01-31"
    assert one["before"] == {"access_level": 30, "role": "Developer", "expires_at": None, "member_role_id": None}
    assert (one["after"]["access_level"], one["after"]["expires_at"]) == (40, 1801353600)
    body = {"access_level": 40, "expires_at": "2027-01-31"}
    assert one["calls"] == [{"method": "PUT", "path": f"/projects/{SHOP}/members/{BEN}", "body": body}]
    assert (one["refusals"], one["status"], hub.gitlab.writes) == ([], "pending", [])


def test_an_applied_plan_has_done_what_it_showed_and_nothing_else() -> None:
    hub = PlanHub()
    done = hub.done(grant(20, 40), revoke(BEN, 20, {"type": "group", "id": TEAM}))
    assert done["status"] == "applied"
    assert [(one["status"], one["gitlab_request_id"]) for one in done["operations"]] == [
        ("applied", "req-1"),
        ("applied", "req-2"),
    ]
    assert hub.gitlab.writes == [
        ("POST", f"/projects/{SHOP}/members", {"user_id": 20, "access_level": 40}),
        ("DELETE", f"/groups/{TEAM}/members/{BEN}", None),
    ]


def test_undo_is_a_plan_that_leads_back_to_the_former_truth() -> None:
    hub = PlanHub()
    before = hub.gitlab.state()
    done = hub.done(grant(BEN, 40, expires_at="2027-01-31"), grant(20, 30))
    status, body = hub("POST", f"/{done['id']}/undo")
    assert (status, body["plan"]["status"], body["plan"]["undoes"]) == (201, "ready", done["id"])
    assert hub.apply(body["plan"])[0] == 202
    hub.work()
    assert hub.gitlab.state() == before


def test_a_group_may_be_named_by_its_path() -> None:
    hub = PlanHub()
    [one] = hub.plan(grant(BEN, 30, {"type": "group", "full_path": "acme"}))["operations"]
    assert one["resource"] == {**GROUP, "full_path": "acme"}
    status, body = hub("POST", "", {"operations": [grant(BEN, 30, {"type": "group", "full_path": "nobody"})]})
    assert (status, body["code"]) == (404, "not_found")


def test_two_operations_about_the_same_thing_are_refused() -> None:
    status, body = PlanHub()("POST", "", {"operations": [grant(BEN, 30), revoke(BEN, 30, PROJECT)]})
    assert (status, body["details"]["fields"][0]["field"]) == (422, "body.operations.1")


def test_what_is_done_is_written_down_before_and_after_and_known_to_the_change_feed() -> None:
    hub = PlanHub()
    done = hub.done(grant(BEN, 40), grant(20, 30))
    lines = [(row["action"], row["details"]["target"]) for row in hub.notes.dump() if row["pk"].startswith("AUDIT#")]
    steps = [(f"plan.{name}", f"{done['id']}/{index}") for index in (0, 1) for name in ("operation", "outcome")]
    assert sorted(lines) == sorted([("plan.create", done["id"]), ("plan.apply", done["id"]), *steps])
    outcome = next(row for row in hub.audited("plan.outcome") if row["details"]["target"].endswith("/0"))
    assert (outcome["details"]["gitlab_request_id"], outcome["actor"]) == ("req-1", "t-owner")
    before = {f"aud_{row['sk'].replace('#', '_')}" for row in hub.audited("plan.operation")}
    own = [row for row in hub.access.dump() if row["pk"].endswith("#own_changes")]
    assert ({row["audit_id"] for row in own}, {row["level"] for row in own}) == (before, {40, 30})
    assert [message["hint"] for message in hub.hints.bodies] == [{"integration_id": "int_0a1b", "project_id": SHOP}]


def test_plans_are_listed_newest_first() -> None:
    hub = PlanHub()
    made = []
    for number in range(3):
        hub.now += 1
        made.append(hub.plan(grant(20 + number, 30))["id"])
    status, body = hub("GET", "", query={"limit": 2})
    assert (status, [one["id"] for one in body["plans"]]) == (200, made[:0:-1])
    status, body = hub("GET", "", query={"limit": 2, "cursor": body["next_cursor"]})
    assert ([one["id"] for one in body["plans"]], body["next_cursor"]) == (made[:1], None)


def test_what_many_operations_need_is_asked_for_once_also_where_they_are_looked_at_together() -> None:
    hub, asked = PlanHub(), Counter[str]()
    answer = hub.gitlab.handle_async_request

    async def after_a_while(request: httpx.Request) -> httpx.Response:
        asked[request.url.path.removeprefix("/gitlab/api/v4/")] += 1
        await asyncio.sleep(0.001)
        return await answer(request)

    hub.gitlab.handle_async_request = after_a_while  # type: ignore[method-assign]  # as slow as a GitLab is
    plan = hub.plan(*(grant(one, 30, {"type": "group", "id": TEAM}) for one in range(20, 40)))
    assert plan["status"] == "ready"
    shared = (f"groups/{TEAM}", f"groups/{ACME}", f"groups/{TEAM}/saml_group_links", f"groups/{TEAM}/members/all/{HUB}")
    assert {path: asked[path] for path in shared} == dict.fromkeys(shared, 1)
