"""What the document promises, tried with generated requests on every real route."""

import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fakes.events import http_event
from tests.functional.api.bundle import Bundle

EXAMPLES = int(os.environ.get("API_EXAMPLES", "12"))
"""Requests per route: a few in the everyday run, 500 before a release."""

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


class Gateway:
    """The hub as a WSGI application: each request becomes an event from behind the authorizer."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        names = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
        query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        event = http_event(
            environ["REQUEST_METHOD"],
            unquote(environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")),
            raw=environ["wsgi.input"].read(length) if length else None,
            headers=names,
            query={name: [value for each, value in query if each == name] for name, _ in query},
        )
        answer = self._bundle.resolve(event)
        start_response(f"{answer['statusCode']} -", list(answer["headers"].items()))
        return [answer["body"].encode()]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle()


schema = schemathesis.openapi.from_wsgi("/openapi.json", Gateway(Bundle()))


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_route_keeps_what_the_document_promises(case: schemathesis.Case) -> None:
    case.call_and_validate(checks=CHECKS)
