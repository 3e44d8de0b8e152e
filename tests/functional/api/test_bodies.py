"""Bodies that no route should take: refused on every real route, with nothing changed."""

import json
import re
from typing import Any

import pytest

from gitlab_hub.web.route import Route
from tests.fakes.events import answered, http_event
from tests.functional.api.api_hub import ApiHub, with_body

FORBIDDEN = ("integration_id", "role", "status", "secret_arn", "fence", "id", "version", "account", "created_by")
OWN = {
    ("id", "update"), ("id", "delete"), ("role", "/v1/tokens"),
    ("integration_id", "/v1/integrations/gitlab/authorize"),
}  # fmt: skip
HOSTILE: dict[str, str | bytes] = {
    "deep": "[" * 100_000,
    "deep object": '{"a":' * 100_000,
    "deep inside": '{"a": ' + "[" * 200 + "]" * 200 + "}",
    "nul": '{"display_name": "a\\u0000b"}',
    "half a character": '{"display_name": "\\ud800"}',
    "null": "null",
    "array": "[1]",
    "text": '"text"',
    "number": "1e999",
    "not a number": '{"a": NaN}',
    "huge number": '{"a": ' + "9" * 5000 + "}",
    "cut off": '{"a": ',
    "not UTF-8": b'{"a": "\xff"}',
}


@pytest.fixture(scope="module")
def hub() -> ApiHub:
    return ApiHub()


def path_of(hub: ApiHub, route: Route) -> str:
    return re.sub(r"<(\w+)>", lambda match: hub.ids[match[1]], route.path)


def refusal(answer: tuple[int, Any], route: Route) -> bool:
    status, body = answer
    if route.render_error:
        return (status, body["error"]) == (422, "invalid_json")
    return status in {400, 422} and body["code"] == "invalid_input"


@pytest.mark.parametrize("field", FORBIDDEN)
def test_a_field_that_a_route_does_not_name_is_refused(hub: ApiHub, field: str) -> None:
    before = hub.stored()
    for route in with_body(hub.routes):
        if (field, route.path.rpartition(".")[2]) in OWN:
            continue  # Here it is a field like any other.
        answer = hub(route.method, path_of(hub, route), {field: "x"})
        assert refusal(answer, route), f"{route.method} {route.path} {answer}"
    assert hub.stored() == before


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_is_refused(hub: ApiHub, raw: str | bytes) -> None:
    before = hub.stored()
    for route in hub.routes:
        if route.method not in {"POST", "PUT", "PATCH"} or route.raw is not None:
            continue  # What takes the bytes as they come has tests of its own.
        answer = answered(hub.resolve(http_event(route.method, path_of(hub, route), raw=raw)))
        assert refusal(answer, route), f"{route.method} {route.path} {answer}"
    assert hub.stored() == before


def test_what_claims_to_be_base64_and_is_not_is_refused(hub: ApiHub) -> None:
    for route in with_body(hub.routes):
        event = {**http_event(route.method, path_of(hub, route), raw="%%%"), "isBase64Encoded": True}
        assert refusal(answered(hub.resolve(event)), route)


def test_a_body_over_the_limit_is_refused(hub: ApiHub) -> None:
    for route in with_body(hub.routes):
        status, body = hub(route.method, path_of(hub, route), raw=json.dumps({"a": "x" * 1_000_001}))
        assert status == (422 if route.render_error else 413), f"{route.method} {route.path}"
        assert "payload_too_large" in {body.get("code"), body.get("error_detail")}
