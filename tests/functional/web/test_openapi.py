"""The document says what the routes do."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gitlab_hub import __version__
from gitlab_hub.web.api import Api
from gitlab_hub.web.openapi import HealthRoutes, OpenApiRoutes, document
from tests.fakes.events import Context, answered, http_event
from tests.functional.web.matrix import matrix
from tests.functional.web.sample import Guard, Sample

NOTES = "/v1/integrations/{integration_id}/notes"


@pytest.fixture
def made(sample: Sample) -> dict[str, Any]:
    return document(sample.part.routes())


def test_the_document_is_served_without_a_token(sample: Sample) -> None:
    part = OpenApiRoutes(sample.part.routes)
    api = Api([*part.routes(), *HealthRoutes().routes()], guard=Guard(), idempotency=None, now=lambda: 0)
    status, body = answered(api.resolve(http_event("GET", "/openapi.json", principal=None), Context()))
    assert (status, body["openapi"], body["info"]["version"]) == (200, "3.1.0", __version__)
    assert {NOTES, "/openapi.json"} <= set(body["paths"])
    health = answered(api.resolve(http_event("GET", "/healthz", principal=None), Context()))
    assert health == (200, {"ok": True, "version": __version__})


def test_the_document_has_no_error_shape_but_ours(made: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in json.dumps(made)
    assert made["components"]["schemas"]["Error"]["required"] == ["error", "code", "retryable", "request_id"]


def test_every_reference_leads_somewhere(made: dict[str, Any]) -> None:
    text = json.dumps(made)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(made["components"]["schemas"])


def test_roles_and_keys_are_told(made: dict[str, Any]) -> None:
    post = made["paths"][NOTES]["post"]
    assert "admin" in post["description"]
    assert post["security"] == [{"hubToken": []}]
    assert post["parameters"][-1]["name"] == "idempotency-key"
    assert "201" in post["responses"]
    assert "security" not in made["paths"]["/open"]["get"]


def test_another_error_convention_is_described_as_it_is(made: dict[str, Any]) -> None:
    responses = made["paths"]["/api/connections/{connection_id}/credentials.create"]["post"]["responses"]
    assert responses["422"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/CredentialsError"
    }
    assert made["components"]["schemas"]["CredentialsError"]["required"] == ["ok", "error", "error_detail"]
    assert set(responses) == {"201", "401", "403", "422", "default"}


def test_answers_are_what_the_document_says(sample: Sample, made: dict[str, Any]) -> None:
    api = sample.api()
    sample.call("POST", "/v1/integrations/i1/notes", {"text": "x"})
    seen = set()
    for case in matrix(api.routes, {"integration_id": "i1", "connection_id": "i1", "number": "0"}):
        for body in (None, {"text": "x"}, {"text": 5}, {"colour": "red"}):
            event = case.event() | ({"body": json.dumps(body)} if body else {})
            status, answer = answered(api.resolve(event, Context()))
            check(made, case.route.method, case.route.path, status, answer)
            seen.add(status)
    assert seen == {200, 201, 401, 403, 422}


def check(made: dict[str, Any], method: str, path: str, status: int, answer: Any) -> None:
    operation = made["paths"][path.replace("<", "{").replace(">", "}")][method.lower()]
    assert str(status) in operation["responses"], f"{method} {path} does not tell of {status}"
    schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": made["components"]}).validate(answer)
