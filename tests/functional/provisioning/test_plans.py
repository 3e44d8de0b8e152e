"""A plan from its preview to what it has changed, over HTTP and the queue."""

from tests.functional.provisioning.plan_hub import BEN, GROUP, PROJECT, SHOP, TEAM, PlanHub, grant, revoke


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
