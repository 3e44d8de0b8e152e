import re
from typing import Any

import pytest

from gitlab_hub.access.graphql.members import FIRST
from gitlab_hub.access.graphql.queries import (
    MembersQuery,
    Schema,
    invited_into,
    member_pages,
    nobody_waits,
    outline_query,
    values_of,
)
from gitlab_hub.access.graphql.standing import Standing
from gitlab_hub.access.transform import account_of_member, grant_of
from gitlab_hub.gitlab.graphql import GraphQLReply, read_reply
from gitlab_hub.gitlab.graphql_batches import GIVES_UP_AFTER, GROWS_AFTER, BatchSize
from gitlab_hub.inventory.model import ResourceType

GROUP, PROJECT = ResourceType.GROUP, ResourceType.PROJECT


def user(number: int, **more: Any) -> dict[str, Any]:
    names = {"username": f"u{number}", "name": "U", "state": "active", "webUrl": "https://g/u", "publicEmail": ""}
    return {"id": f"gid://gitlab/User/{number}", **names, **more}


def node(number: int, **more: Any) -> dict[str, Any]:
    return {
        "accessLevel": {"integerValue": 30},
        "createdAt": "2026-01-02T03:04:05Z",
        "expiresAt": "2027-01-31",
        "createdBy": {"id": "gid://gitlab/User/1"},
        "user": user(number),
        "memberRole": {"id": "gid://gitlab/MemberRole/4", "name": "Captain"},
        **more,
    }


def group(number: int, *nodes: Any, more: bool = False, end: Any = "c") -> dict[str, Any]:
    members = {"nodes": list(nodes), "pageInfo": {"hasNextPage": more, "endCursor": end}}
    return {"id": f"gid://gitlab/Group/{number}", "groupMembers": members}


def reply(*nodes: Any, errors: Any = ()) -> GraphQLReply:
    found = read_reply({"data": {"part0": {"nodes": list(nodes)}}, "errors": list(errors)})
    assert found is not None
    return found


def test_a_membership_is_what_rest_would_have_told() -> None:
    [row] = member_pages(reply(group(7, node(5))), GROUP, "active")[7].rows
    rest = {
        "id": 5, "username": "u5", "public_email": "", "name": "U", "state": "active", "locked": False,
        "avatar_url": None, "web_url": "https://g/u", "access_level": 30, "created_at": "2026-01-02T03:04:05.678Z",
        "expires_at": "2027-01-31", "created_by": {"id": 1, "username": "root"}, "membership_state": "active",
        "member_role": {"id": 4, "name": "Captain", "base_access_level": 30},
    }  # fmt: skip
    assert grant_of(row, GROUP, 7) == grant_of(rest, GROUP, 7)
    assert account_of_member(row) == account_of_member(rest)


def test_of_a_community_edition_neither_state_nor_role_is_told() -> None:
    [row] = member_pages(reply(group(7, node(5, memberRole=None, createdBy=None, expiresAt=None))), GROUP, None)[7].rows
    assert not {"membership_state", "member_role", "created_by"} & row.keys()


def test_who_was_invited_by_email_is_no_member() -> None:
    assert [row["id"] for row in member_pages(reply(group(7, node(5, user=None), node(6))), GROUP, None)[7].rows] == [6]


@pytest.mark.parametrize(
    "odd",
    [
        group(7, None),
        group(7, node(5, accessLevel=None)),
        group(7, node(5, user={**user(5), "id": "gid://gitlab/Group/5"})),
        group(7, node(5, createdBy={"id": None})),
        group(7, node(5, memberRole={"id": "4"})),
        group(7, {"user": user(5), "accessLevel": {"integerValue": 30}}),
        group(7, more=True, end=None),
        {**group(7), "groupMembers": None},
        {**group(7), "groupMembers": {"nodes": []}},
        {**group(7), "id": "gid://gitlab/Project/7"},
        None,
    ],
)
def test_what_is_not_whole_is_left_to_rest(odd: Any) -> None:
    assert member_pages(reply(odd, group(8, node(5))), GROUP, None).keys() == {8}


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        (["part0", "nodes", 0, "groupMembers"], {8}),
        (["part0", "nodes", 1, "groupMembers", "nodes", 0, "user"], {7}),
        (["part0"], set()),
        ([], set()),
    ],
)
def test_what_an_error_lies_on_is_left_to_rest(path: list[Any], whole: set[int]) -> None:
    errors = [{"message": "no", "path": path}]
    assert member_pages(reply(group(7, node(5)), group(8, node(5)), errors=errors), GROUP, None).keys() == whole


