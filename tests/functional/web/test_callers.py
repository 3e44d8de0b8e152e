"""Who may call what: nobody, every role, and tokens limited to one integration."""

from functools import partial
from typing import Any

import pytest

from gitlab_hub.web.api import Api
from gitlab_hub.web.auth import IntegrationGuard
from gitlab_hub.web.principal import FAILED, Principal, Role
from tests.fakes.events import Context, answered, http_event
from tests.functional.web.matrix import Case, foreign, matrix, mistakes
from tests.functional.web.sample import Guard, Sample

NOTES = "/v1/integrations/i1/notes"
IDS = {"integration_id": "i1", "connection_id": "i1", "number": "0"}


def resolve(api: Api, event: Any) -> Any:
    return api.resolve(event, Context())


def test_every_route_keeps_to_the_matrix_of_roles(sample: Sample) -> None:
    api = sample.api()
    cases = list(matrix(api.routes, IDS))
    assert len(cases) == 5 * len(api.routes)
    assert mistakes(partial(resolve, api), cases) == []


def test_nobody_and_low_roles_reach_no_handler(sample: Sample) -> None:
    api = sample.api()
    for case in matrix(api.routes, IDS):
        if case.refusal() is not None:
            resolve(api, case.event())
    assert sample.part.ran == []
    assert sample.table.dump() == []


def test_the_matrix_notices_a_route_that_lets_everybody_in(sample: Sample) -> None:
    class Careless(Api):
        def _authorize(self, *_: Any) -> Principal | None:
            return None

    api = Careless(sample.part.routes(), guard=Guard(), idempotency=None, now=lambda: 0)
    assert len(mistakes(partial(resolve, api), matrix(api.routes, IDS))) > len(api.routes)


def test_a_limited_token_meets_the_same_answer_for_foreign_and_unknown_ids(sample: Sample) -> None:
    api = sample.api()
    pairs = list(foreign(api.routes, own="i1", other="i2", unknown="i3"))
    assert len(pairs) == 7
    for case, unknown in pairs:
        theirs, nobodys = (answered(resolve(api, each.event())) for each in (case, unknown))
        assert theirs == nobodys
        assert theirs[0] == (422 if case.route.render_error else 404)
    assert sample.part.ran == []


def test_without_the_guard_a_foreign_integration_would_be_open(sample: Sample) -> None:
    class Everything:
        def exists(self, integration_id: str) -> bool:
            return True

    guard: IntegrationGuard = Everything()
    api = Api(sample.part.routes(), guard=guard, idempotency=None, now=lambda: 0)
    status, _ = answered(resolve(api, http_event("GET", "/v1/integrations/i3/notes")))
    assert status == 200


def test_a_limited_token_sees_its_own(sample: Sample) -> None:
    caller = Principal("t", Role.VIEWER, frozenset({"i1"}))
    assert sample.call("GET", NOTES, principal=caller)[0] == 200
    assert sample.call("GET", NOTES, principal=Principal("t", Role.VIEWER, frozenset({"i2"})))[0] == 404


def test_what_a_handler_says_of_a_missing_thing_is_not_passed_on(sample: Sample) -> None:
    _, inside = sample.call("GET", f"{NOTES}/7")
    _, outside = sample.call("GET", "/v1/integrations/i9/notes/7")
    assert inside == outside


def test_what_cannot_be_an_id_is_not_there_and_the_answer_says_why(sample: Sample) -> None:
    status, body = sample.call("GET", f"{NOTES}/seven")
    assert (status, body["code"]) == (404, "not_found")
    assert "path.number must be a whole number" in body["error"]
    assert sample.call("GET", f"{NOTES}/{'9' * 5000}")[0] == 404


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"token_id": "t"},
        {"token_id": "t", "role": "owner"},
        {"token_id": "t", "role": "god", "integration_ids": "*"},
        {"token_id": "", "role": "owner", "integration_ids": "*"},
        {"token_id": "t", "role": ["owner"], "integration_ids": "*"},
        {"token_id": "t", "role": "owner", "integration_ids": None},
        *(
            {"token_id": "t", "role": "owner", "integration_ids": "*", "gitlab_accounts": people}
            for people in ("", None, "i1", "i1:", "i1:0", "i1:x", "i1:5 ", "i1:5,i1:6", ["i1:5"])
        ),
    ],
)
def test_half_a_principal_is_nobody(sample: Sample, context: dict[str, Any]) -> None:
    event = http_event("GET", NOTES)
    event["requestContext"]["authorizer"] = {"lambda": context}
    assert answered(resolve(sample.api(), event))[0] == 401


