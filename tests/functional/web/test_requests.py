"""Requests as nobody should send them, and the shape of every refusal."""

from typing import Any

import pytest

from gitlab_hub.web.api import Api
from gitlab_hub.web.responses import spelled
from tests.fakes.events import Context, answered, http_event
from tests.functional.web.sample import Guard, NoteView, Sample

NOTES = "/v1/integrations/i1/notes"
CANARY = "glpat-canary0000000000000"

BODIES: dict[str, tuple[str | bytes, int]] = {
    "not json": ("{", 400),
    "deep arrays": ("[" * 100_000, 400),
    "deep but whole": ('{"text": "x", "more": ' + '{"a":' * 90_000 + "1" + "}" * 90_000 + "}", 400),
    "deeper than allowed": ('{"text": "x", "more": ' + '{"a":' * 60 + "1" + "}" * 60 + "}", 422),
    "null": ("null", 422),
    "array": ('[{"text": "x"}]', 422),
    "text": ('"text"', 422),
    "number": ("1", 422),
    "nul": ('{"text": "a\\u0000b"}', 422),
    "nul in a name": ('{"te\\u0000xt": "a"}', 422),
    "half a surrogate": ('{"text": "a\\ud800b"}', 422),
    "surrogate in the body itself": ('{"text": "\ud800"}', 400),
    "nan": ('{"text": "x", "more": {"n": NaN}}', 400),
    "infinite": ('{"text": "x", "more": {"n": 1e999}}', 422),
    "endless number": ('{"text": "x", "more": {"n": ' + "9" * 5000 + "}}", 400),
    "byte order mark": ("\ufeff{}", 400),
    "no utf-8": (b'{"text": "\xff"}', 400),
    "empty": ("", 422),
    "blank": (" ", 422),
    "unknown field": ('{"text": "x", "colour": "red"}', 422),
    "wrong type": ('{"text": 5}', 422),
    "too long": ('{"text": "' + "x" * 1001 + '"}', 422),
    "too large": ('{"text": "' + "x" * 1_000_000 + '"}', 413),
    "far too large": ("x" * 3_000_000, 413),
}


@pytest.mark.parametrize(("raw", "expected"), BODIES.values(), ids=BODIES)
def test_no_body_is_too_strange(sample: Sample, raw: str | bytes, expected: int) -> None:
    status, body = sample.call("POST", NOTES, raw=raw)
    assert status == expected
    assert set(body) - {"details"} == {"error", "code", "retryable", "request_id"}
    assert sample.part.notes == {}


def test_letters_are_answered_as_they_are(sample: Sample) -> None:
    event = http_event("POST", NOTES, {"text": "Größe … 深さ"})
    kept = sample.api().resolve(event, Context())["body"]
    assert "Größe … 深さ" in kept
    refused = sample.api().resolve(http_event("POST", NOTES, {"größe": 1}), Context())["body"]
    assert "body.größe is not known here" in refused


def test_half_a_character_is_escaped_and_breaks_nothing() -> None:
    assert spelled({"name": "…"}) == '{"name":"…"}'
    assert spelled({"name": "…\ud800"}).encode() == b'{"name":"\\u2026\\ud800"}'


def test_what_is_not_base64_is_refused(sample: Sample) -> None:
    event = http_event("POST", NOTES, raw="$$$ no base64 $$$") | {"isBase64Encoded": True}
    status, body = answered(sample.api().resolve(event, Context()))
    assert (status, body["code"]) == (400, "invalid_input")


def test_base64_with_something_in_between_is_refused(sample: Sample) -> None:
    event = http_event("POST", NOTES, raw=b'{"text": "x"}')
    event["body"] = event["body"][:4] + "!" + event["body"][4:]
    assert sample.api().resolve(event, Context())["statusCode"] == 400


def test_base64_is_read(sample: Sample) -> None:
    assert sample.call("POST", NOTES, raw=b'{"text": "\xc3\xa4"}')[1]["text"] == "ä"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_is_json_whatever_it_is_called(sample: Sample, content_type: str) -> None:
    assert sample.call("POST", NOTES, {"text": "x"}, headers={"content-type": content_type})[0] == 201
    assert sample.call("POST", NOTES, raw="text=x", headers={"content-type": content_type})[0] == 400


@pytest.mark.parametrize("name", ["integration_id", "role", "status", "secret_arn", "fence"])
@pytest.mark.parametrize("path", [NOTES, f"{NOTES}/0/check"], ids=["with body", "without body"])
def test_fields_that_are_not_the_callers_to_set_are_refused(sample: Sample, path: str, name: str) -> None:
    body = {"text": "x", name: "i2"} if path == NOTES else {name: "i2"}
    status, answer = sample.call("POST", path, body)
    assert (status, answer["code"]) == (422, "invalid_input")
    assert [field["field"] for field in answer["details"]["fields"]] == [f"body.{name}"]
    assert sample.part.ran == []


def test_a_refusal_never_repeats_what_was_sent(sample: Sample) -> None:
    for body in ({"text": {"deep": CANARY}}, {"text": CANARY * 100}, {"text": "x", "tags": CANARY}):
        response = sample.api().resolve(http_event("POST", NOTES, body), Context())
        assert response["statusCode"] == 422
        assert "canary" not in response["body"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"limit": 0}, 422), ({"limit": 201}, 422), ({"limit": "ten"}, 422), ({"limit": [1, 2]}, 422),
        ({"limit": "1\0"}, 422), ({"tag": "a\0"}, 422), ({"cursor": "x" * 2049}, 422), ({"limit": 1}, 200),
        ({"tag": ["a", "b"]}, 200), ({"unknown": "1"}, 422), ({"limit": ""}, 422), ({"limit": "1,2"}, 422),
    ],
)  # fmt: skip
def test_a_query_is_checked(sample: Sample, query: dict[str, Any], expected: int) -> None:
    assert sample.call("GET", NOTES, query=query)[0] == expected


