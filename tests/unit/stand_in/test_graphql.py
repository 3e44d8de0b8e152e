"""GraphQL's own rules: what a query may cost, what is null to whom, and that lists end at a hundred."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from stand_in_gitlab.app import StandIn
from stand_in_gitlab.rest.api import Call

MEMBERS = (
    "nodes { accessLevel { integerValue } createdAt expiresAt user { id username state } } pageInfo { hasNextPage }"
)


@pytest.fixture
def query(app: StandIn) -> Callable[..., Any]:
    def send(text: str, holder: str = "admin-read", **variables: Any) -> Any:
        headers = {"authorization": f"Bearer {app.company.well_known.get(holder, holder)}"}
        body = json.dumps({"query": text, "variables": variables}).encode()
        call = Call(method="POST", path="/api/graphql", segments=(), params={}, headers=headers, body=body)
        answer = app.graphql.answer(call)
        return answer.status, json.loads(answer.body)

    return send


def members_of(number: int, kind: str = "group", arguments: str = "relations: [DIRECT]") -> str:
    ids = f'["gid://gitlab/{kind.title()}/{number}"]'
    return f"{{ {kind}s(ids: {ids}) {{ nodes {{ id {kind}Members({arguments}) {{ {MEMBERS} }} }} }} }}"


def test_it_tells_the_members_that_rest_tells(query: Callable[..., Any], ask: Any, app: StandIn) -> None:
    for number in app.company.groups:
        [group] = query(members_of(number))[1]["data"]["groups"]["nodes"]
        told = {
            (node["user"]["id"], node["accessLevel"]["integerValue"], node["expiresAt"], node["createdAt"])
            for node in group["groupMembers"]["nodes"]
            if node["user"] is not None
        }
        assert told == {
            (f"gid://gitlab/User/{row['id']}", row["access_level"], row["expires_at"], row["created_at"][:19] + "Z")
            for row in ask.everything(f"/groups/{number}/members")
        }
        invited = [node for node in group["groupMembers"]["nodes"] if node["user"] is None]
        assert len(invited) == len(app.company.invitations["group", number])


@pytest.mark.parametrize(
    ("holder", "status", "words"),
    [
        ("glpat-unknown", 401, "Invalid token"),
        ("expired", 401, "Invalid token"),
        ("narrow", 401, "Invalid token"),
    ],
)
def test_who_may_not_ask_is_told_so(query: Callable[..., Any], holder: str, status: int, words: str) -> None:
    assert query("{ currentUser { id } }", holder) == (status, {"errors": [{"message": words}]})


def test_a_query_costs_its_fields_and_twice_as_much_for_lists_of_a_hundred(query: Callable[..., Any]) -> None:
    score = "{ queryComplexity { score limit } currentUser { id } }"
    assert query(score)[1]["data"]["queryComplexity"] == {"score": 5, "limit": 300}
    assert query(score, "owner-read")[1]["data"]["queryComplexity"]["limit"] == 250
    members = "groupMembers(relations: [DIRECT], first: {}) {{ nodes {{ id }} }}"
    text = "{{ queryComplexity {{ score }} groups(first: {}) {{ nodes {{ {} }} }} }}"
    for groups, size, costs in ((100, 100, 2 + 18), (100, 50, 2 + 14), (1, 100, 2 + 9)):
        told = query(text.format(groups, members.format(size)))[1]["data"]["queryComplexity"]["score"]
        assert told == costs, (groups, size)


def test_too_much_is_refused(query: Callable[..., Any]) -> None:
    many = " ".join(f"a{number}: {members_of(1)[2:-2]}" for number in range(20))
    assert query(f"{{ {many} }}")[1]["errors"][0]["message"].startswith("Query has complexity of ")
    assert query(f"{{ currentUser {{ id }} }} # {'x' * 10_000}") == (422, {"errors": [{"message": "Query too large"}]})


def test_lists_end_at_a_hundred_and_go_on_by_cursor(query: Callable[..., Any], control: Any, app: StandIn) -> None:
    for number in range(130):
        made = control("POST", "changes", {"do": "add_user", "username": f"many{number}"})
        member = {"do": "add_member", "source": "group", "source_id": 1, "user_id": made["id"], "level": 10}
        control("POST", "changes", member)
    page = "nodes { user { id } } pageInfo { hasNextPage endCursor }"
    members = f"groupMembers(relations: [DIRECT], first: 500, after: $after) {{ {page} }}"
    text = f'query M($after: String) {{ groups(ids: ["gid://gitlab/Group/1"]) {{ nodes {{ {members} }} }} }}'
    found, after = [], None
    while True:
        told = query(text, after=after)[1]["data"]["groups"]["nodes"][0]["groupMembers"]
        found += [node["user"] for node in told["nodes"]]
        assert len(told["nodes"]) <= 100
        if not told["pageInfo"]["hasNextPage"]:
            break
        after = told["pageInfo"]["endCursor"]
    assert len(found) == len(app.company.members["group", 1]) + len(app.company.invitations["group", 1])


def test_what_one_may_not_see_is_not_there(query: Callable[..., Any], app: StandIn) -> None:
    everything = {group["id"] for group in query("{ groups { nodes { id } } }")[1]["data"]["groups"]["nodes"]}
    mine = {group["id"] for group in query("{ groups { nodes { id } } }", "owner-read")[1]["data"]["groups"]["nodes"]}
    assert mine < everything
    hidden = int((everything - mine).pop().rpartition("/")[2])
    assert query(members_of(hidden), "owner-read")[1]["data"] == {"groups": {"nodes": []}}


def test_a_fine_grained_token_gets_nulls_and_shorter_lists_and_no_word_of_it(
    query: Callable[..., Any], control: Any, app: StandIn
) -> None:
    owner = app.company.tokens[app.company.well_known["owner-read"]].user_id
    grants = [{"access": "selected_memberships", "group_id": 1, "permissions": ["Group: Read"]}]
    control(
        "POST",
        "changes",
        {"do": "add_token", "name": "few", "user_id": owner, "scopes": ["granular"], "grants": grants},
    )
    status, told = query("{ groups { nodes { id groupMembers(relations: [DIRECT]) { nodes { id } } } } }", "few")
    assert (status, "errors" in told) == (200, False)
    nodes = told["data"]["groups"]["nodes"]
    assert {node["groupMembers"] for node in nodes} == {None}
    assert 0 < len(nodes) < len(query("{ groups { nodes { id } } }", "owner-read")[1]["data"]["groups"]["nodes"])


def test_an_older_gitlab_does_not_know_the_fields(query: Callable[..., Any], control: Any) -> None:
    control("POST", "behaviour", {"graphql": "old"})
    [error] = query(members_of(1))[1]["errors"]
    assert error["extensions"]["code"] == "argumentNotAccepted"
    [error] = query("{ groups { nodes { sharedGroups { nodes { id } } } } }")[1]["errors"]
    assert error["message"] == "Field 'sharedGroups' doesn't exist on type 'Group'"
    control("POST", "behaviour", {"graphql": "missing"})
    assert query("{ currentUser { id } }")[0] == 404


def test_groups_tell_where_they_were_invited_and_owners_who_waits(
    query: Callable[..., Any], control: Any, app: StandIn
) -> None:
    source, other = [number for number, group in app.company.groups.items() if group.parent_id is None][:2]
    control(
        "POST", "changes", {"do": "add_share", "source": "group", "source_id": source, "group_id": other, "level": 30}
    )
    text = "{ groups { nodes { id sharedGroups { nodes { id } } pendingMembers { nodes { approved } } } } }"
    told = {one["id"]: one for one in query(text)[1]["data"]["groups"]["nodes"]}
    assert {"id": f"gid://gitlab/Group/{source}"} in told[f"gid://gitlab/Group/{other}"]["sharedGroups"]["nodes"]
    waiting = {"do": "add_member", "source": "group", "source_id": source, "user_id": 9, "level": 30, "awaiting": True}
    control("POST", "changes", waiting)
    told = {one["id"]: one for one in query(text)[1]["data"]["groups"]["nodes"]}
    assert {"approved": False} in told[f"gid://gitlab/Group/{source}"]["pendingMembers"]["nodes"]
    inner = next(group for group in app.company.groups.values() if group.parent_id is not None)
    assert told[f"gid://gitlab/Group/{inner.id}"]["pendingMembers"] is None
