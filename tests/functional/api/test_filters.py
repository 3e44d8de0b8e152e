"""Queries that no route should take: refused on every real route with the rule, the field and what is allowed."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from gitlab_hub.web.openapi import document
from gitlab_hub.web.route import Route
from tests.functional.api.api_hub import ApiHub

Schema = dict[str, Any]
Parameters = list[tuple[Route, str, Schema]]


@pytest.fixture(scope="module")
def hub() -> ApiHub:
    return ApiHub()


@pytest.fixture(scope="module")
def described(hub: ApiHub) -> Parameters:
    """Every parameter of every query: route, name, schema."""
    return list(_described(hub))


def _described(hub: ApiHub) -> Iterator[tuple[Route, str, Schema]]:
    made = document(hub.routes)
    for route in hub.routes:
        operation = made["paths"][re.sub(r"<(\w+)>", r"{\1}", route.path)][route.method.lower()]
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query" and route.raw is None:
                yield route, parameter["name"], _plain(parameter["schema"], made)


def _plain(schema: Schema, made: Schema) -> Schema:
    """The schema of a value that is given: without null, references followed."""
    schema = next((each for each in schema.get("anyOf", ()) if each != {"type": "null"}), schema)
    name = schema.get("$ref", "").rpartition("/")[2]
    return made["components"]["schemas"][name] if name else schema


def path_of(hub: ApiHub, route: Route) -> str:
    return re.sub(r"<(\w+)>", lambda match: hub.ids.get(match[1], "1"), route.path)


def refused(hub: ApiHub, route: Route, query: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The message, and what is said of the one field that is wrong."""
    status, body = hub(route.method, path_of(hub, route), query=query)
    assert status == 422, f"{route.method} {route.path} {query}: {status} {body}"
    if route.render_error:
        return "", {"field": f"query.{next(iter(query))}", "allowed": []}
    assert body["code"] == "invalid_input"
    (field,) = body["details"]["fields"]
    assert field["field"] in body["error"]
    assert field["message"] in body["error"]
    return body["error"], field


def test_every_route_refuses_a_parameter_that_it_does_not_have(hub: ApiHub) -> None:
    before = hub.stored()
    routes = [route for route in hub.routes if route.raw is None]
    for route in routes:
        message, field = refused(hub, route, {"statuss": "failed"})
        assert field["field"] == "query.statuss"
        assert field.get("allowed", []) == sorted(route.query)
        assert all(name in message for name in route.query)
    assert len(routes) > 55
    assert hub.stored() == before


def test_every_misspelt_value_is_refused_with_those_that_are_allowed(hub: ApiHub, described: Parameters) -> None:
    found = [(route, name, schema["enum"]) for route, name, schema in described if "enum" in schema]
    for route, name, values in found:
        for wrong in ("misspelt", values[0].upper(), f"{values[0]},{values[0]}", ""):
            message, field = refused(hub, route, {name: wrong})
            assert (field["field"], field["allowed"]) == (f"query.{name}", values)
            assert all(value in message for value in values)
    names = {name for _, name, _ in found}
    assert names >= {"kind", "status", "view", "visibility", "source", "event"}


@pytest.mark.parametrize(
    ("kind", "wrong", "rule"),
    [
        ("integer", "ten", "must be a whole number"),
        ("integer", "1.5", "must be a whole number"),
        ("integer", "2026-11-29", "must be a whole number"),
        ("integer", "", "must be a whole number"),
        ("integer", "-1", "must be at least"),
        ("integer", "9" * 25, "must be at most"),
        *(("integer", odd, "must be a whole number") for odd in (" 5", "5 ", "+5", "05", "5.0", "1_0", "5e0", "-0")),
        ("boolean", "maybe", "must be true or false"),
        *(("boolean", odd, "must be true or false") for odd in ("1", "0", "yes", "on", "t", " true")),
        ("boolean", "", "must be true or false"),
    ],
)
def test_every_value_of_another_type_is_refused_with_the_rule(
    hub: ApiHub, described: Parameters, kind: str, wrong: str, rule: str
) -> None:
    found = [(route, name) for route, name, schema in described if schema.get("type") == kind]
    assert len(found) > 2
    for route, name in found:
        message, field = refused(hub, route, {name: wrong})
        assert field["field"] == f"query.{name}"
        assert rule in message


def test_no_parameter_can_be_given_twice(hub: ApiHub, described: Parameters) -> None:
    single = [(route, name) for route, name, schema in described if schema.get("type") != "array"]
    for route, name in single:
        message, field = refused(hub, route, {name: ["1", "2"]})
        assert field["field"] == f"query.{name}"
        assert "once" in message


def test_a_branch_with_a_comma_is_one_branch(hub: ApiHub) -> None:
    path = f"/v1/integrations/{hub.own}/pipelines"
    assert hub("GET", path, query={"ref": "a,b"})[0] == 200


def test_every_list_refuses_a_cursor_that_it_did_not_give(hub: ApiHub, described: Parameters) -> None:
    lists = [route for route, name, _ in described if name == "cursor"]
    assert len(lists) > 12
    for route in lists:
        for wrong in ("", "x", "eyJ4IjoxfQ"):
            status, body = hub(route.method, path_of(hub, route), query={"cursor": wrong})
            assert (status, body["code"]) == (400, "invalid_cursor"), route.path


@pytest.mark.parametrize("given", ["acme", "%205", "+5", "05", "5.0", "1_0"])
@pytest.mark.parametrize("name", ["account_id", "project_id", "pipeline_id"])
def test_a_path_that_cannot_hold_an_id_says_so(hub: ApiHub, name: str, given: str) -> None:
    routes = [route for route in hub.routes if f"<{name}>" in route.path]
    assert routes
    for route in routes:
        path = re.sub(r"<(\w+)>", lambda match: given if match[1] == name else hub.ids.get(match[1], "1"), route.path)
        status, body = hub(route.method, path)
        assert (status, body["code"]) == (404, "not_found")
        assert f"path.{name} must be a whole number" in body["error"]
