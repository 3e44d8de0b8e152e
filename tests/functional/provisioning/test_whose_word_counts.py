"""Requests and approvals count as long as whoever made them still may, by the policies of that moment."""

from gitlab_hub.web.principal import Principal, Role
from tests.functional.provisioning.plan_hub import SHOP, START
from tests.functional.provisioning.timed_hub import DEV, LEAD, NEW, TimedHub, policy

SECOND = Principal("t-second", Role.DEVELOPER)
TWO = policy(approvers={"token_ids": ["t-lead", "t-second"], "roles": ["owner"], "count": 2})


def test_a_request_of_a_token_that_was_revoked_is_not_given() -> None:
    hub = TimedHub()
    request_id = hub.asked(NEW)
    hub.revoked.add(DEV.token_id)
    status, body = hub.decide(request_id, "approve")
    assert (status, body["code"], hub.one(request_id)["status"]) == (403, "policy_refused", "pending")
    hub.work()
    assert hub.gitlab.writes == []


def test_an_approval_of_a_token_that_was_revoked_meanwhile_does_not_count() -> None:
    hub = TimedHub()
    hub.put_policies(TWO)
    request_id = hub.asked(NEW)
    assert hub.decide(request_id, "approve", who=LEAD)[0] == 200
    hub.revoked.add(LEAD.token_id)
    body = hub.decide(request_id, "approve", who=SECOND)[1]
    assert [one["token_id"] for one in body["access_request"]["approvals"]] == [SECOND.token_id]
    assert hub.one(request_id)["status"] == "pending"
    assert hub.decide(request_id, "approve")[1]["access_request"]["status"] == "approved"


def test_an_approval_of_somebody_whom_the_policy_no_longer_names_does_not_count() -> None:
    hub = TimedHub()
    hub.put_policies(TWO)
    request_id = hub.asked(NEW)
    hub.decide(request_id, "approve", who=LEAD)
    hub.put_policies(policy(approvers={"token_ids": ["t-second"], "count": 2}))
    hub.decide(request_id, "approve", who=SECOND)
    assert (hub.one(request_id)["status"], hub.gitlab.writes) == ("pending", [])


def test_a_policy_that_no_longer_lets_it_through_refuses_what_waits() -> None:
    for changed in ({"enabled": False}, {"max_access_level": 30}, {"max_minutes": 30}, {"resources": ["x"]}):
        hub = TimedHub()
        request_id = hub.asked(NEW)
        hub.put_policies(policy(**changed))
        assert hub.decide(request_id, "approve")[1]["code"] == "policy_refused", changed


def test_a_star_is_the_only_sign_that_stands_for_others() -> None:
    for pattern, fits in (
        ("acme/*", True),
        ("ACME/*/shop", True),
        ("*a*m*s*p", True),
        ("acme/*/shop*p", False),
        ("[!x]*", False),
        ("acme/team/sho?", False),
        ("acme", False),
    ):
        hub = TimedHub()
        hub.put_policies(policy(resources=[pattern]))
        assert (hub.ask(NEW)[0] == 201) is fits, pattern


def test_a_request_approved_in_the_second_of_its_expiry_is_over_and_one_before_is_given() -> None:
    for late, status in ((86_400, 409), (86_399, 200)):
        hub = TimedHub()
        request_id = hub.asked(NEW)
        hub.now = START + late
        hub.synced("int_0a1b")
        assert hub.decide(request_id, "approve")[0] == status
        hub.work()
        assert (NEW in hub.gitlab.members["projects", SHOP]) is (status == 200)


def test_what_is_revoked_before_it_is_given_is_never_given() -> None:
    hub = TimedHub()
    request_id = hub.asked(NEW)
    hub.decide(request_id, "approve")
    hub.decide(request_id, "revoke", who=DEV)
    hub.work()
    for _ in range(2):
        hub.later()
    found = hub.one(request_id)
    assert (found["status"], found["ended_by"], found["error"]) == ("ended", DEV.token_id, None)
    assert (hub.gitlab.writes, hub.incidents(), hub.left()) == ([], {}, [])
