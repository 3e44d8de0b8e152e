"""Requests and approvals count as long as whoever made them still may, by the policies of that moment."""

from gitlab_hub.web.principal import GITLAB_SIGN_IN_SECONDS, GitLabAccount, Principal, Role, id_from_gitlab
from tests.functional.provisioning.plan_hub import INTEGRATION, SHOP, START
from tests.functional.provisioning.timed_hub import DEV, LEAD, NEW, TimedHub, policy

SECOND = Principal("t-second", Role.DEVELOPER)


def person(account_id: int) -> Principal:
    """An admin who has signed in with GitLab."""
    account = GitLabAccount(INTEGRATION, account_id)
    return Principal(id_from_gitlab(account_id, "https://gitlab.example.com"), Role.ADMIN, None, frozenset({account}))


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


def test_an_approval_from_gitlab_counts_for_as_long_as_a_sign_in_does() -> None:
    """Nobody can say here whether a person still has the role that they signed in with."""
    for later, status in ((GITLAB_SIGN_IN_SECONDS - 1, "approved"), (GITLAB_SIGN_IN_SECONDS, "pending")):
        hub = TimedHub()
        hub.put_policies(policy(approvers={"roles": ["admin"], "count": 2}))
        request_id = hub.asked(NEW)
        assert hub.decide(request_id, "approve", who=person(7))[0] == 200
        hub.now = START + later
        hub.synced("int_0a1b")
        assert hub.decide(request_id, "approve", who=person(8))[1]["access_request"]["status"] == status


def test_one_human_with_a_hub_token_and_a_sign_in_is_one() -> None:
    """Where the token says whose it is; whoever asked does not approve, and two approvals of one are one."""
    hub, account = TimedHub(), frozenset({GitLabAccount(INTEGRATION, 7)})
    hub.put_policies(policy(requesters={"roles": ["admin"]}, approvers={"roles": ["admin"], "count": 2}))
    token, other = (Principal(name, Role.ADMIN, None, account) for name in ("t-seven", "t-also-seven"))
    for asking, deciding in ((token, person(7)), (person(7), token)):
        request_id = hub.asked(NEW, who=asking)
        assert hub.decide(request_id, "approve", who=deciding)[1]["code"] == "self_approval"
        hub.decide(request_id, "revoke", who=asking)
    request_id = hub.asked(NEW, who=person(8))
    for deciding in (token, person(7), other):
        assert hub.decide(request_id, "approve", who=deciding)[1]["access_request"]["status"] == "pending"
    assert hub.decide(request_id, "approve", who=person(9))[1]["access_request"]["status"] == "approved"


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
