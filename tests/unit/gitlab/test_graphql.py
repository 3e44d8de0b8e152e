import json
from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.errors import RateLimited, Unauthorized, UnexpectedResponse
from gitlab_hub.gitlab.graphql import Cause, GraphQLError, GraphQLQuery, global_id, number_of, read_reply
from tests.fakes.gitlab_client import BASE, TOKEN, FixedTokens, ScriptedTransport, client

QUERY = GraphQLQuery("Who", "currentUser { id }", "$first: Int")


@pytest.mark.parametrize(
    ("name", "selection", "variables"),
    [
        ("Who", "a } } mutation Evil { b { c", ""),
        ("Who", "a } query Other { b", ""),
        ("Who", "}{", ""),
        ("Who", "", ""),
        ("Who", 'a(b: "}")', ""),
        ("Who", "a # }", ""),
        ("Who", "a @include(if: true)", ""),
        ("Who", "a", "$b: Int) { c } mutation Evil ("),
        ("Who { a } mutation", "a", ""),
        ("", "a", ""),
        ("Who", "a" * 10_000, ""),
    ],
)
def test_nothing_but_one_query_can_be_made(name: str, selection: str, variables: str) -> None:
    with pytest.raises(ValueError, match="A query"):
        GraphQLQuery(name, selection, variables)


def test_a_query_names_the_operation_to_run() -> None:
    assert json.loads(QUERY.body({"first": 5})) == {
        "query": "query Who($first: Int) { currentUser { id } }",
        "operationName": "Who",
        "variables": {"first": 5},
    }


async def test_it_goes_where_rest_goes_with_the_same_token() -> None:
    wire = ScriptedTransport(httpx.Response(200, json={"data": {"currentUser": None}}))
    async with client(wire) as gitlab:
        reply = await gitlab.query(QUERY)
    assert (reply.data, reply.errors) == ({"currentUser": None}, ())
    [request] = wire.requests
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/api/graphql")
    assert (wire.tokens, request.headers["content-type"]) == ([TOKEN], "application/json")


async def test_it_is_tried_again_as_any_reading_call() -> None:
    good = httpx.Response(200, json={"data": {}, "errors": []})
    wire = ScriptedTransport(httpx.Response(502), httpx.Response(429, headers={"retry-after": "1"}), good)
    async with client(wire) as gitlab:
        assert (await gitlab.query(QUERY)).errors == ()
    assert (len(wire.requests), gitlab.requests, gitlab.rate_limited) == (3, 3, 1)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, json={"errors": [{"message": "Invalid token"}]}), Unauthorized),
        (httpx.Response(429, headers={"retry-after": "900"}), RateLimited),
        (httpx.Response(422, json={"errors": [{"message": "Query too large"}]}), UnexpectedResponse),
        (httpx.Response(200, json=[]), UnexpectedResponse),
        (httpx.Response(200, json={"data": None}), UnexpectedResponse),
        (httpx.Response(200, json={"errors": "many"}), UnexpectedResponse),
    ],
)
async def test_what_is_no_answer_is_an_error(answer: httpx.Response, error: type[Exception]) -> None:
    async with client(ScriptedTransport(answer), tokens=FixedTokens(TOKEN)) as gitlab:
        with pytest.raises(error):
            await gitlab.query(QUERY)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"message": "Query has complexity of 320, which exceeds max complexity of 250"}, GraphQLError(Cause.TOO_MUCH)),
        ({"message": "Query has depth of 30, which exceeds max depth of 20"}, GraphQLError(Cause.TOO_MUCH)),
        (
            {"message": "Timeout on Group.groupMembers", "path": ["part0", "nodes", 3, "groupMembers"]},
            GraphQLError(Cause.TOO_MUCH, ("part0", "nodes", 3, "groupMembers")),
        ),
        (
            {
                "message": "Field 'x' doesn't exist",
                "path": ["query Who", "x"],
                "extensions": {"code": "undefinedField"},
            },
            GraphQLError(Cause.NOT_KNOWN),
        ),
        ({"message": "secret", "path": ["part0"]}, GraphQLError(Cause.OTHER, ("part0",))),
        ({"message": 5, "path": "part0"}, GraphQLError(Cause.OTHER)),
    ],
)
def test_errors_say_what_less_at_once_may_mend(row: dict[str, Any], told: GraphQLError) -> None:
    reply = read_reply({"data": None, "errors": [row]})
    assert reply is not None
    assert reply.errors == (told,)
    assert reply.is_too_much is (told.cause is Cause.TOO_MUCH)


def test_an_error_lies_on_its_path_above_and_below() -> None:
    reply = read_reply({"data": {}, "errors": [{"message": "", "path": ["part0", "nodes", 3, "groupMembers"]}]})
    assert reply is not None
    assert reply.failed("part0", "nodes", 3)
    assert reply.failed("part0", "nodes", 3, "groupMembers", "nodes")
    assert not reply.failed("part0", "nodes", 4)
    assert not reply.failed("part1", "nodes", 3)
    everywhere = read_reply({"data": {}, "errors": ["no error at all"]})
    assert everywhere is not None
    assert everywhere.failed("part1", "nodes", 3)


def test_global_ids() -> None:
    assert number_of(global_id("User", 7), "User") == 7
    for wrong in (global_id("User", 7), "gid://gitlab/Group/0", "gid://gitlab/Group/7/8", 7, None):
        assert number_of(wrong, "Group") is None