@pytest.mark.parametrize("authorizer", [None, {}, {"lambda": None}, {"jwt": {"claims": {"role": "owner"}}}])
def test_an_event_without_an_authorizer_is_from_nobody(sample: Sample, authorizer: Any) -> None:
    event = http_event("GET", NOTES)
    event["requestContext"]["authorizer"] = authorizer
    status, body = answered(resolve(sample.api(), event))
    assert (status, body["code"]) == (401, "unauthorized")


def test_a_token_that_could_not_be_checked_is_no_wrong_token(sample: Sample) -> None:
    event = http_event("GET", NOTES)
    event["requestContext"]["authorizer"] = {"lambda": dict(FAILED)}
    status, body = answered(resolve(sample.api(), event))
    assert (status, body["code"], body["retryable"]) == (503, "service_unavailable", True)


def test_the_caller_is_checked_before_the_body_is_looked_at(sample: Sample) -> None:
    assert sample.call("POST", NOTES, raw="{nonsense", principal=None)[0] == 401
    assert sample.call("POST", NOTES, raw="{nonsense", principal=Principal("t", Role.VIEWER))[0] == 403
    assert sample.call("GET", NOTES, query={"tag": "\0"}, principal=None)[0] == 401


def test_a_case_tells_what_it_is(sample: Sample) -> None:
    assert str(Case(sample.part.routes()[0], None, IDS)) == "nobody GET /v1/integrations/<integration_id>/notes"


GOOD: dict[str, Any] = {"token_id": "t1", "role": "owner", "integration_ids": "*"}


def other(name: str, *values: Any) -> list[Any]:
    """Good contexts but for one value."""
    return [GOOD | {name: value} for value in values]


MALFORMED: list[Any] = [
    None, {}, [], "owner", 7, {"failed": True},
    *({name: value for name, value in GOOD.items() if name != missing} for missing in GOOD),
    *other("token_id", "", " ", "\t", "a b", "t1\n", None, 7, ["t1"], True),
    *other("role", "", " ", "root", "Owner", "owner ", "owner\n", None, 3, ["owner"], True),
    *other("integration_ids", "", " ", "   ", "\t", "\n", " i1", "i1 ", "i1  i2", "i1\ti2", "i1\n", "* i1", "i1 *"),
    *other("integration_ids", "**", None, 5, [], ["i1"], {}, "[]", '""', "i1,i2", "\u200b", "\x00", "i1 \u00a0"),
]  # fmt: skip


@pytest.mark.parametrize("context", MALFORMED, ids=repr)
def test_a_context_that_the_authorizer_would_not_write_is_nobodys(sample: Sample, context: Any) -> None:
    event = http_event("GET", NOTES)
    event["requestContext"]["authorizer"] = {"lambda": context}
    assert answered(resolve(sample.api(), event))[0] == 401
    assert sample.part.ran == []


@pytest.mark.parametrize("authorizer", [None, [], "x", 1, {"lambda": "x"}, {"jwt": GOOD}, {"iam": GOOD}])
def test_an_authorizer_of_another_shape_is_nobodys(sample: Sample, authorizer: Any) -> None:
    event = http_event("GET", NOTES)
    event["requestContext"]["authorizer"] = authorizer
    assert answered(resolve(sample.api(), event))[0] == 401


@pytest.mark.parametrize("limit", [None, frozenset({"i1"}), frozenset({"i1", "i2", "int_3"})])
def test_what_the_authorizer_writes_is_read_back(limit: frozenset[str] | None) -> None:
    principal = Principal("t-1", Role.ADMIN, limit)
    assert Principal.from_context(principal.to_context()) == principal
