"""What the document promises, tried with generated requests on every real route."""

import os
from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings, strategies
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fakes.events import OWNER, http_event
from tests.functional.api.api_hub import ApiHub
from tests.functional.api.test_matrix import DOCUMENTED

EXAMPLES = int(os.environ.get("API_EXAMPLES", "6"))
"""Requests per route: a few in the everyday run, 500 before a release."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


class Gateway:
    """The hub as a WSGI application: each request becomes an event from behind an authorizer that takes any token."""

    def __init__(self, hub: ApiHub) -> None:
        self._bundle = hub

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        names = {
            name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
        }
        query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        event = http_event(
            environ["REQUEST_METHOD"],
            unquote(environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")),
            raw=environ["wsgi.input"].read(length) if length else None,
            headers=names,
            principal=OWNER if names.get("authorization", "").startswith("Bearer ") else None,
            query={name: [value for each, value in query if each == name] for name, _ in query},
        )
        answer = self._bundle.resolve(event)
        start_response(f"{answer['statusCode']} -", list(answer["headers"].items()))
        return [answer["body"].encode()]


class Repeatable(HypothesisProvider):
    """Draws the same in every process.

    Hypothesis's own also draws the constants of the project's modules that are loaded by then, so the same seed gives
    other requests once other tests have run (https://github.com/HypothesisWorks/hypothesis/pull/4356).
    """

    def _maybe_draw_constant(self, *_: object, **__: object) -> None:
        """Draw none."""


AVAILABLE_PROVIDERS["repeatable"] = Repeatable
SETTINGS = settings(
    max_examples=EXAMPLES,
    backend="repeatable",
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TRIED = [
    (route, mode)
    for role, routes in DOCUMENTED.items()
    for route in routes
    for mode in GenerationMode
    if role != "open" or mode.is_positive  # An open route takes nothing that could be wrong.
]
met: Counter[int] = Counter()


@pytest.fixture(scope="module")
def hub() -> ApiHub:
    return ApiHub()


@pytest.fixture(scope="module")
def described(hub: ApiHub) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", Gateway(hub))


def assert_as_promised(case: Any) -> int:
    """Call, and hold the answer against the document; gives its status."""
    return int(case.call_and_validate(checks=CHECKS).status_code)


@pytest.mark.parametrize(("route", "mode"), TRIED)
@SETTINGS
@given(data=strategies.data())
def test_every_route_keeps_what_the_document_promises(
    hub: ApiHub, described: Any, route: str, mode: GenerationMode, data: strategies.DataObject
) -> None:
    method, path = route.replace("<", "{").replace(">", "}").split()
    case = data.draw(described[path][method].as_strategy(generation_mode=mode))
    for name, value in hub.ids.items():
        if name in case.path_parameters and method != "DELETE":
            case.path_parameters[name] = int(value) if value.isdigit() else value
    met[assert_as_promised(case)] += 1


def test_the_requests_got_through_to_the_handlers() -> None:
    assert met[200] > met[404]
    assert met.keys() >= {200, 201, 400, 404, 422}
