"""The API: who may come in, how often, and that code, events and template agree about its routes."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from gitlab_hub.composition import routes as routing
from gitlab_hub.composition.container import Container
from gitlab_hub.console.gitlab_sign_in import FINISH
from tests.unit.template.transformed import ROOT, functions, resources, transformed

OPEN = {
    "GET /healthz",
    "GET /openapi.json",
    "GET /v1/integrations/gitlab/connect/{ticket}",
    "GET /v1/integrations/gitlab/callback",
    "POST /v1/webhooks/gitlab",
    "POST /v1/webhooks/gitlab/{hook_id}",
}
FROM_GITLAB = "GET /console/sign-in/gitlab/callback"
PAGES = {"GET /console", "GET /console/{page+}", "POST /console/{page+}", FROM_GITLAB}
"""The console: a browser sends no hub token but a cookie, which the function looks up itself."""
DEFAULT = "$default"
"""What the gateway falls back on; it asks nobody who calls."""
HTTP_FUNCTIONS = {
    "integrations": routing.integrations_routes,
    "oauth": routing.oauth_routes,
    "webhooks": routing.webhooks_routes,
    "access": routing.access_routes,
    "pipelines": routing.pipelines_routes,
    "builds": routing.builds_routes,
    "operations": routing.operations_routes,
}


def body() -> dict[str, Any]:
    api: dict[str, Any] = resources("AWS::ApiGatewayV2::Api")["HttpApi"]["Body"]
    return api


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in body()["paths"].items():
        for method, operation in methods.items():
            yield DEFAULT if operation.get("isDefaultRoute") else f"{method.upper()} {path}", operation


def routes_of(folder: str) -> set[str]:
    (function,) = (f for f in functions().values() if f["CodeUri"] == f"functions/{folder}")
    events = [event["Properties"] for event in function["Events"].values() if event["Type"] == "HttpApi"]
    return {f"{event['Method']} {event['Path']}" if "Path" in event else DEFAULT for event in events}


def in_gateway_syntax(path: str) -> str:
    """A parameter is a whole segment there: `{id}.csv` comes in by the route of `{id}`, as the hub tells them apart."""
    return re.sub(r"<(\w+)>[^/]*", r"{\1}", path)


def test_every_route_but_the_open_ones_has_the_authorizer() -> None:
    unguarded = {key for key, operation in operations() if operation["security"] == [{"NONE": []}]}
    guarded = {key for key, operation in operations() if operation["security"] == [{"HubTokens": []}]}
    assert unguarded == OPEN | PAGES | {DEFAULT}
    assert guarded == {key for key, _ in operations()} - OPEN - PAGES - {DEFAULT}


def test_the_authorizer_sees_calls_without_a_token_and_nothing_is_cached() -> None:
    (scheme,) = body()["components"]["securitySchemes"].values()
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert authorizer["authorizerPayloadFormatVersion"] == "2.0"
    assert authorizer["enableSimpleResponses"] is True
    assert "identitySource" not in authorizer
    assert "authorizerResultTtlInSeconds" not in authorizer


def test_handlers_get_payload_version_2() -> None:
    for key, operation in operations():
        integration = operation["x-amazon-apigateway-integration"]
        assert (integration["type"], integration["payloadFormatVersion"]) == ("aws_proxy", "2.0"), key


@pytest.mark.parametrize("folder", HTTP_FUNCTIONS)
def test_template_and_code_have_the_same_routes(folder: str) -> None:
    code = {f"{route.method} {in_gateway_syntax(route.path)}" for route in HTTP_FUNCTIONS[folder](Container({}))}
    assert routes_of(folder) - {DEFAULT} == code


def test_one_function_answers_what_has_no_route() -> None:
    assert [folder for folder in HTTP_FUNCTIONS if DEFAULT in routes_of(folder)] == ["operations"]


@pytest.mark.parametrize("folder", HTTP_FUNCTIONS)
def test_template_and_code_agree_which_routes_are_open(folder: str) -> None:
    routes = [route for route in HTTP_FUNCTIONS[folder](Container({})) if route.role is None]
    code = {f"{route.method} {in_gateway_syntax(route.path)}" for route in routes}
    assert routes_of(folder) & OPEN == code


@pytest.mark.parametrize("folder", HTTP_FUNCTIONS)
def test_every_route_has_an_event_to_try_it_with(folder: str) -> None:
    events = [json.loads(path.read_text()) for path in (ROOT / "events" / folder).glob("*.json")]
    assert {event["routeKey"] for event in events} == routes_of(folder)


def test_the_console_has_its_pages_and_no_route_of_the_api() -> None:
    assert routes_of("console") == PAGES
    events = [json.loads(path.read_text()) for path in (ROOT / "events" / "console").glob("*.json")]
    assert {event["routeKey"] for event in events} == PAGES


def test_calls_are_throttled_and_logged_without_paths() -> None:
    (stage,) = resources("AWS::ApiGatewayV2::Stage").values()
    assert {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= set(stage["DefaultRouteSettings"])
    assert stage["AccessLogSettings"]["DestinationArn"] == {"Fn::GetAtt": ["HttpApiLog", "Arn"]}
    assert not set(re.findall(r"\$context\.\w+", stage["AccessLogSettings"]["Format"])) & {"$context.path"}


def test_webhooks_have_a_throttle_of_their_own() -> None:
    (stage,) = resources("AWS::ApiGatewayV2::Stage").values()
    own = {
        "ThrottlingRateLimit": {"Ref": "WebhooksThrottlingRate"},
        "ThrottlingBurstLimit": {"Ref": "WebhooksThrottlingBurst"},
    }
    settings = {key: value for key, value in stage["RouteSettings"].items() if key != FROM_GITLAB}
    assert settings == dict.fromkeys(routes_of("webhooks"), own)


def test_nobody_has_the_hub_ask_gitlab_as_often_as_they_like_with_codes_that_they_make_up() -> None:
    (stage,) = resources("AWS::ApiGatewayV2::Stage").values()
    assert f"GET {FINISH}" == FROM_GITLAB
    throttle = stage["RouteSettings"][FROM_GITLAB]
    assert (throttle["ThrottlingRateLimit"] <= 2, throttle["ThrottlingBurstLimit"] <= 20) == (True, True)


def test_nothing_is_paid_by_the_route() -> None:
    # Detailed metrics are custom ones for each route (API Gateway, "Monitor CloudWatch metrics for HTTP APIs").
    (stage,) = resources("AWS::ApiGatewayV2::Stage").values()
    settings = [stage["DefaultRouteSettings"], *stage["RouteSettings"].values()]
    assert not [one for one in settings if one.get("DetailedMetricsEnabled")]


def test_no_warning_of_the_gateway_stops_a_deployment() -> None:
    # Nobody has seen yet what API Gateway warns of in this document, and a first deployment must not find out.
    assert "FailOnWarnings" not in transformed()["Resources"]["HttpApi"]["Properties"]