def test_a_body_where_none_belongs_is_not_looked_at(sample: Sample) -> None:
    assert sample.call("GET", NOTES, raw="{nonsense")[0] == 200
    assert sample.call("DELETE", f"{NOTES}/0", raw="[" * 100_000)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/integrations/i1/notes/",
        "/v1/integrations//notes",
        "/V1/x",
        "/é\0",
        "/v1/integrations/\ud800/notes",
    ],
)
def test_an_unknown_path_is_not_found(sample: Sample, path: str) -> None:
    status, body = sample.call("GET", path)
    assert (status, body["code"]) == (404, "not_found")


def test_an_endless_id_is_not_looked_up(sample: Sample) -> None:
    assert sample.call("GET", f"/v1/integrations/{'i' * 5000}/notes")[0] == 404


def test_a_dot_in_a_path_is_a_dot(sample: Sample) -> None:
    assert sample.call("GET", "/api/connections/i1/credentials.list")[0] == 200
    assert sample.call("GET", "/api/connections/i1/credentialsXlist")[0] == 404


def test_a_method_that_a_path_does_not_have_is_named(sample: Sample) -> None:
    status, body = sample.call("PUT", NOTES)
    assert (status, body["code"], body["details"]) == (405, "method_not_allowed", {"allowed": ["GET", "POST"]})


def test_the_methods_of_a_path_are_in_the_header_too(sample: Sample) -> None:
    answer = sample.api().resolve(http_event("PUT", NOTES, principal=None), Context())
    assert (answer["statusCode"], answer["headers"]["allow"]) == (405, "GET, POST")
    options = sample.api().resolve(http_event("OPTIONS", NOTES, principal=None), Context())
    assert (options["statusCode"], options["headers"]["allow"], options["body"]) == (204, "GET, POST", "")
    assert sample.call("OPTIONS", "/nowhere")[0] == 404


def test_head_is_get_without_the_body_on_open_routes_alone(sample: Sample) -> None:
    answer = sample.api().resolve(http_event("HEAD", "/open", principal=None), Context())
    assert (answer["statusCode"], answer["body"], sample.part.ran) == (200, "", ["open"])
    assert sample.call("HEAD", NOTES)[0] == 405
    assert sample.call("HEAD", "/nowhere")[0] == 404


def test_the_function_that_has_no_such_route_knows_those_of_the_others(sample: Sample) -> None:
    here = [route for route in sample.part.routes() if route.path == "/open"]
    api = Api(here, guard=Guard(), idempotency=None, now=lambda: 0, all_routes=sample.part.routes)
    status, body = answered(api.resolve(http_event("DELETE", NOTES, principal=None), Context()))
    assert (status, body["code"], body["details"]) == (405, "method_not_allowed", {"allowed": ["GET", "POST"]})
    status, body = answered(api.resolve(http_event("GET", "/v1/integration", principal=None), Context()))
    assert (status, body["code"]) == (404, "not_found")
    assert "no such path" in body["error"]
    assert sample.part.ran == []


def test_a_failure_that_may_pass_says_when_to_come_back(sample: Sample) -> None:
    response = sample.api().resolve(http_event("POST", NOTES, {"text": "busy"}), Context())
    assert response["statusCode"] == 503
    assert response["headers"]["retry-after"] == "7"
    assert sample.call("POST", NOTES, {"text": "queue"})[1]["code"] == "service_unavailable"


def test_every_answer_forbids_to_keep_it_and_carries_its_id(sample: Sample) -> None:
    for event in (http_event("GET", NOTES), http_event("GET", "/nowhere"), http_event("GET", NOTES, principal=None)):
        headers = sample.api().resolve(event, Context())["headers"]
        assert headers["cache-control"] == "no-store"
        assert headers["x-request-id"] == "req-1"
        assert headers["content-type"] == "application/json"


def test_another_convention_of_errors_is_kept_throughout(sample: Sample) -> None:
    path = "/api/connections/i1/credentials.create"
    assert sample.call("POST", path, principal=None) == (401, _own("not_authed", "unauthorized"))
    assert sample.call("POST", "/api/connections/i9/credentials.create") == (422, _own("not_found", "not_found"))
    assert sample.call("POST", path, raw="{") == (422, _own("invalid_input", "invalid_input"))
    assert sample.call("POST", path, {"text": 5}) == (422, _own("invalid_input", "invalid_input"))


def _own(error: str, detail: str) -> dict[str, Any]:
    return {"ok": False, "error": error, "error_detail": detail}


@pytest.mark.parametrize("text", ["x" * 40_000, '"' * 20_000, "\N{GRINNING FACE}" * 4_000])
def test_an_answer_that_lambda_would_not_take_says_how_to_ask_for_less(sample: Sample, text: str) -> None:
    """Of an answer Lambda takes 6 MB, as the JSON that it is sent in."""
    sample.part.notes["i1"] = [NoteView(id="n", number=1, text=text, by="t")] * 200
    status, body = sample.call("GET", NOTES, query={"limit": 200})
    assert (status, body["code"]) == (422, "invalid_input")
    assert [field["field"] for field in body["details"]["fields"]] == ["query.limit"]
    assert "limit" in body["error"]
    assert sample.call("GET", NOTES, query={"limit": 50})[0] == 200
