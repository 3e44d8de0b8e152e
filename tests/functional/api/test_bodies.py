"""Bodies that no route should take: refused on every real route, with nothing changed."""

import json
import re
from typing import Any

import pytest

from gitlab_hub.web.route import Route
from tests.fakes.events import answered, http_event
from tests.functional.api.bundle import Bundle, with_body

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
def bundle() -> Bundle:
    return Bundle()


def path_of(bundle: Bundle, route: Route) -> str:
    return re.sub(r"<(\w+)>", lambda match: bundle.ids[match[1]], route.path)


def refusal(answer: tuple[int, Any], route: Route) -> bool:
    status, body = answer
    if route.render_error:
        return (status, body["error"]) == (422, "invalid_json")
    return status in {400, 422} and body["code"] == "invalid_input"


@pytest.mark.parametrize("field", FORBIDDEN)
def test_a_field_that_a_route_does_not_name_is_refused(bundle: Bundle, field: str) -> None:
    before = bundle.stored()
    for route in with_body(bundle.routes):
        if (field, route.path.rpartition(".")[2]) in OWN:
            continue  # Here it is a field like any other.
        answer = bundle(route.method, path_of(bundle, route), {field: "x"})
        assert refusal(answer, route), f"{route.method} {route.path} {answer}"
    assert bundle.stored() == before


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_is_refused(bundle: Bundle, raw: str | bytes) -> None:
    before = bundle.stored()
    for route in bundle.routes:
        if route.method not in {"POST", "PUT", "PATCH"} or route.raw is not None:
            continue  # What takes the bytes as they come has tests of its own.
        answer = answered(bundle.resolve(http_event(route.method, path_of(bundle, route), raw=raw)))
        assert refusal(answer, route), f"{route.method} {route.path} {answer}"
    assert bundle.stored() == before


def test_what_claims_to_be_base64_and_is_not_is_refused(bundle: Bundle) -> None:
    for route in with_body(bundle.routes):
        event = {**http_event(route.method, path_of(bundle, route), raw="%%%"), "isBase64Encoded": True}
        assert refusal(answered(bundle.resolve(event)), route)


def test_a_body_over_the_limit_is_refused(bundle: Bundle) -> None:
    for route in with_body(bundle.routes):
        status, body = bundle(route.method, path_of(bundle, route), raw=json.dumps({"a": "x" * 1_000_001}))
        assert status == (422 if route.render_error else 413), f"{route.method} {route.path}"
        assert "payload_too_large" in {body.get("code"), body.get("error_detail")}
