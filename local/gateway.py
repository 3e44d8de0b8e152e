"""The API's routes on the emulator, which creates an API from an OpenAPI body but leaves the body's routes out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.stack import Stack

_FUNCTION = re.compile(r"\$\{(\w+)\.Arn\}")
_AUTHORIZER_FUNCTION = "AuthorizerFunction"


@dataclass(frozen=True, slots=True, order=True)
class WantedRoute:
    """One route of the template: its key, the function that serves it, whether the authorizer stands before it."""

    key: str
    function: str
    authorized: bool


def wanted_routes(template: Mapping[str, Any]) -> list[WantedRoute]:
    """The routes in the body of the processed template's API."""
    return sorted(_routes(template["Resources"]["HttpApi"]["Properties"]["Body"]))


def _routes(body: Mapping[str, Any]) -> Iterator[WantedRoute]:
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
            function = _FUNCTION.search(uri)
            if function is not None:
                authorized = operation.get("security") != [{"NONE": []}]
                key = "$default" if operation.get("isDefaultRoute") else f"{method.upper()} {path}"
                yield WantedRoute(key, function[1], authorized)


class Gateway:
    """The one API of the stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._client = stack.client("apigatewayv2")
        self.api_id = stack.resources["HttpApi"]

    def put_routes(self) -> None:
        """Make the API's routes those of the template; what is right already stays."""
        wanted = wanted_routes(self._stack.template)
        present = {route["RouteKey"]: route for route in self._client.get_routes(ApiId=self.api_id)["Items"]}
        for key in present.keys() - {route.key for route in wanted}:
            self._client.delete_route(ApiId=self.api_id, RouteId=present[key]["RouteId"])
        integrations, authorizer = self._integrations(wanted), self._authorizer()
        for route in wanted:
            self._put(route, present.get(route.key), integrations[route.function], authorizer)

    def _put(self, route: WantedRoute, present: Mapping[str, Any] | None, integration: str, authorizer: str) -> None:
        values = {
            "Target": f"integrations/{integration}",
            "AuthorizationType": "CUSTOM" if route.authorized else "NONE",
        }
        if route.authorized:
            values["AuthorizerId"] = authorizer
        if present is None:
            self._client.create_route(ApiId=self.api_id, RouteKey=route.key, **values)
        elif any(present.get(name) != value for name, value in values.items()):
            self._client.update_route(ApiId=self.api_id, RouteId=present["RouteId"], **values)

    def _integrations(self, wanted: list[WantedRoute]) -> dict[str, str]:
        listed = self._client.get_integrations(ApiId=self.api_id)["Items"]
        present = {row["IntegrationUri"]: row["IntegrationId"] for row in listed}
        uris = {route.function: self._uri(route.function) for route in wanted}
        return {function: present.get(uri) or self._integrate(uri) for function, uri in uris.items()}

    def _integrate(self, uri: str) -> str:
        created = self._client.create_integration(
            ApiId=self.api_id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=uri,
            IntegrationMethod="POST",
            PayloadFormatVersion="2.0",
        )
        return str(created["IntegrationId"])

    def _authorizer(self) -> str:
        listed = self._client.get_authorizers(ApiId=self.api_id)["Items"]
        uri = self._uri(_AUTHORIZER_FUNCTION)
        for authorizer in listed:
            if authorizer["AuthorizerUri"] == uri:
                return str(authorizer["AuthorizerId"])
        created = self._client.create_authorizer(
            ApiId=self.api_id,
            Name="HubTokens",
            AuthorizerType="REQUEST",
            AuthorizerUri=uri,
            AuthorizerPayloadFormatVersion="2.0",
            EnableSimpleResponses=True,
            IdentitySource=[],
            AuthorizerResultTtlInSeconds=0,
        )
        return str(created["AuthorizerId"])

    def _uri(self, function: str) -> str:
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{self._stack.resources[function]}"
        return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