def test_a_part_holds_a_hundred_and_costs_what_gitlab_says() -> None:
    lean, full = MembersQuery(PROJECT), MembersQuery(GROUP, roles=True, accounts=True)
    assert (lean.within(250), lean.within(300), full.within(250), full.within(10)) == (400, 500, 200, 100)
    text = lean.query(250).text
    assert re.findall(r"part(\d): projects\(ids: \$ids(\d), first: \$count\)", text) == [
        ("0", "0"),
        ("1", "1"),
        ("2", "2"),
    ]
    values = values_of(PROJECT, range(1, 251), after=None)
    assert [len(values[f"ids{part}"]) for part in range(3)] == [100, 100, 50]
    assert (values["count"], values["size"], values["ids2"][-1]) == (100, 100, "gid://gitlab/Project/250")


def test_the_schema_says_what_can_be_asked() -> None:
    def fields(*names: str) -> dict[str, Any]:
        return {"fields": [{"name": name} for name in names]}

    ids = [{"name": "groups", "args": [{"name": "ids"}]}, {"name": "projects", "args": [{"name": "ids"}]}]
    data: dict[str, Any] = {
        "queryComplexity": {"limit": 300},
        "query": {"fields": ids},
        "group": fields("groupMembers", "pendingMembers", "sharedGroups"),
        "groupMember": fields("memberRole"),
        "projectMember": fields("memberRole"),
    }
    assert Schema.of(GraphQLReply(data)) == Schema(frozenset(ResourceType), True, True, True, False, 300)
    levels = {"fields": [*data["group"]["fields"][1:], {"name": "groupMembers", "args": [{"name": "accessLevels"}]}]}
    assert Schema.of(GraphQLReply({**data, "group": levels})).levels
    older = {**data, "query": {"fields": [{"name": "groups", "args": []}, ids[1]]}, "projectMember": fields()}
    assert Schema.of(GraphQLReply(older)) == Schema(frozenset({PROJECT}), False, True, False, False, 300)
    assert Schema.of(GraphQLReply({})) == Schema()
    refused = read_reply({"data": data, "errors": [{"message": "no"}]})
    assert refused is not None
    assert Schema.of(refused) == Schema()


def outline(number: int, shared: Any = (), *, more: bool = False, **fields: Any) -> dict[str, Any]:
    ids = {"nodes": [{"id": one} for one in shared], "pageInfo": {"hasNextPage": more}}
    return {"id": f"gid://gitlab/Group/{number}", "sharedGroups": ids, **fields}


def test_shares_are_known_only_where_every_group_tells_them_whole() -> None:
    told = [outline(1, ["gid://gitlab/Group/5"]), outline(2)]
    assert invited_into(told) == {5}
    for odd in (outline(3, more=True), outline(3, [None]), {"id": "gid://gitlab/Group/3", "sharedGroups": None}):
        assert invited_into([*told, odd]) is None
    assert "pendingMembers" not in outline_query(5, shared=True, pending=False).text


@pytest.mark.parametrize(
    ("pending", "quiet"),
    [
        ([], True),
        ([{"approved": True}], True),
        ([{"approved": True}, {"approved": False}], False),
        ([{"approved": None}], False),
        (None, False),
    ],
)
def test_who_waits_for_approval_is_told_to_owners(pending: Any, quiet: bool) -> None:
    told = None if pending is None else {"nodes": pending, "pageInfo": {"hasNextPage": False}}
    assert nobody_waits(outline(1, pendingMembers=told)) is quiet
    if told is not None:
        assert not nobody_waits(outline(1, pendingMembers={**told, "pageInfo": {"hasNextPage": True}}))


def test_what_graphql_is_taken_for() -> None:
    schema = Schema(frozenset(ResourceType), True, True, True)
    community = Standing(schema=schema)
    assert (community.takes(GROUP, "a/b"), community.state) == (True, None)
    enterprise = Standing(
        schema=schema, is_enterprise=True, roots=frozenset({"a", "b"}), quiet=frozenset({"a"}), leaves_tops=True
    )
    takes = {path: enterprise.takes(GROUP, path) for path in ("a", "A/x", "b/x", "c/x")}
    assert takes == {"a": False, "A/x": True, "b/x": False, "c/x": False}
    assert (enterprise.takes(PROJECT, "jane/x"), enterprise.takes(PROJECT, "b/x"), enterprise.state) == (
        True,
        False,
        "active",
    )
    assert not Standing().takes(PROJECT, "a/x")


def test_batches_shrink_at_once_and_grow_with_care() -> None:
    size = BatchSize(FIRST)
    assert (size.within(400), size.within(100)) == (FIRST, 100)
    size.worked(0.1)
    assert size.within(400) == 200
    size.worked(60)
    assert size.within(400) == 200
    size.was_too_much(brought_any=True)
    assert size.within(400) == 100
    for _ in range(GROWS_AFTER):
        size.worked(0.1)
    assert size.within(400) == 100
    size.worked(0.1)
    assert size.within(400) == 200
    for _ in range(GIVES_UP_AFTER):
        assert not size.is_hopeless
        size.was_too_much(brought_any=False)
    assert (size.is_hopeless, size.within(400)) == (True, 6)
