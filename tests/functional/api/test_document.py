"""What the document says about every route and every field: a name, a text, an example, the unit of every time."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gitlab_hub.errors import HubError
from gitlab_hub.integrations.requests import StartBody, oauth_request, token_request
from gitlab_hub.web.api import Route
from gitlab_hub.web.glossary_special import SPECIAL
from gitlab_hub.web.openapi import TAG_OF_ROUTES, document
from gitlab_hub.web.openapi_schemas import MEANINGS, PUBLIC_NAMES, public_name
from gitlab_hub.web.status import STATUS_OF_CODE
from tests.fakes.gitlab import answer, project
from tests.functional.api.api_hub import ApiHub

Schema = dict[str, Any]
TIMES = re.compile(r"_at$|_until$|^at$|^since$|_(?:after|before)$|^expiration_date$|_on$")
NO_TIMES = {"Grant.revoke_at", "Explanation.revoke_at", "ReviewItem.revoke_at"}


@pytest.fixture(scope="module")
def hub() -> ApiHub:
    return ApiHub()


@pytest.fixture(scope="module")
def made(hub: ApiHub) -> Schema:
    return document(hub.routes)


def operations(made: Schema) -> Iterator[tuple[str, Schema]]:
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def fields(made: Schema) -> Iterator[tuple[str, Schema]]:
    """Every field of every schema, and every parameter: its name, and what is said of it."""
    for name, schema in made["components"]["schemas"].items():
        for field, content in schema.get("properties", {}).items():
            yield f"{name}.{field}", content
    for key, operation in operations(made):
        for parameter in operation.get("parameters", ()):
            yield f"{key} .{parameter['name']}", {**parameter["schema"], "description": parameter["description"]}


def test_what_is_said_by_the_name_of_a_class_is_said_of_one_that_is_there(made: Schema, hub: ApiHub) -> None:
    schemas = made["components"]["schemas"].keys()
    assert set(PUBLIC_NAMES.values()) <= schemas
    assert {public_name(key.split(".")[0]) for key in SPECIAL if not key.startswith(("query.", "path."))} <= schemas
    parts = {type(getattr(route.handler, "__self__", route)).__name__.removesuffix("Routes") for route in hub.routes}
    assert TAG_OF_ROUTES.keys() <= parts


def test_every_operation_has_a_name_of_its_own_a_text_and_a_tag(made: Schema, hub: ApiHub) -> None:
    found = dict(operations(made))
    names = [operation["operationId"] for operation in found.values()]
    assert len(set(names)) == len(names) == len(hub.routes)
    assert all(re.fullmatch(r"[a-z][a-z_]+", name) for name in names)
    tags = {tag["name"]: tag["description"] for tag in made["tags"]}
    for key, operation in found.items():
        assert operation["summary"], key
        assert operation["description"].count("\n\n") >= 1, f"{key} says nothing but who may call it"
        assert set(operation["tags"]) <= set(tags), key
    assert {tag for operation in found.values() for tag in operation["tags"]} == set(tags)


def test_every_field_has_a_text(made: Schema) -> None:
    silent = [name for name, said in fields(made) if not said.get("description") and "$ref" not in json.dumps(said)]
    assert silent == []


def test_every_field_that_has_no_parts_has_an_example_or_a_list_of_values(made: Schema) -> None:
    plain = {"string", "integer", "number"}
    without = [
        name
        for name, said in fields(made)
        if {each.get("type") for each in (said, *said.get("anyOf", ()))} & plain
        and not any(key in json.dumps(said) for key in ('"examples"', '"enum"', '"const"', '"$ref"'))
    ]
    assert set(without) <= {
        "Check.code", "CredentialDetail.deleted_at", "CredentialDetail.disabled_at", "Report.error",
        "Verification.code", "Webhook.parent_id",
    }  # fmt: skip


def test_every_time_has_its_unit(made: Schema) -> None:
    times = {name: said for name, said in fields(made) if TIMES.search(name.rpartition(".")[2])}
    assert len(times) > 60
    for name, said in times.items():
        if name not in NO_TIMES:
            assert re.search(r"unix seconds|ISO 8601", said["description"]), name


def test_every_body_has_an_example_that_fits(made: Schema) -> None:
    tried = 0
    for key, operation in operations(made):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (each["content"].get("application/json") for each in bodies if "content" in each):
            if content is None or key == "get /openapi.json":
                continue
            named = content.get("examples", {}).values()
            for example in [one["value"] for one in named] or [content["example"]]:
                Draft202012Validator({**content["schema"], "components": made["components"]}).validate(example)
                tried += 1
    assert tried > 300


def test_each_way_to_connect_has_an_example_that_the_route_takes(made: Schema) -> None:
    content = made["paths"]["/v1/integrations/gitlab/start"]["post"]["requestBody"]["content"]["application/json"]
    target_of: dict[str, Callable[[StartBody], object]] = {"personal_token": token_request, "oauth_app": oauth_request}
    for body in (one["value"] for one in content["examples"].values()):
        secrets = {name: "filled-in" for name, value in body.items() if "…" in str(value)}
        assert target_of.pop(body["auth_mode"])(StartBody.model_validate(body | secrets))
    assert target_of == {}


def test_the_hub_takes_the_examples_of_changes_and_of_triggers(made: Schema) -> None:
    hub = ApiHub()  # a hub of its own: the examples change it
    hub.gitlab.token["scopes"] = ["api"]
    hub.gitlab.script["/projects/15"] = answer(body=project(15))
    hub.gitlab.script["/groups/acme%2Fshop"] = answer(body={"id": 9, "full_path": "acme/shop"})
    routes = {"/v1/integrations/{integration_id}": "patch", "/v1/triggers": "post"}
    for path, method in routes.items():
        content = made["paths"][path][method]["requestBody"]["content"]["application/json"]
        for body in (one["value"] for one in content["examples"].values()):
            own = {"integration_id": hub.own} if "integration_id" in body else {}
            status, said = hub(method.upper(), path.replace("{integration_id}", hub.own), body | own)
            assert status in {200, 201}, (path, body, said)


def test_an_error_is_shown_as_its_status_has_it(made: Schema) -> None:
    shown = {
        (status, answer["content"]["application/json"]["example"]["code"], example["retryable"])
        for _, operation in operations(made)
        for status, answer in operation["responses"].items()
        if "code" in (example := answer.get("content", {}).get("application/json", {}).get("example") or {})
        and "retryable" in example
    }
    assert len(shown) > 6
    retryable = {kind.code for kind in kinds(HubError) if kind.retryable}
    for status, code, may_do_later in shown:
        assert code in STATUS_OF_CODE
        assert status in ("default", str(STATUS_OF_CODE[code])) or (status, code) == ("422", "invalid_input")
        assert may_do_later == (code in retryable)


def kinds(kind: type[HubError]) -> set[type[HubError]]:
    return {kind, *(one for below in kind.__subclasses__() for one in kinds(below))}


def test_no_schema_is_named_after_its_part_in_the_code(made: Schema) -> None:
    names = set(made["components"]["schemas"])
    assert names >= {"Account", "Grant", "Pipeline", "Job", "Build", "Trigger", "Webhook", "Delivery", "AuditEntry"}
    assert [name for name in names if re.search(r"(View|Answer|Body|Envelope)$", name)] == ["GrantView"]
    assert '"title": "' not in json.dumps(made["components"])


def test_the_scheme_of_tokens_is_described(made: Schema) -> None:
    (scheme,) = made["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "ghub_<id>_<secret>")
    assert all(role in scheme["description"] for role in ("viewer", "developer", "admin", "owner"))


def test_a_body_is_required_exactly_where_an_empty_one_is_refused(made: Schema, hub: ApiHub) -> None:
    def path_of(route: Route) -> str:
        return re.sub(r"<(\w+)>", lambda match: hub.ids[match[1]], route.path)

    said, found = {}, {}
    for route in (route for route in hub.routes if route.takes_body):
        operation = made["paths"][re.sub(r"<(\w+)>", r"{\1}", route.path)][route.method.lower()]
        said[route.name] = operation["requestBody"]["required"]
        status, body = hub(route.method, path_of(route))
        missing = [each["problem"] for each in body.get("details", {}).get("fields", ())]
        found[route.name] = "missing" in missing or body.get("error") == "invalid_json"
        assert status != 400, route.name
    assert said == found
    assert {name for name, required in said.items() if not required} >= {"sync_integration", "rotate_webhook"}


def test_the_glossary_has_no_word_that_nobody_uses(made: Schema) -> None:
    used = {name.rpartition(".")[2] for name, _ in fields(made)}
    assert set(MEANINGS) - used == set()
    assert {name.rpartition(".")[2] for name in SPECIAL} - used == set()


def test_a_role_of_a_hub_token_is_not_taken_for_a_level_of_gitlab(made: Schema) -> None:
    schemas = made["components"]["schemas"]
    roles = {
        name: field["description"]
        for name, schema in schemas.items()
        for field in [schema.get("properties", {}).get("role", {})]
        if field.get("$ref", "").endswith("/Role")
    }
    assert {"HubToken", "NewHubToken", "TokenCreateRequest", "WhoAmI"} <= roles.keys()
    assert set(roles.values()) == {"viewer, developer, admin or owner."}
